package portal_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// TestABackendThatHangsDelaysNeitherOtherBackendsNorTheAPILong: the runs of more actions
// than there are places for deliveries wait for one host. Those of another host go on,
// in the order in which they were made.
func TestABackendThatHangsDelaysNeitherOtherBackendsNorTheAPILong(t *testing.T) {
	t.Parallel()
	if os.Getenv("PORT_LONG") == "" {
		t.Skip("set PORT_LONG=1")
	}
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hangs.Close()
	defer close(release)
	var mu sync.Mutex
	var came []string
	arrived := make(chan struct{}, 100)
	quick := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		came = append(came, r.Header.Get("X-Port-Run-Id"))
		mu.Unlock()
		arrived <- struct{}{}
	}))
	defer quick.Close()

	p := portaltest.Start(t, portaltest.Options{RealClock: true, RealCalls: true, Unchecked: true})
	const many, few = 1200, 20
	to := func(url string) jsonv.Object {
		return jsonv.Object{"invocationMethod": jsonv.Object{"type": "WEBHOOK", "url": url}}
	}
	for n := range many {
		id := fmt.Sprint("slow", n)
		makeAction(p, id, to(hangs.URL))
		execute(p, id)
	}
	makeAction(p, "quick", to(quick.URL))
	began := time.Now()
	var made []string
	for range few {
		made = append(made, jsonv.String(execute(p, "quick").Body, "run", "id"))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d requests took %s", few, took)
	}
	late := time.After(20 * time.Second)
	for n := range few {
		select {
		case <-arrived:
		case <-late:
			t.Fatalf("only %d of %d runs of another backend came", n, few)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(came, made) {
		t.Errorf("runs came as %v, were made as %v", came, made)
	}
}
