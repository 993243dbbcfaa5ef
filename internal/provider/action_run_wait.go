package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

const (
	firstLook   = time.Second
	longestLook = 10 * time.Second
	// linesShown is how many log lines a diagnostic repeats.
	linesShown = 20
)

// cutRuns are runs whose wait was cut short, by what was asked for.
type cutRuns struct {
	mu sync.Mutex
	// cut are those a state holds, offered those a deletion gave up.
	cut, offered map[string][]string
}

// askedFor identifies what a resource runs. Two that run the same may take over
// each other's run: nobody could tell the difference.
func askedFor(held lens.Obj) string {
	parts := jsonv.Object{}
	for _, name := range []string{"action", "entity", "run_as"} {
		parts[name], _ = text(held[name])
	}
	if given, ok := text(held["properties"]); ok {
		if inputs, err := jsonv.DecodeObject([]byte(given)); err == nil && len(inputs) > 0 {
			parts["properties"] = inputs
		}
	}
	triggers := jsonv.Object{}
	for name, v := range lens.AsObj(held["triggers"]) {
		triggers[name], _ = text(v)
	}
	parts["triggers"] = triggers
	parts["version"] = held["secret_properties_wo_version"].String()
	return string(jsonv.Encode(parts))
}

func (r *cutRuns) add(to *map[string][]string, held lens.Obj, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if *to == nil {
		*to = map[string][]string{}
	}
	if key := askedFor(held); !slices.Contains((*to)[key], id) {
		(*to)[key] = append((*to)[key], id)
	}
}

// take removes a run that was given up from those on offer; "" when there is none.
func (r *cutRuns) take(asked lens.Obj) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := askedFor(asked)
	of := r.offered[key]
	if len(of) == 0 {
		return ""
	}
	r.offered[key] = of[1:]
	return of[0]
}

// waiting is a run of a state that a creation would go on waiting for.
func (r *cutRuns) waiting(asked lens.Obj) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if of := r.cut[askedFor(asked)]; len(of) > 0 {
		return of[0]
	}
	return ""
}

// watch is one wait for a run.
type watch struct {
	c       *change
	id      string
	run     jsonv.Object
	want    []string
	timeout time.Duration
	secret  []string
	// hidden are texts that no diagnostic may repeat.
	hidden []string
	lines  []string
	// cut says that the wait ended before the run did.
	cut bool
}

// watch prepares the wait that the plan asks for.
func (c *change) watch(run jsonv.Object, secret []string, inputs jsonv.Object) *watch {
	planned := lens.AsObj(c.plan)
	w := &watch{c: c, id: jsonv.String(run, "id"), run: run, secret: secret}
	for _, status := range lens.AsList(planned["wait_for"]) {
		w.want = append(w.want, lens.AsText(status))
	}
	if d, err := time.ParseDuration(lens.AsText(planned["timeout"])); err == nil {
		w.timeout = d
	}
	for _, name := range secret {
		for _, s := range textsIn(inputs[name]) {
			w.hidden = append(w.hidden, s)
			w.hidden = append(w.hidden, longLines(s)...)
		}
	}
	// The longest first: it may hold another one.
	slices.SortStableFunc(w.hidden, func(a, b string) int { return len(b) - len(a) })
	return w
}

// longLines are the lines of a text of several, such as a private key: logs repeat
// them one by one. Short ones give nothing away.
func longLines(s string) []string {
	const least = 8
	var out []string
	if !strings.Contains(strings.TrimSpace(s), "\n") {
		return nil
	}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); len(line) >= least {
			out = append(out, line)
		}
	}
	return out
}

// textsIn are the texts of a JSON value, at every depth.
func textsIn(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, textsIn(e)...)
		}
		return out
	case jsonv.Object:
		var out []string
		for _, e := range v {
			out = append(out, textsIn(e)...)
		}
		return out
	}
	return nil
}

// document is the run as the state is to hold it.
func (w *watch) document(settled bool) jsonv.Object {
	out := jsonv.CloneObject(w.run)
	names := make([]any, len(w.secret))
	for i, name := range w.secret {
		names[i] = name
	}
	out["settled"], out["secretInputs"] = settled, names
	if len(w.secret) > 0 {
		discreet(out)
	}
	return out
}

// reached reports whether a status is one of those waited for, or comes after one
// of them on the way to success.
func reached(status string, want []string) bool {
	way := []string{runWaiting, runGoing, runSuccess}
	at := slices.Index(way, status)
	return slices.ContainsFunc(want, func(w string) bool {
		i := slices.Index(way, w)
		return w == status || i >= 0 && i < at
	})
}

func ended(status string) bool {
	return status == runSuccess || status == runFailure || status == runDeclined
}

// wait looks at the run until it is as wanted, cannot become so any more, or the
// time is over.
func (w *watch) wait(ctx context.Context) error {
	if len(w.want) == 0 {
		return nil
	}
	deadline := w.c.api.Now().Add(w.timeout)
	for pause := firstLook; ; pause = min(pause*3/2, longestLook) {
		status := jsonv.String(w.run, "status")
		w.read(ctx)
		if reached(status, w.want) {
			return nil
		}
		if ended(status) {
			return w.failed(status)
		}
		left := deadline.Sub(w.c.api.Now())
		if left <= 0 {
			return w.stopped("It is "+status+" after "+w.timeout.String()+".", nil)
		}
		if err := w.c.api.Pause(ctx, min(pause, left)); err != nil {
			return w.stopped("The wait was interrupted.", nil)
		}
		run, err := w.c.oneRun(ctx, w.id)
		if errors.Is(err, context.Canceled) {
			return w.stopped("The wait was interrupted.", nil)
		}
		if err != nil {
			return w.stopped("It could not be looked at.", err)
		}
		w.run = run
	}
}

// read takes up new log lines. They are told along the way, so failing to get them
// does no harm.
func (w *watch) read(ctx context.Context) {
	logs, err := w.c.runLogs(ctx, w.id, len(w.lines))
	if err != nil {
		tflog.Debug(ctx, "log lines of a run could not be read", map[string]any{"run": w.id, "error": err.Error()})
	}
	for _, l := range logs {
		entry, ok := l.(jsonv.Object)
		if !ok {
			continue
		}
		line := w.veiled(jsonv.String(entry, "message"))
		w.lines = append(w.lines, line)
		tflog.Info(ctx, "run log", map[string]any{"run": w.id, "action": jsonv.String(w.run, "action", "identifier"), "message": line})
	}
}

// veiled hides secret inputs in a text.
func (w *watch) veiled(s string) string {
	for _, h := range w.hidden {
		s = strings.ReplaceAll(s, h, "***")
	}
	return s
}

func (w *watch) name() string {
	return "Run " + w.id + " of action " + jsonv.String(w.run, "action", "identifier")
}

// tail is the end of the log as diagnostics show it.
func (w *watch) tail() string {
	if len(w.lines) == 0 {
		return ""
	}
	shown, title := w.lines, "Log of the run:"
	if len(shown) > linesShown {
		shown, title = shown[len(shown)-linesShown:], fmt.Sprintf("Last %d of %d log lines of the run:", linesShown, len(shown))
	}
	return "\n\n" + title + "\n  " + strings.ReplaceAll(strings.Join(shown, "\n"), "\n", "\n  ")
}

// failed is the error of a run that ended otherwise than wanted.
func (w *watch) failed(status string) error {
	summary := w.name() + " failed"
	var said []string
	switch status {
	case runSuccess:
		summary = w.name() + " succeeded, which wait_for does not want"
	case runDeclined:
		summary = w.name() + " was declined"
		if by := jsonv.String(w.run, "approval", "userId"); by != "" {
			said = append(said, "Declined by "+by+".")
		}
		if why := jsonv.String(w.run, "approval", "description"); why != "" {
			said = append(said, "Reason: "+why)
		}
	}
	if label := jsonv.String(w.run, "statusLabel"); label != "" {
		said = append(said, "Status: "+w.veiled(label))
	}
	if s := jsonv.String(w.run, "summary"); s != "" {
		said = append(said, "Summary: "+w.veiled(s))
	}
	for _, link := range jsonv.Strings(jsonv.List(w.run, "link")) {
		said = append(said, "See "+w.veiled(link))
	}
	said = append(said, w.next(false))
	return &diagnosed{diag.Diagnostics{diag.NewErrorDiagnostic(summary, strings.Join(said, "\n")+w.tail())}}
}

// stopped is the error of a wait that ended before the run did.
func (w *watch) stopped(why string, err error) error {
	w.cut = true
	if jsonv.String(w.run, "status") == runWaiting {
		why += " Somebody has to approve it."
	}
	if by := jsonv.String(w.run, "installationId"); jsonv.Bool(w.run, "pendingExecution") {
		switch by {
		case "", relays:
			why += " Nothing has begun it so far: it waits for a relay."
		default:
			why += " Nothing has begun it so far: it waits for the integration " + by + "."
		}
	}
	detail := why + "\n" + w.next(true)
	if err != nil {
		detail += "\n\n" + err.Error()
	}
	return &diagnosed{diag.Diagnostics{diag.NewErrorDiagnostic(w.name()+" was not waited for to the end", detail+w.tail())}}
}

// next says what the next apply does.
func (w *watch) next(goesOn bool) string {
	switch {
	case w.c.kind.decl.Name != "action_run":
		return "The vote stands; the next apply looks at the run again."
	case goesOn:
		return "The next apply goes on waiting for it and does not run the action again."
	}
	return "The next apply runs the action again."
}

// show warns with the last log lines, which Terraform has no other place for.
func (w *watch) show() {
	if len(w.want) == 0 || len(w.lines) == 0 || !lens.AsBool(lens.AsObj(w.c.plan)["show_logs"]) {
		return
	}
	detail := "Status: " + jsonv.String(w.run, "status")
	if s := jsonv.String(w.run, "summary"); s != "" {
		detail += "\nSummary: " + w.veiled(s)
	}
	w.c.warn("Log of "+strings.ToLower(w.name()[:1])+w.name()[1:], detail+w.tail()+"\n\nTo do without this, set show_logs = false.")
}
