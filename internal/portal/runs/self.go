package runs

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/template"
)

// Nobody is a [Delivery.As] without rights.
const Nobody = "-"

// fixedHost are URLs that name their host in the plain.
var fixedHost = regexp.MustCompile(`^\s*https?://[^{}/?#\\]+/`)

// rights are whose rights calls to the portal itself have (reference/actions.md §3.2
// "Calls to Port itself"): the organization's, but no more than those of the moderator
// who wrote the action. Only the action itself may say that the portal is called. What
// it is run with comes from people who could otherwise turn a call that was meant for
// elsewhere into one with rights they do not have.
func (s *starting) rights() (string, error) {
	if s.payload["type"] != "WEBHOOK" || s.payload["agent"] == true {
		return "", nil
	}
	author := jsonv.String(s.k.hidden, hiddenAuthor)
	if text, _ := s.method["url"].(string); fixedHost.MatchString(text) || !strings.Contains(text, "{{") {
		return author, nil
	}
	without := jsonv.Object{"inputs": nil, "trigger": nil, "event": nil, "entity": nil, "action": s.document["action"], "run": s.document["run"]}
	own, err := s.fill(jsonv.Object{"url": s.method["url"]}, without, s.secrets)
	var impossible *template.Error
	switch {
	case errors.As(err, &impossible):
		return Nobody, nil
	case err != nil:
		return "", err
	case hostOf(own["url"]) != hostOf(s.payload["url"]):
		return Nobody, nil
	}
	return author, nil
}

// hostOf is the host that a URL names, "" for what is none.
func hostOf(v any) string {
	text, _ := v.(string)
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// chain counts the runs that have run one another by calls to the portal, and ends
// what would go on for ever (reference/actions.md §6.5).
func (x *execution) chain(k *kept) error {
	cause := x.order.Caller.Cause
	if cause == "" {
		return nil
	}
	before, err := get(x.tx, x.who.Org, cause)
	if fault.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	n, _ := before.hidden[hiddenChain].(json.Number)
	length, err := n.Int64()
	if err != nil {
		length = 0
	}
	if int(length) >= x.r.deps.Depth {
		return fault.New(http.StatusUnprocessableEntity, "invalid_request", "automation loop stopped: %d runs have run one another", length+1)
	}
	k.hidden[hiddenChain] = jsonv.Int(int(length) + 1)
	return nil
}
