package scim

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
)

func object(t testing.TB, text string) jsonv.Object {
	t.Helper()
	o, err := jsonv.DecodeObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return o
}

const someone = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"A1","externalId":"Ext","userName":"Ann@x.io","active":true,"age":30,
	"name":{"givenName":"Ann","familyName":"Bee"},"emails":[{"value":"ann@x.io","type":"work","primary":true},{"value":"ann@home.io","type":"home"}],
	"meta":{"created":"2024-01-01T00:00:00.000Z"},
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"Acme"}}`

func TestFiltersMatchAsTheProtocolSays(t *testing.T) {
	t.Parallel()
	resource := object(t, someone)
	for text, want := range map[string]bool{
		``:                                      true,
		`userName eq "ann@X.io"`:                true,
		`USERNAME Eq "bob@x.io"`:                false,
		`id eq "a1"`:                            false,
		`id eq "A1"`:                            true,
		`externalId ne "Ext"`:                   false,
		`title ne "x"`:                          true,
		`title eq null`:                         true,
		`title pr`:                              false,
		`name pr`:                               false,
		`name.givenName pr`:                     true,
		`name.familyName co "e"`:                true,
		`userName sw "ann" and active eq true`:  true,
		`userName ew ".org" or active eq false`: false,
		`active eq false or userName pr and id eq "A1"`:              true,
		`(active eq false or userName pr) and id eq "B"`:             false,
		`not (active eq false)`:                                      true,
		`emails eq "ann@home.io"`:                                    true,
		`emails.type eq "other"`:                                     false,
		`emails[type eq "work" and value co "home"]`:                 false,
		`emails[type eq "home" and value co "home"]`:                 true,
		`emails[not (type eq "work")]`:                               true,
		`age gt 29 and age le 30`:                                    true,
		`age lt 30`:                                                  false,
		`age eq "30"`:                                                false,
		`meta.created ge "2024-01-01T00:00:00.000Z"`:                 true,
		`meta.created lt "2024-01-01T00:00:00.000Z"`:                 false,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`:    true,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"`: true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization eq "acme"`: true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`:          false,
		`userName eq "a \"quoted\" text"`:                                                   false,
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f == nil || f.match(resource); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestFiltersThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`userName`, `userName eq`, `userName is "x"`, `userName eq "x`, `userName eq x`, `eq "x"`, `(userName pr`, `userName pr)`, `userName pr and`,
		`emails[type eq "x"`, `emails[]`, `not userName pr`, `not (`, `"userName" eq "x"`, `userName eq {}`, `userName eq []`, `a.b.c eq 1`, `or`,
	} {
		_, err := parseFilter(text)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Status != 400 || f.Code != invalidFilter && f.Code != invalidPath {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPatchesChangeWhatTheyName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, op, after string }{
		{`{"a":"1"}`, `{"op":"replace","path":"A","value":"2"}`, `{"a":"2"}`},
		{`{}`, `{"op":"Add","path":"b","value":1}`, `{"b":1}`},
		{`{"a":1,"b":2}`, `{"op":"REMOVE","path":"a"}`, `{"b":2}`},
		{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","path":"name.familyName","value":"C"}`, `{"name":{"givenName":"A","familyName":"C"}}`},
		{`{}`, `{"op":"replace","path":"name.familyName","value":"C"}`, `{"name":{"familyName":"C"}}`},
		{`{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"remove","path":"name.familyName"}`, `{"name":{"givenName":"A"}}`},
		{`{"name":{"givenName":"A"}}`, `{"op":"replace","path":"name","value":{"familyName":"B"}}`, `{"name":{"givenName":"A","familyName":"B"}}`},
		{`{"name":{"givenName":"A"}}`, `{"op":"replace","value":{"name.givenName":"B","active":false}}`, `{"name":{"givenName":"B"},"active":false}`},
		{`{"members":[{"value":"1"}]}`, `{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"}]}`, `{"members":[{"value":"1"},{"value":"2"}]}`},
		{`{"members":[{"value":"1"}]}`, `{"op":"add","path":"members","value":{"value":"2"}}`, `{"members":[{"value":"1"},{"value":"2"}]}`},
		{`{"members":[{"value":"1"},{"value":"2"}]}`, `{"op":"remove","path":"members[value eq \"1\" or value eq \"3\"]"}`, `{"members":[{"value":"2"}]}`},
		{`{"members":[{"value":"1"},{"value":"2"}]}`, `{"op":"remove","path":"members","value":[{"value":"2"}]}`, `{"members":[{"value":"1"}]}`},
		{`{"members":[{"value":"1"}]}`, `{"op":"replace","path":"members","value":[]}`, `{"members":[]}`},
		{`{"emails":[{"type":"work","value":"a"},{"type":"home","value":"b"}]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"c"}`, `{"emails":[{"type":"work","value":"c"},{"type":"home","value":"b"}]}`},
		{`{}`, `{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"c"}`, `{"emails":[{"type":"work","primary":true,"value":"c"}]}`},
		{`{"emails":[{"type":"work"}]}`, `{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"x"}}`, `{"emails":[{"type":"work","value":"x"}]}`},
		{`{}`, `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization","value":"A"}`, `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"A"}}`},
		{`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"A"}}`, `{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"B"}}}`, `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"B"}}`},
		{`{"id":"1"}`, `{"op":"replace","value":{"id":"2","schemas":[],"displayName":"x"}}`, `{"id":"1","displayName":"x"}`},
	} {
		ops, err := operations(jsonv.Object{"Operations": []any{object(t, c.op)}})
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		got := object(t, c.before)
		if err := ops[0].apply(got); err != nil {
			t.Errorf("%s: %v", c.op, err)
		}
		if diff := cmp.Diff(object(t, c.after), got); diff != "" {
			t.Errorf("%s of %s: %s", c.op, c.before, diff)
		}
	}
}

// A filter of any text is read or refused, and one that was read can be asked.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{`userName eq "a"`, `not (a pr) or b[c eq 1 and d.e lt "x"]`, `((((`, `a eq "\u00e9\"`, `urn:ietf:params:scim:schemas:core:2.0:User: eq 1`, "\xff eq 1"} {
		f.Add(text)
	}
	resource := object(f, someone)
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text)
		var refused *fault.Fault
		switch {
		case errors.As(err, &refused):
		case err != nil:
			t.Fatal(err)
		case parsed != nil:
			parsed.match(resource)
		}
	})
}

// A patch of any body is refused or makes a resource that can be written down.
func FuzzPatch(f *testing.F) {
	for _, text := range []string{
		`{"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":1}]}`, `{"Operations":[{"op":"replace","value":{"name":{"a":[]},"emails":{}}}]}`,
		`{"Operations":[{"op":"remove","path":"name.x"},{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]}`,
		`{"Operations":[{"op":"add","path":"a[b pr]","value":{}},{"op":"add","path":"userName.x","value":null}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := jsonv.Decode(text)
		if err != nil {
			return
		}
		ops, err := operations(body)
		resource := object(t, someone)
		for _, op := range ops {
			if err = op.apply(resource); err != nil {
				break
			}
		}
		var refused *fault.Fault
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if _, err := jsonv.DecodeObject(jsonv.Encode(resource)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (&Request{}).person(resource); err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
	})
}
