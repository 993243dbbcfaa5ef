package invoke

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/crypt"
	"github.com/portlens/terraform-provider-port/internal/portal/legacy"
	"github.com/portlens/terraform-provider-port/internal/portal/runs"
)

// relay stores the message that takes a run to the relay (reference/actions.md
// §3.10). A method from which none can be made fails the run.
func (s *Sender) relay(ctx context.Context, secret string, d runs.Delivery, method jsonv.Object) (runs.Outcome, error) {
	message, why := relayMessage(d.Run, method)
	if why != "" {
		return runs.Outcome{Log: why, Status: runs.Failure}, nil
	}
	now := s.o.Clock.Now()
	signed := message
	if d.Method == methodGitLab {
		signed = without(message, "headers")
	}
	signature := crypt.Sign(secret, now, crypt.Body(signed))
	headers := jsonv.CloneObject(jsonv.Map(message, "headers"))
	headers[crypt.HeaderSignature], headers[crypt.HeaderTimestamp] = signature, json.Number(crypt.Timestamp(now))
	message["headers"] = headers
	outcome, err := s.message(ctx, topicRuns, d.Run, message)
	outcome.Stored = err == nil && outcome.Log == ""
	return outcome, err
}

const methodGitLab = "GITLAB"

// relayMessage is the message without its signature (M1, M3). What a webhook sends
// stands at its root; there the message's own keys have precedence, but what
// else is in the objects they name stays.
func relayMessage(run string, method jsonv.Object) (message jsonv.Object, why string) {
	method, _ = rewritten(method).(jsonv.Object)
	if jsonv.String(method, "type") == methodGitLab {
		return gitlabMessage(run, method), ""
	}
	body, ok := method["body"].(jsonv.Object)
	if !ok {
		return nil, "The relay takes only JSON objects, and /body is " + jsonv.KindOf(method["body"])
	}
	message = jsonv.CloneObject(body)
	inside(inside(message, "payload"), "action")["invocationMethod"] = without(method, "body")
	inside(message, "context")["runId"] = run
	headers := inside(message, "headers")
	delete(headers, crypt.HeaderSignature)
	delete(headers, crypt.HeaderTimestamp)
	return message, ""
}

func gitlabMessage(run string, method jsonv.Object) jsonv.Object {
	variables := jsonv.OrEmpty(jsonv.Map(method, "pipelineVariables"))
	_, payload := variables[legacy.PortPayload]
	told := without(method, "pipelineVariables")
	told["agent"], told["omitPayload"], told["omitUserInputs"] = true, !payload, len(without(variables, legacy.PortPayload)) == 0
	return jsonv.Object{
		"payload": jsonv.Object{"action": jsonv.Object{"invocationMethod": told}, "properties": variables},
		"context": jsonv.Object{"runId": run}, "headers": jsonv.Object{},
	}
}

// inside is the object under a key, made if there is none. It may be changed.
func inside(o jsonv.Object, key string) jsonv.Object {
	inner := jsonv.CloneObject(jsonv.OrEmpty(jsonv.Map(o, key)))
	o[key] = inner
	return inner
}

func without(o jsonv.Object, key string) jsonv.Object {
	out := make(jsonv.Object, len(o))
	for name, v := range o {
		if name != key {
			out[name] = v
		}
	}
	return out
}

// rewritten spells numbers as they come out of a program that reads them and writes
// them again, which relays do before they check the signature: the official one is
// written in Python.
func rewritten(v any) any { return jsonv.MapNumbers(v, spelled) }

// Below tiny and from huge on, numbers that are no integers are written with an
// exponent.
const (
	tiny = 1e-4
	huge = 1e16
)

func spelled(n json.Number) json.Number {
	f, err := n.Float64()
	size := math.Abs(f)
	switch {
	case size == 0 && err == nil:
		return "0"
	case !strings.ContainsAny(string(n), ".eE"), err != nil:
		return n // integers are exact, whatever their size
	case size >= huge, size < tiny:
		return json.Number(strconv.FormatFloat(f, 'e', -1, 64))
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}
