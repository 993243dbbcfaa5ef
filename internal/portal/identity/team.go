package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// KindTeam holds what a team is beyond its entity: {"id", "provider",
// "externalId"?}. A team of
// before has no such document and is read as one that was made in Port.
const KindTeam store.Kind = "team"

// madeInPort is the provider of teams that no connection brought along
// (reference/identity.md §3.1).
const madeInPort = "port"

// team is a team with both of its faces.
type team struct {
	entity       store.Doc
	id, provider string
	// externalID is how the identity provider calls the group.
	externalID string
}

func (t team) identifier() string { return jsonv.String(t.entity, "identifier") }
func (t team) name() string       { return jsonv.String(t.entity, "title") }

// managed tells whether a connection keeps the team's existence and membership
// (reference/identity.md §3.2).
func (t team) managed() bool { return t.provider != madeInPort }

func managedTeam(name string) error {
	return fault.Protected("team %q is managed by the identity provider: its name, its members and its existence cannot be changed here", name)
}

// teamOf adds what the entity does not say.
func (i *Identity) teamOf(tx store.Tx, org string, entity store.Doc) (team, error) {
	t := team{entity: entity, provider: madeInPort}
	doc, err := tx.Get(KindTeam, org, t.identifier())
	if errors.Is(err, store.ErrNotFound) {
		sum := sha256.Sum256([]byte(org + "\x00" + t.identifier()))
		t.id = teamIDPrefix + hex.EncodeToString(sum[:8])
		return t, nil
	}
	t.id, t.provider, t.externalID = jsonv.String(doc, "id"), jsonv.String(doc, "provider"), jsonv.String(doc, "externalId")
	return t, err
}

const teamIDPrefix = "team_"

func (t team) document() store.Doc {
	doc := store.Doc{"id": t.id, "provider": t.provider}
	if t.externalID != "" {
		doc["externalId"] = t.externalID
	}
	return doc
}

// teamByID finds a team by its identifier.
func (i *Identity) teamByID(tx store.Tx, org, identifier string) (t team, ok bool, err error) {
	entity, err := tx.Get(catalog.KindEntity, org, teamBlueprint, identifier)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, nil
	}
	if err == nil {
		t, err = i.teamOf(tx, org, entity)
	}
	return t, err == nil, err
}

// teamByName finds a team by its name.
func (i *Identity) teamByName(tx store.Tx, org, name string) (t team, ok bool, err error) {
	for row, err := range tx.Scan(catalog.KindEntity, catalog.WhereTitle(name), store.Page{Few: 1}, org, teamBlueprint) {
		if err == nil {
			t, err = i.teamOf(tx, org, row.Doc)
		}
		return t, err == nil, err
	}
	return t, false, nil
}

// admitTeam looks at a write of an entity of _team. What the blueprint is shipped
// with stays as it is unless it is given (reference/identity.md §4.3), and names
// are unique on every way in (§3.1 E4).
func (i *Identity) admitTeam(tx store.Tx, w *catalog.AccountWrite) error {
	if err := teamProperties(w); err != nil {
		return err
	}
	name, _ := w.Title.(string)
	if w.Existing == nil {
		if name == "" {
			name = w.ID
		}
		w.HasTitle, w.Title = true, name
		return i.freeName(tx, w.Actor.Org, name, w.ID)
	}
	t, err := i.teamOf(tx, w.Actor.Org, w.Existing)
	if err != nil {
		return err
	}
	if description := jsonv.Map(w.Existing, "properties")["description"]; !w.Merge && description != nil {
		if _, given := w.Properties["description"]; !given {
			w.Properties["description"] = description
		}
	}
	if name == "" {
		name = t.name()
	}
	w.HasTitle, w.Title = true, name
	if name == t.name() && w.ID == t.identifier() {
		return nil
	}
	if t.managed() && w.Actor.Through != ThroughSCIM {
		return managedTeam(t.name())
	}
	if name == t.name() {
		return nil
	}
	return i.freeName(tx, w.Actor.Org, name, t.identifier())
}

// teamProperties refuses what nobody may give as a property of a team. Only the
// routes of teams can take a description away (reference/identity.md §3.1 E6).
func teamProperties(w *catalog.AccountWrite) error {
	var problems fault.Problems
	if _, given := w.Properties["size"]; given {
		problems = append(problems, fault.Problem{
			Path: jsonv.Pointer("properties", "size"), Property: "size", Message: "is computed from the members and cannot be set",
		})
	}
	if description, given := w.Properties["description"]; given && description == nil && w.Actor.Through == "" {
		problems = append(problems, fault.Problem{
			Path: jsonv.Pointer("properties", "description"), Property: "description", Message: "cannot be null",
		})
	}
	return problems.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch")
}

// freeName refuses the name of another team.
func (i *Identity) freeName(tx store.Tx, org, name, identifier string) error {
	for row, err := range tx.Scan(catalog.KindEntity, catalog.WhereTitle(name), store.Page{Few: 2}, org, teamBlueprint) {
		if err != nil {
			return err
		}
		if jsonv.String(row.Doc, "identifier") != identifier {
			return fault.Taken("Team", name)
		}
	}
	return nil
}

// admitTeamDeletion refuses to delete a team that the identity provider keeps.
func (i *Identity) admitTeamDeletion(tx store.Tx, actor catalog.Actor, doc store.Doc) error {
	t, err := i.teamOf(tx, actor.Org, doc)
	if err == nil && t.managed() && actor.Through != ThroughSCIM {
		err = managedTeam(t.name())
	}
	return err
}

// teamWritten keeps the team's document in step with its entity.
func (i *Identity) teamWritten(tx store.Tx, actor catalog.Actor, before, after store.Doc) error {
	was, is := jsonv.String(before, "identifier"), jsonv.String(after, "identifier")
	if before == nil {
		t := team{id: teamIDPrefix + i.ids.Alphanumeric(16), provider: madeInPort}
		return tx.Put(KindTeam, t.document(), actor.Org, is)
	}
	t, err := i.teamOf(tx, actor.Org, before)
	if err != nil {
		return err
	}
	if was != is {
		if err := tx.Delete(KindTeam, actor.Org, was); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	switch {
	case after == nil:
		return i.access.Forget(tx, actor.Org, access.AssigneeTeam, was)
	case was != is:
		if err := i.access.Renamed(tx, actor.Org, access.AssigneeTeam, was, is); err != nil {
			return err
		}
	}
	return tx.Put(KindTeam, t.document(), actor.Org, is)
}

// teamIdentifier makes the identifier of a team from its name
// (reference/identity.md §4.3).
func (i *Identity) teamIdentifier(tx store.Tx, org, name string) (string, error) {
	base := teamSlug(name)
	for n := 1; ; n++ {
		id := base
		if n > 1 {
			suffix := "_" + strconv.Itoa(n)
			id = cut(base, maxIdentifier-len(suffix)) + suffix
		}
		_, taken, err := i.teamByID(tx, org, id)
		if err != nil || !taken {
			return id, err
		}
	}
}

// maxIdentifier is the length of the longest identifier of an entity.
const maxIdentifier = 1000

func teamSlug(name string) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return '_'
		case unicode.IsLetter(r), '0' <= r && r <= '9', strings.ContainsRune(`@_.+:\/=-`, r):
			return r
		}
		return -1
	}, strings.ToLower(name))
	if slug = cut(slug, maxIdentifier); slices.Contains([]string{"", ".", ".."}, slug) {
		return "team"
	}
	return slug
}

// cut shortens a text to so many characters.
func cut(text string, longest int) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest])
	}
	return text
}
