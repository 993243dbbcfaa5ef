package portal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Seed writes {"blueprints": [...], "entities": [...]} in that order, all or
// nothing. The bodies are those of the API; an entity names its blueprint. What
// exists already is overridden.
func (p *Portal) Seed(ctx context.Context, r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	seed, err := jsonv.DecodeObject(text)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	who := p.identity.Machine()
	actor := catalog.Actor{Org: who.Org, ID: who.ID, UserAgent: "seed"}
	return p.store.Update(ctx, func(tx store.Tx) error {
		for i, body := range jsonv.List(seed, "blueprints") {
			if err := p.seedBlueprint(ctx, tx, actor, body); err != nil {
				return fmt.Errorf("seed: blueprint %d: %w", i, err)
			}
		}
		for i, body := range jsonv.List(seed, "entities") {
			_, _, err := p.catalog.CreateEntity(ctx, tx, actor, jsonv.String(body, "blueprint"), body, catalog.WriteOptions{Upsert: true})
			if err != nil {
				return fmt.Errorf("seed: entity %d: %w", i, err)
			}
		}
		return nil
	})
}

func (p *Portal) seedBlueprint(ctx context.Context, tx store.Tx, actor catalog.Actor, body any) error {
	_, err := p.catalog.CreateBlueprint(ctx, tx, actor, body)
	var taken *fault.Fault
	if errors.As(err, &taken) && taken.Status == http.StatusConflict {
		_, err = p.catalog.PutBlueprint(ctx, tx, actor, jsonv.String(body, "identifier"), body)
	}
	return err
}
