package lens_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/lens"
	"github.com/portlens/terraform-provider-port/internal/lens/lenstest"
)

// Text of several spellings is sent in one and keeps the one it was written in.
func TestFoldedTextKeepsItsSpelling(t *testing.T) {
	t.Parallel()
	const domain = "@bots.example"
	mail := lens.Folded(strings.ToLower, nil)
	bot := lens.Folded(
		func(s string) string { return strings.TrimSuffix(strings.ToLower(s), domain) + domain },
		func(s string) string { return strings.TrimSuffix(s, domain) },
	)
	codec := lens.MustCompile(
		lens.Field("mail", mail, lens.Req, "Address."),
		lens.Field("bot", bot, lens.Opt, "Bot."),
		lens.Field("members", lens.Set(mail), lens.Opt, "Members."),
	)
	object := func(mail, bot string, members ...string) tftypes.Value {
		return tftypes.NewValue(codec.Type(), lens.Obj{"mail": lens.Str(mail), "bot": lens.Str(bot), "members": tftypes.NewValue(tftypes.Set{ElementType: tftypes.String}, elements(members))})
	}
	written := object("Ann@X.io", "Deploy", "B@x.io", "a@x.io")
	body, err := codec.Put(written, tftypes.Value{})
	if err != nil {
		t.Fatal(err)
	}
	want := lens.Body{"mail": "ann@x.io", "bot": "deploy" + domain, "members": []any{"a@x.io", "b@x.io"}}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("sent:\n%s", diff)
	}
	for name, c := range map[string]struct {
		prior, want tftypes.Value
	}{
		"with a prior": {written, written},
		"without":      {lens.Null(codec.Type()), object("ann@x.io", "deploy", "a@x.io", "b@x.io")},
		"with another": {object("Bob@X.io", "Other"), object("ann@x.io", "deploy", "a@x.io", "b@x.io")},
	} {
		got, err := codec.Get(body, c.prior)
		if err != nil || !lens.Equal(got, c.want) {
			t.Errorf("%s: read as %s (%v)", name, got, err)
		}
	}
	if got := codec.Settle(object("ANN@x.io", "deploy"+domain, "b@x.io", "A@x.io"), written); !lens.Equal(got, written) {
		t.Errorf("another spelling is a change: %s", got)
	}
	if _, err := codec.Get(lens.Body{"mail": true}, written); err == nil {
		t.Error("a flag passes for text")
	}
	lenstest.Laws(t, lens.MustCompile(lens.Field("mail", mail, lens.Req, "Address."), lens.Field("members", lens.Set(mail), lens.Opt, "Members.")),
		lenstest.Wire(`{"mail": "a@x.io", "members": ["b@x.io", "c@x.io"]}`))
}

func elements(texts []string) []tftypes.Value {
	out := make([]tftypes.Value, len(texts))
	for i, s := range texts {
		out[i] = lens.Str(s)
	}
	return out
}
