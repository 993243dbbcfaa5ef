package store

import "testing"

func TestTheCacheStaysInItsBoundsAndKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	c := newCache(1000)
	c.put(0, Doc{"hot": true}, 10)
	for i := int64(1); i <= 10_000; i++ {
		c.put(i, Doc{}, 10)
		if _, ok := c.get(0); !ok {
			t.Fatalf("the hot document is gone after %d others", i)
		}
		if n := len(c.young) + len(c.old); n > 100 {
			t.Fatalf("%d documents of 10 bytes in 1000", n)
		}
	}
	if _, ok := c.get(9999); !ok {
		t.Error("a recent document is gone")
	}
	if _, ok := c.get(5); ok {
		t.Error("an old document is still there")
	}
	c.put(-1, Doc{}, 501)
	if _, ok := c.get(-1); ok {
		t.Error("one document takes more than its share")
	}
}

func TestAScanDoesNotPushOutOtherDocuments(t *testing.T) {
	t.Parallel()
	c := newCache(1000)
	c.put(0, Doc{}, 10)
	for round := range 3 {
		hits := 0
		for i := int64(1); i <= 1000; i++ {
			if _, ok := c.peek(i); ok {
				hits++
			} else {
				c.offer(i, Doc{}, 10)
			}
		}
		if round > 0 && hits < 40 {
			t.Errorf("round %d: %d hits", round, hits)
		}
	}
	if _, ok := c.peek(0); !ok {
		t.Error("the scan pushed it out")
	}
}
