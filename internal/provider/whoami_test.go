package provider

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portapi"
)

// Tokens of other makers say less than those of the portal.
func TestCallersAreToldFromWhateverTheirTokenSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller  portapi.Caller
		machine bool
		email   string
	}{
		"machine":                        {portapi.Caller{Claims: jsonv.Object{"isMachine": true, "personalToken": false, "https://a/email": ""}}, true, ""},
		"personal":                       {portapi.Caller{Claims: jsonv.Object{"isMachine": false, "personalToken": true, "https://a/email": "ann@x.io"}}, false, "ann@x.io"},
		"logged in":                      {portapi.Caller{Claims: jsonv.Object{"isMachine": false, "personalToken": false, "https://a/email": "ann@x.io"}}, false, "ann@x.io"},
		"older, of a machine":            {portapi.Caller{Claims: jsonv.Object{"personalToken": false}}, true, ""},
		"older, of a person":             {portapi.Caller{Claims: jsonv.Object{"personalToken": true, "email": "ann@x.io"}}, false, "ann@x.io"},
		"silent, of a machine":           {portapi.Caller{ClientID: "60EsooJtOqimlekxrNh7nfr2iOgTcyLZ"}, true, ""},
		"silent, personal credentials":   {portapi.Caller{ClientID: "ann@x.io"}, false, "ann@x.io"},
		"silent, and nothing else known": {portapi.Caller{}, false, ""},
	} {
		if got := isMachine(c.caller); got != c.machine {
			t.Errorf("%s: machine %v", name, got)
		}
		if got := claimedEmail(c.caller); got != c.email {
			t.Errorf("%s: e-mail address %q", name, got)
		}
	}
}
