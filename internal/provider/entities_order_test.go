package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntitiesFollowWhatTheyNeed(t *testing.T) {
	t.Parallel()
	optional, required := false, true
	for name, c := range map[string]struct {
		needs needs
		want  []string
	}{
		"nothing":                    {nil, []string{"a", "b", "c", "d"}},
		"a chain":                    {needs{"a": {"b": optional}, "b": {"c": required}}, []string{"c", "d", "b", "a"}},
		"levels":                     {needs{"a": {"d": optional}, "b": {"d": optional}}, []string{"c", "d", "a", "b"}},
		"a circle":                   {needs{"a": {"b": optional}, "b": {"a": optional}, "c": {"a": optional}}, []string{"a", "b", "d", "c"}},
		"a circle with a must":       {needs{"a": {"b": required}, "b": {"a": optional}}, []string{"b", "a", "c", "d"}},
		"a circle of three":          {needs{"a": {"b": optional}, "b": {"c": required}, "c": {"a": optional}, "d": {"c": optional}}, []string{"a", "c", "b", "d"}},
		"what stands outside counts": {needs{"a": {"elsewhere": required}}, []string{"a", "b", "c", "d"}},
	} {
		if diff := cmp.Diff(c.want, ordered([]string{"d", "c", "b", "a"}, c.needs)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A long chain, one circle and one star of many are ordered at once.
func TestOrderingThousandsIsLinear(t *testing.T) {
	t.Parallel()
	const many = 20000
	name := func(i int) string { return fmt.Sprintf("e%05d", i%many) }
	chain, circle, star := needs{}, needs{}, needs{}
	var ids []string
	for i := range many {
		ids = append(ids, name(i))
		if i+1 < many {
			chain[name(i)] = map[string]bool{name(i + 1): false}
		}
		circle[name(i)] = map[string]bool{name(i + 1): false}
		star[name(i)] = map[string]bool{name(many - 1): false}
	}
	if got := ordered(ids, chain); got[0] != name(many-1) || got[many-1] != name(0) {
		t.Errorf("chain: %s … %s", got[0], got[many-1])
	}
	if got := ordered(ids, circle); len(got) != many {
		t.Errorf("circle: %d", len(got))
	}
	delete(star, name(many-1))
	if got := ordered(ids, star); got[0] != name(many-1) {
		t.Errorf("star: %s first", got[0])
	}
}

func TestBatchesRunAfterThoseTheyNeed(t *testing.T) {
	t.Parallel()
	n := needs{"c": {"a": false}, "e": {"d": false}, "f": {"c": false, "b": false}}
	batches := inBatches([]string{"a", "b", "c", "d", "e", "f"}, 1)
	var mu sync.Mutex
	done := map[string]bool{}
	inParallel(context.Background(), batches, n, func(batch []string) bool {
		mu.Lock()
		defer mu.Unlock()
		for other := range n[batch[0]] {
			if !done[other] {
				t.Errorf("%s ran before %s", batch[0], other)
			}
		}
		done[batch[0]] = true
		return true
	})
	if got := slices.Sorted(maps.Keys(done)); len(got) != len(batches) {
		t.Errorf("ran %v", got)
	}
	// Once it makes no sense to go on, nothing new begins.
	ran := 0
	inParallel(context.Background(), inBatches([]string{"a", "c", "f"}, 1), n, func([]string) bool { ran++; return false })
	if ran != 1 {
		t.Errorf("%d batches ran after the first said stop", ran-1)
	}
	inParallel(context.Background(), nil, nil, func([]string) bool { t.Error("there is nothing to run"); return true })
}
