package ident_test

import (
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/ident"
)

func TestEmailsOfOneUserDifferInLetterCaseOnly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"ann@b.co", "ANN@B.co", true},
		{"Éva@b.co", "éva@b.co", true},
		{"boss@b.co", "boſs@b.co", false},
		{"kim@b.co", "\u212Aim@b.co", false},
		{"admin@b.co", "admİn@b.co", false},
		{"admin@b.co", "admın@b.co", false},
		{"Éva@b.co", "E\u0301va@b.co", false},
		{"paypal@b.co", "pаypal@b.co", false},
		{"ann@b.co", "ann@b.com", false},
	} {
		if got := ident.SameEmail(tt.a, tt.b); got != tt.same {
			t.Errorf("SameEmail(%+q, %+q) = %t", tt.a, tt.b, got)
		}
		if ident.Email(ident.Email(tt.b)) != ident.Email(tt.b) {
			t.Errorf("Email(%+q) is not kept as it is", tt.b)
		}
	}
}
