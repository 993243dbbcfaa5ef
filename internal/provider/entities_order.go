package provider

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// needs says for each entity of a write which others of it must be there first,
// and whether it can do without them for a while.
type needs map[string]map[string]bool // entity → other entity → required

// ordered lists entities so that each follows those it needs, as far as that is
// possible, in levels: what does not depend on each other stands together, so
// that batches can run at the same time. Entities that need each other in a
// circle stand one after the other, ordered by their required needs.
func ordered(ids []string, n needs) []string {
	circles := circlesOf(ids, n)
	home := map[string]int{}
	at := make([]int, len(circles))  // levels
	for i, circle := range circles { // needs come first in this order
		for _, id := range circle {
			home[id] = i
		}
		for _, id := range circle {
			for other := range n[id] {
				if j, ok := home[other]; ok && j != i {
					at[i] = max(at[i], at[j]+1)
				}
			}
		}
	}
	order := make([]int, len(circles))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if at[a] != at[b] {
			return at[a] - at[b]
		}
		if circles[a][0] < circles[b][0] {
			return -1
		}
		return 1
	})
	out := make([]string, 0, len(ids))
	for _, i := range order {
		out = append(out, circles[i]...)
	}
	return out
}

// circlesOf are the strongly connected components (Tarjan), each after those it
// needs; all but those of mutual needs hold one entity.
func circlesOf(ids []string, n needs) [][]string {
	t := &tarjan{needs: n, all: map[string]bool{}, index: map[string]int{}, low: map[string]int{}, open: map[string]bool{}}
	ids = slices.Sorted(slices.Values(ids))
	for _, id := range ids {
		t.all[id] = true
	}
	for _, id := range ids {
		if t.index[id] == 0 {
			t.visit(id)
		}
	}
	return t.out
}

type tarjan struct {
	needs      needs
	all, open  map[string]bool
	index, low map[string]int // from 1
	stack      []string
	out        [][]string
}

func (t *tarjan) visit(id string) {
	t.index[id] = len(t.index) + 1
	t.low[id] = t.index[id]
	t.stack, t.open[id] = append(t.stack, id), true
	for _, other := range slices.Sorted(maps.Keys(t.needs[id])) {
		switch {
		case !t.all[other]:
		case t.index[other] == 0:
			t.visit(other)
			t.low[id] = min(t.low[id], t.low[other])
		case t.open[other]:
			t.low[id] = min(t.low[id], t.index[other])
		}
	}
	if t.low[id] != t.index[id] {
		return
	}
	i := len(t.stack) - 1
	for t.stack[i] != id {
		i--
	}
	circle := slices.Clone(t.stack[i:])
	t.stack = t.stack[:i]
	for _, member := range circle {
		delete(t.open, member)
	}
	if len(circle) > 1 {
		circle = byRequired(circle, t.needs)
	}
	t.out = append(t.out, circle)
}

// byRequired orders the members of a circle by what they cannot do without.
func byRequired(circle []string, n needs) []string {
	inside, must := map[string]bool{}, needs{}
	for _, id := range circle {
		inside[id] = true
	}
	for _, id := range circle {
		for other, required := range n[id] {
			if required && inside[other] {
				if must[id] == nil {
					must[id] = map[string]bool{}
				}
				must[id][other] = true
			}
		}
	}
	var out []string
	done := map[string]bool{}
	var put func(id string)
	put = func(id string) {
		if done[id] {
			return
		}
		done[id] = true
		for _, other := range slices.Sorted(maps.Keys(must[id])) {
			put(other)
		}
		out = append(out, id)
	}
	for _, id := range slices.Sorted(slices.Values(circle)) {
		put(id)
	}
	return out
}

// inBatches cuts a list.
func inBatches(ids []string, size int) [][]string {
	return slices.Collect(slices.Chunk(ids, size))
}

// bulkWorkers is how many bulk calls are under way at a time; Terraform itself
// walks ten resources.
const bulkWorkers = 8

// inParallel runs batches, each after the batches that hold what it needs. When
// run reports that going on makes no sense, the batches that did not begin are
// left out.
func inParallel(ctx context.Context, batches [][]string, n needs, run func(batch []string) (goOn bool)) {
	home := map[string]int{}
	for i, batch := range batches {
		for _, id := range batch {
			home[id] = i
		}
	}
	waiting, followers := make([]int, len(batches)), make([][]int, len(batches))
	for i, batch := range batches {
		before := map[int]bool{}
		for _, id := range batch {
			for other := range n[id] {
				if j, ok := home[other]; ok && j < i {
					before[j] = true
				}
			}
		}
		waiting[i] = len(before)
		for j := range before {
			followers[j] = append(followers[j], i)
		}
	}
	ready := make(chan int, len(batches))
	for i := range batches {
		if waiting[i] == 0 {
			ready <- i
		}
	}
	var mu sync.Mutex
	left, stopped := len(batches), false
	if left == 0 {
		return
	}
	var wait sync.WaitGroup
	for range min(bulkWorkers, len(batches)) {
		wait.Go(func() {
			for i := range ready {
				mu.Lock()
				skip := stopped || ctx.Err() != nil
				mu.Unlock()
				goOn := skip || run(batches[i])
				mu.Lock()
				stopped = stopped || !goOn
				for _, j := range followers[i] {
					if waiting[j]--; waiting[j] == 0 {
						ready <- j
					}
				}
				if left--; left == 0 {
					close(ready)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
}
