package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// client is a plain HTTP client of a portal in another process.
type client struct {
	t     *testing.T
	url   string
	token string
	http  *http.Client
}

func newClient(t *testing.T, url, id, secret string) *client {
	t.Helper()
	c := &client{t: t, url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(c.http.CloseIdleConnections)
	body := string(jsonv.Encode(jsonv.Object{"clientId": id, "clientSecret": secret}))
	c.token = jsonv.String(c.must(http.MethodPost, "/v1/auth/access_token", body), "accessToken")
	return c
}

func (c *client) do(ctx context.Context, method, path, body string) (int, jsonv.Object, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err
	}
	answer, err := jsonv.DecodeObject(text)
	if err != nil {
		return 0, nil, fmt.Errorf("%d %s: %w", resp.StatusCode, text, err)
	}
	return resp.StatusCode, answer, nil
}

func (c *client) must(method, path, body string) jsonv.Object {
	c.t.Helper()
	status, answer, err := c.do(c.t.Context(), method, path, body)
	if err != nil || status >= 300 {
		c.t.Fatalf("%s %s: %v %d %v", method, path, err, status, answer)
	}
	return answer
}
