package portal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
	"github.com/portlens/terraform-provider-port/internal/portal/store/pgtest"
)

// A scenario file (testdata/scenarios/*.yaml) holds what all of its scenarios are
// given and the scenarios; every scenario runs over HTTP on a portal of its own,
// in memory, on SQLite and, where there is one ([pgtest]), on PostgreSQL. In what is wanted, objects are partial, lists are
// whole; "~text" is a regular expression, "<any>" anything but absent, "<absent>"
// nothing, and "<rest>" at the end of a list whatever follows. ${name} is a value
// saved by an earlier step.
type scenarioFile struct {
	Given     any        `yaml:"given"`
	Scenarios []scenario `yaml:"scenarios"`
}

type scenario struct {
	Name string `yaml:"name"`
	// Rows are the rows of reference/catalog.md that the scenario proves, by the
	// ids of testdata/rows.txt: [N2, X1-7, §8 20].
	Rows   []string `yaml:"rows"`
	Limits struct {
		Requests int           `yaml:"requests"`
		Window   time.Duration `yaml:"window"`
		Logins   int           `yaml:"failedLogins"`
	} `yaml:"limits"`
	Permissions struct {
		ListAllFields bool `yaml:"listAllFields"`
		Strict        bool `yaml:"strict"`
	} `yaml:"permissions"`
	// UserStatus is the status that users begin with, "" for the default.
	UserStatus string `yaml:"user_status"`
	// Start is where the clock stands at first.
	Start string `yaml:"start"`
	// ClientSecret replaces the short secret of test portals.
	ClientSecret string `yaml:"client_secret"`
	// AutomaticAccess lets everybody log in.
	AutomaticAccess bool `yaml:"automatic_access"`
	// GitHub is the portal's token there, "" for none.
	GitHub string `yaml:"github"`
	// LegacyActionRoutes is "gone" or "".
	LegacyActionRoutes string `yaml:"legacy_action_routes"`
	// RunTimeout, UnknownInputs and AutomationDepth are the portal's settings.
	RunTimeout      time.Duration `yaml:"run_timeout"`
	UnknownInputs   bool          `yaml:"unknown_inputs"`
	AutomationDepth int           `yaml:"automation_depth"`

	Steps []step `yaml:"steps"`
}

type step struct {
	Login   *login            `yaml:"login"`   // somebody logs in first
	Do      string            `yaml:"do"`      // method and path
	As      as                `yaml:"as"`      // see [as]; default the machine's token
	Headers map[string]string `yaml:"headers"` // of the request
	Body    any               `yaml:"body"`    // sent as JSON
	Text    *string           `yaml:"text"`    // sent as it is
	Pad     int               `yaml:"pad"`     // the text is filled up with blanks to so many bytes
	Advance time.Duration     `yaml:"advance"` // moves the clock first
	Settle  bool              `yaml:"settle"`  // automations and deliveries are waited for first
	Status  int               `yaml:"status"`
	Want    any               `yaml:"want"`
	Answer  map[string]string `yaml:"answer"`   // headers of the answer, as patterns
	Holds   []string          `yaml:"contains"` // text of the answer
	Save    map[string]string `yaml:"save"`     // name: pointer into the answer
	Mail    []string          `yaml:"mail"`     // "kind to" of all that was mailed so far, oldest first
	// Backends say what URLs do when the portal calls them from now on; by default
	// they answer 200.
	Backends map[string]struct {
		Status int               `yaml:"status"`
		Body   any               `yaml:"body"` // JSON, or a text as it is
		Pad    int               `yaml:"pad"`
		Header map[string]string `yaml:"header"`
		Refuse bool              `yaml:"refuse"`
	} `yaml:"backends"`
	// Sent are the calls that the portal made since the last step that lists them:
	// {method, url, body, headers}.
	Sent any `yaml:"sent"`
	// Messages are those for topics since the last step that lists them, of a portal
	// without a broker: {topic, key, value}, the topic without the organization.
	Messages any `yaml:"messages"`
}

// as is who a step is done by: "nobody"; an e-mail address, or {user: address, role:
// Member, teams: [t], moderates: [b], properties: {}}, whose user is created at the
// first mention and is a service account if the address is one's ([portaltest.User]);
// or any other text as the header Authorization.
type as struct {
	header string
	user   portaltest.User
}

func (a *as) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		if !strings.ContainsRune(node.Value, '@') || strings.ContainsRune(node.Value, ' ') {
			a.header = node.Value
			return nil
		}
		a.user.Email = node.Value
		return nil
	}
	var given struct {
		User       string         `yaml:"user"`
		Role       string         `yaml:"role"`
		Teams      []string       `yaml:"teams"`
		Moderates  []string       `yaml:"moderates"`
		Properties map[string]any `yaml:"properties"`
	}
	if err := node.Decode(&given); err != nil {
		return err
	}
	if given.User == "" {
		return errors.New("as: whoever acts needs an e-mail address under \"user\"")
	}
	a.user = portaltest.User{
		Email: given.User, Role: given.Role, Teams: given.Teams, Moderates: given.Moderates, Properties: given.Properties,
	}
	return nil
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, name := range scenarioFiles(t) {
		file := readScenarios(t, name)
		for _, s := range file.Scenarios {
			for _, storage := range pgtest.Stores() {
				t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml")+"/"+s.Name+"/"+storage, func(t *testing.T) {
					t.Parallel()
					s.run(t, storage, file.Given)
				})
			}
		}
	}
}

func (s scenario) run(t *testing.T, storage string, given any) {
	o := portaltest.Options{
		DefaultUserStatus: s.UserStatus, AutomaticUserAccess: s.AutomaticAccess, LegacyActionRoutes: s.LegacyActionRoutes, GitHubToken: s.GitHub,
		ListAllFields: s.Permissions.ListAllFields, StrictPermissions: s.Permissions.Strict,
		RunTimeout: s.RunTimeout, AllowUnknownInputs: s.UnknownInputs, AutomationDepth: s.AutomationDepth,
		Limits: portal.Limits{Requests: s.Limits.Requests, Window: s.Limits.Window, FailedLogins: s.Limits.Logins},
	}
	if s.ClientSecret != "" {
		o.ClientID, o.ClientSecret = portaltest.ClientID, s.ClientSecret
	}
	if s.Start != "" {
		o.Start, _ = jsonv.ParseTime(s.Start)
	}
	switch storage {
	case "sqlite":
		o.DataFile = filepath.Join(t.TempDir(), "portal.db")
	case "postgres":
		o.DatabaseURL = pgtest.URL(t)
	}
	p := portaltest.Start(t, o)
	if given != nil {
		p.Seed(string(jsonv.Encode(fromYAML(t, given))))
	}
	saved := map[string]string{}
	for i, st := range s.Steps {
		if st.Advance > 0 {
			p.Advance(st.Advance)
		}
		for url, b := range st.Backends {
			text, isText := b.Body.(string)
			if b.Body != nil && !isText {
				text = string(jsonv.Encode(fromYAML(t, b.Body)))
			}
			text += strings.Repeat("x", max(0, b.Pad-len(text)))
			p.Backend(url, portaltest.Backend{Status: b.Status, Body: text, Header: b.Header, Refuse: b.Refuse})
		}
		if st.Settle {
			p.Settle()
		}
		if st.Login != nil && !t.Failed() {
			st.Login.run(t, p, i+1, saved)
		}
		if st.Do != "" && !t.Failed() {
			st.run(t, p, fmt.Sprintf("step %d (%s)", i+1, st.Do), saved)
		}
	}
}

var variable = regexp.MustCompile(`\$\{\w+\}`)

func fill(text string, saved map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		if value, ok := saved[v[2:len(v)-1]]; ok {
			return value
		}
		return v
	})
}

func (st step) run(t *testing.T, p *portaltest.Portal, where string, saved map[string]string) {
	t.Helper()
	method, path, _ := strings.Cut(fill(st.Do, saved), " ")
	var body io.Reader = http.NoBody
	switch {
	case st.Text != nil:
		body = strings.NewReader(*st.Text + strings.Repeat(" ", max(0, st.Pad-len(*st.Text))))
	case st.Body != nil:
		body = strings.NewReader(fill(string(jsonv.Encode(fromYAML(t, st.Body))), saved))
	}
	req, err := http.NewRequestWithContext(context.Background(), method, p.URL()+path, body)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	switch {
	case st.As.user.Email != "":
		req.Header.Set("Authorization", "Bearer "+p.As(st.As.user))
	case st.As.header == "nobody":
	case st.As.header == "":
		req.Header.Set("Authorization", "Bearer "+p.Token())
	default:
		req.Header.Set("Authorization", fill(st.As.header, saved))
	}
	for name, value := range st.Headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	got, err := jsonv.Decode(text)
	if err != nil && method != http.MethodHead && resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%s: %v: %.300s", where, err, text)
	}
	problems := append(st.problems(t, resp, got, string(text), saved), st.mailProblems(t, p)...)
	for _, problem := range problems {
		t.Errorf("%s: %s", where, problem)
	}
	if len(problems) > 0 {
		t.Fatalf("%s: %d %.2000s", where, resp.StatusCode, text)
	}
	for name, pointer := range st.Save {
		value, _ := jsonv.Get(got, jsonv.ParsePointer(pointer)...)
		saved[name] = plain(value)
	}
	if st.Sent != nil {
		st.sent(t, p, where, saved)
	}
	if st.Messages != nil {
		st.messages(t, p, where, saved)
	}
}

// since is what a list has more than at the last look, of which saved keeps how many
// there were.
func since[T any](saved map[string]string, what string, all []T) []T {
	key := "# of " + what
	before, _ := strconv.Atoi(saved[key])
	saved[key] = strconv.Itoa(len(all))
	return all[before:]
}

// wanted is what a step expects, with what was saved filled in.
func wanted(t *testing.T, expected any, saved map[string]string) any {
	t.Helper()
	want, err := jsonv.Decode([]byte(fill(string(jsonv.Encode(fromYAML(t, expected))), saved)))
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func (st step) messages(t *testing.T, p *portaltest.Portal, where string, saved map[string]string) {
	t.Helper()
	p.Settle()
	got := []any{}
	for _, m := range since(saved, "messages", p.Messages()) {
		value, err := jsonv.Decode(m.Value)
		if err != nil {
			t.Fatalf("%s: message %s: %v", where, m.Value, err)
		}
		got = append(got, jsonv.Object{"topic": strings.TrimPrefix(m.Topic, p.Organization()+"."), "key": m.Key, "value": value})
	}
	for _, problem := range differ("/messages", wanted(t, st.Messages, saved), any(got)) {
		t.Errorf("%s: %s", where, problem)
	}
}

func (st step) sent(t *testing.T, p *portaltest.Portal, where string, saved map[string]string) {
	t.Helper()
	p.Settle()
	got := []any{}
	for _, c := range since(saved, "calls", p.Webhooks()) {
		call := jsonv.Object{"method": c.Method, "url": c.URL, "headers": jsonv.Object{}}
		if body, err := jsonv.Decode([]byte(c.Body)); err == nil {
			call["body"] = body
		} else if c.Body != "" {
			call["body"] = c.Body
		}
		for name := range c.Header {
			call["headers"].(jsonv.Object)[name] = c.Header.Get(name)
		}
		got = append(got, call)
	}
	for _, problem := range differ("/sent", wanted(t, st.Sent, saved), any(got)) {
		t.Errorf("%s: %s", where, problem)
	}
}

func (st step) problems(t *testing.T, resp *http.Response, got any, text string, saved map[string]string) (problems []string) {
	t.Helper()
	if resp.StatusCode != st.Status {
		problems = append(problems, fmt.Sprintf("status %d, want %d", resp.StatusCode, st.Status))
	}
	for name, pattern := range st.Answer {
		problems = append(problems, differ("header "+name, pattern, resp.Header.Get(name))...)
	}
	for _, part := range st.Holds {
		if !strings.Contains(text, part) {
			problems = append(problems, fmt.Sprintf("the text does not contain %q", part))
		}
	}
	if st.Want != nil {
		problems = append(problems, differ("", wanted(t, st.Want, saved), got)...)
	}
	return problems
}

// mailProblems compares what was sent with what is wanted, and with what the outbox
// says.
func (st step) mailProblems(t *testing.T, p *portaltest.Portal) (problems []string) {
	t.Helper()
	if st.Mail == nil {
		return nil
	}
	outbox, err := p.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lines := func(mail []portal.Mail) []string {
		out := []string{}
		for _, m := range mail {
			if m.ID == "" || m.Org != p.Organization() || m.At.IsZero() {
				problems = append(problems, fmt.Sprintf("incomplete mail %+v", m))
			}
			out = append(out, m.Kind+" "+m.To)
		}
		return out
	}
	for what, got := range map[string][]string{"sent": lines(p.Mail()), "in the outbox": lines(outbox)} {
		if diff := cmp.Diff(st.Mail, got); diff != "" {
			problems = append(problems, what+" (-want +got): "+diff)
		}
	}
	return problems
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(jsonv.Encode(v))
}

// differ compares an answer with a pattern.
func differ(at string, want, got any) (problems []string) {
	switch want := want.(type) {
	case string:
		if expression, ok := strings.CutPrefix(want, "~"); ok {
			if !regexp.MustCompile(expression).MatchString(plain(got)) {
				return []string{fmt.Sprintf("%s is %s, want a match of %s", at, jsonv.Encode(got), expression)}
			}
			return nil
		}
		if want == "<any>" {
			return nil
		}
	case jsonv.Object:
		object, ok := got.(jsonv.Object)
		if !ok {
			break
		}
		for key, value := range want {
			have, present := object[key]
			switch {
			case value == "<absent>" && present:
				problems = append(problems, fmt.Sprintf("%s/%s is %s, want it absent", at, key, jsonv.Encode(have)))
			case value != "<absent>" && !present:
				problems = append(problems, fmt.Sprintf("%s/%s is absent", at, key))
			case present:
				problems = append(problems, differ(at+"/"+key, value, have)...)
			}
		}
		slices.Sort(problems)
		return problems
	case []any:
		list, ok := got.([]any)
		if !ok {
			break
		}
		if n := len(want); n > 0 && want[n-1] == "<rest>" {
			want = want[:n-1]
			list = list[:min(len(list), n-1)]
		}
		if len(want) != len(list) {
			return []string{fmt.Sprintf("%s has %d elements, want %d", at, len(list), len(want))}
		}
		for i := range want {
			problems = append(problems, differ(fmt.Sprintf("%s/%d", at, i), want[i], list[i])...)
		}
		return problems
	}
	if !jsonv.Equal(want, got) {
		return []string{fmt.Sprintf("%s is %s, want %s", at, jsonv.Encode(got), jsonv.Encode(want))}
	}
	return nil
}

// fromYAML turns what the YAML package gives into a JSON value.
func fromYAML(t *testing.T, v any) any {
	t.Helper()
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fromYAML(t, v[i])
		}
		return out
	case map[string]any:
		out := jsonv.Object{}
		for key := range v {
			out[key] = fromYAML(t, v[key])
		}
		return out
	case int, int64, uint64, float64:
		return json.Number(fmt.Sprint(v))
	case time.Time:
		t.Fatalf("quote the date %v", v)
	}
	return v
}
