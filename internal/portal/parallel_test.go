package portal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/portaltest"
)

// Exporters open a hundred connections at once (reference/clients.md §0).
// rows: cl C39
func TestAHundredConnectionsStoreEveryRowOnce(t *testing.T) {
	t.Parallel()
	p := portaltest.Start(t, portaltest.Options{DataFile: filepath.Join(t.TempDir(), "portal.db"), Seed: `{"blueprints":[
		{"identifier":"service","title":"Service","schema":{"properties":{"n":{"type":"number"}}}}]}`})
	const connections, rows = 100, 5
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}}
	t.Cleanup(client.CloseIdleConnections)
	url, token := p.URL()+"/v1/blueprints/service/entities/bulk?upsert=true&merge=true", p.Token()
	begin := make(chan struct{})
	var wait sync.WaitGroup
	for c := range connections {
		wait.Go(func() {
			var batch []any
			for n := range rows { // neighbours write the same rows
				row := fmt.Sprint("row-", (c/2)*rows+n)
				batch = append(batch, jsonv.Object{"identifier": row, "blueprint": "service", "properties": jsonv.Object{"n": jsonv.Int(n)}})
			}
			<-begin
			if err := postBulk(client, url, token, jsonv.Encode(jsonv.Object{"entities": batch}), rows); err != nil {
				t.Errorf("connection %d: %v", c, err)
			}
		})
	}
	close(begin)
	wait.Wait()
	found := map[string]int{}
	for _, e := range jsonv.List(p.Must(http.MethodGet, "/v1/blueprints/service/entities", nil), "entities") {
		found[jsonv.String(e, "identifier")]++
	}
	if len(found) != connections/2*rows {
		t.Errorf("%d rows are stored, want %d", len(found), connections/2*rows)
	}
	for row, times := range found {
		if times != 1 {
			t.Errorf("%s is stored %d times", row, times)
		}
	}
}

func postBulk(client *http.Client, url, token string, body []byte, rows int) error {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	said, err := jsonv.DecodeObject(text)
	if err != nil || response.StatusCode != http.StatusOK || len(jsonv.List(said, "entities")) != rows {
		return fmt.Errorf("status %d: %s (%w)", response.StatusCode, text, err)
	}
	return nil
}
