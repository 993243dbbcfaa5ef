package ident_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/portal/ident"
)

func TestIdentifiersHaveTheShapesClientsExpect(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]ident.Source{"random": ident.Random(), "seeded": ident.Seeded(1)} {
		for shape, got := range map[string]string{
			`^e_[A-Za-z0-9]{16}$`: s.Entity(),
			`^r_[A-Za-z0-9]{16}$`: s.Run(),
			`^m_[A-Za-z0-9]{16}$`: s.Migration(),
			`^[0-9a-f]{32}$`:      s.Trace(),
			`^[A-Za-z0-9]{40}$`:   s.Alphanumeric(40),
		} {
			if !regexp.MustCompile(shape).MatchString(got) {
				t.Errorf("%s: %q does not match %s", name, got, shape)
			}
		}
	}
}

func TestSameSeedGivesSameSequence(t *testing.T) {
	t.Parallel()
	a, b, other := ident.Seeded(7), ident.Seeded(7), ident.Seeded(8)
	for range 10 {
		x, y := a.Entity(), b.Entity()
		if x != y || x == other.Entity() {
			t.Fatalf("%s and %s", x, y)
		}
	}
}

func TestConcurrentDrawsNeverRepeat(t *testing.T) {
	t.Parallel()
	for _, s := range []ident.Source{ident.Random(), ident.Seeded(1)} {
		var seen sync.Map
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 500 {
					if id := s.Trace(); !addNew(&seen, id) {
						t.Errorf("%s was drawn twice", id)
					}
				}
			})
		}
		wg.Wait()
	}
}

func addNew(seen *sync.Map, id string) bool {
	_, old := seen.LoadOrStore(id, true)
	return !old
}

func TestEveryCharacterIsDrawnAboutEquallyOften(t *testing.T) {
	t.Parallel()
	counts := map[rune]int{}
	for _, c := range ident.Seeded(3).Alphanumeric(62_000) {
		counts[c]++
	}
	for c, n := range counts {
		if n < 800 || n > 1200 {
			t.Errorf("%q came %d times of 62,000, want about 1,000", c, n)
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d characters, want 62", len(counts))
	}
}
