package identity

import (
	"context"
	"errors"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/clock"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// Person is a user as an identity provider manages users (reference/identity.md §8.2).
type Person struct {
	ID, ExternalID             string
	Email, FirstName, LastName string
	Phone, Picture, Company    string
	Active                     bool
	// Groups, Created and Updated are told and never taken.
	Groups           []Group
	Created, Updated string
}

// Event is one event of an identity provider.
type Event struct {
	Tx    store.Tx
	Actor catalog.Actor
	// At is when it happened at the provider; zero is now.
	At time.Time
}

// through makes an event one of the provider's. None is from the future: the next
// one would count as older.
func (i *Identity) through(e *Event) {
	e.Actor.Through, e.Actor.User = ThroughSCIM, ""
	if now := i.clock.Now(); e.At.IsZero() || e.At.After(now) {
		e.At = now
	}
}

// PersonByID reads one user.
func (i *Identity) PersonByID(tx store.Tx, id string) (Person, error) {
	user, err := i.userByID(tx, id)
	if err != nil {
		return Person{}, err
	}
	return i.person(tx, user)
}

// userByID finds the entity of a user by the id of the account.
func (i *Identity) userByID(tx store.Tx, id string) (store.Doc, error) {
	for row, err := range tx.Scan(KindAccount, whereIndexed("id", id), store.Page{Few: 1}, i.org) {
		if err != nil {
			return nil, err
		}
		return i.needUser(tx, row.Key[1])
	}
	// Users of before have an id that follows from their address and no document.
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, i.org, userBlueprint) {
		if err != nil {
			return nil, err
		}
		account, err := i.account(tx, jsonv.String(row.Doc, "identifier"))
		if err != nil || jsonv.String(account, "id") == id {
			return row.Doc, err
		}
	}
	return nil, fault.NotFound("User", id)
}

// PersonByEmail finds a user; false when there is none.
func (i *Identity) PersonByEmail(tx store.Tx, email string) (p Person, ok bool, err error) {
	user, err := i.user(tx, email)
	if err != nil || user == nil || isServiceAccount(user) {
		return p, false, err
	}
	p, err = i.person(tx, user)
	return p, true, err
}

// People are the users that are humans, in order of their creation. Service accounts
// are nobody that an identity provider knows.
func (i *Identity) People(tx store.Tx) ([]Person, error) {
	var people []Person
	for row, err := range tx.Scan(catalog.KindEntity, nil, store.Page{}, i.org, userBlueprint) {
		if err != nil {
			return nil, err
		}
		if isServiceAccount(row.Doc) {
			continue
		}
		p, err := i.person(tx, row.Doc)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

func (i *Identity) person(tx store.Tx, user store.Doc) (Person, error) {
	email := jsonv.String(user, "identifier")
	account, err := i.account(tx, email)
	if err != nil {
		return Person{}, err
	}
	p := Person{
		ID: jsonv.String(account, "id"), ExternalID: jsonv.String(account, "externalId"), Email: email,
		Phone: jsonv.String(account, "phoneNumber"), Picture: jsonv.String(account, "picture"), Company: jsonv.String(account, "companyId"),
		Active:  jsonv.String(i.properties(user), "status") != statusDisabled,
		Created: jsonv.String(user, "createdAt"), Updated: jsonv.String(user, "updatedAt"),
	}
	p.FirstName, p.LastName = Names(user)
	for _, id := range jsonv.Strings(user["team"]) {
		t, ok, err := i.teamByID(tx, i.org, id)
		if err != nil {
			return p, err
		}
		if ok && t.managed() {
			p.Groups = append(p.Groups, Group{ID: t.id, Name: t.name()})
		}
	}
	return p, nil
}

// Provision creates a user, who can log in at once.
func (i *Identity) Provision(ctx context.Context, e Event, p Person) (Person, error) {
	i.through(&e)
	p.Email = ident.Email(p.Email)
	if !isEmail(p.Email) || ofServiceAccount(p.Email) {
		return p, invalidAt("/userName", "must be the e-mail address of a human")
	}
	if user, err := i.user(e.Tx, p.Email); err != nil || user != nil {
		if err == nil {
			err = fault.Taken("User", p.Email)
		}
		return p, err
	}
	body := jsonv.Object{
		"identifier": p.Email, "title": Title(p.FirstName, p.LastName),
		"properties": jsonv.Object{"status": statusActive, "port_role": access.RoleMember},
	}
	if !p.Active {
		body["properties"] = jsonv.Object{"status": statusDisabled, "port_role": access.RoleMember}
	}
	if _, _, err := i.catalog.CreateEntity(ctx, e.Tx, e.Actor, userBlueprint, body, catalog.WriteOptions{}); err != nil {
		return p, err
	}
	if err := i.provisionedBy(e, p); err != nil {
		return p, err
	}
	p, _, err := i.PersonByEmail(e.Tx, p.Email)
	return p, err
}

// provisionedBy notes what the provider said of a user. From now on these fields are
// the provider's.
func (i *Identity) provisionedBy(e Event, p Person) error {
	return i.putAccount(e.Tx, p.Email, func(doc store.Doc) {
		doc["managedByScim"], doc["scimUpdatedAt"] = true, clock.Stamp(e.At)
		for key, value := range map[string]string{
			"externalId": p.ExternalID, "phoneNumber": p.Phone, "picture": p.Picture, "companyId": p.Company,
		} {
			if doc[key] = value; value == "" {
				delete(doc, key)
			}
		}
	})
}

// Reprovision changes a user to what the provider says; gone tells that the user was
// unassigned, which takes them out of the organization. An event that is older than
// the last one of the user changes nothing. What the user may do is for the
// organization to say.
func (i *Identity) Reprovision(ctx context.Context, e Event, id string, p Person) (now Person, gone bool, err error) {
	i.through(&e)
	p.Email = ident.Email(p.Email)
	user, err := i.userByID(e.Tx, id)
	if err != nil {
		return p, false, err
	}
	email := jsonv.String(user, "identifier")
	account, err := i.account(e.Tx, email)
	if err != nil {
		return p, false, err
	}
	was, err := i.person(e.Tx, user)
	if err != nil || jsonv.String(account, "scimUpdatedAt") > clock.Stamp(e.At) {
		return was, false, err
	}
	if was.Active && !p.Active {
		gone, err := i.unassign(ctx, e, email)
		if err == nil && !gone {
			was, err = i.PersonByID(e.Tx, id)
		}
		was.Active = false
		return was, gone, err
	}
	if !isEmail(p.Email) || ofServiceAccount(p.Email) {
		return p, false, invalidAt("/userName", "must be the e-mail address of a human")
	}
	body := jsonv.Object{}
	if p.Email != email {
		body["identifier"] = p.Email
	}
	if was.FirstName != p.FirstName || was.LastName != p.LastName {
		if body["title"] = Title(p.FirstName, p.LastName); body["title"] == "" {
			body["title"] = p.Email
		}
	}
	if p.Active && !was.Active && jsonv.Bool(account, "initial") {
		body["properties"] = jsonv.Object{"status": statusActive}
	}
	if len(body) > 0 {
		if _, err := i.catalog.PatchEntity(ctx, e.Tx, e.Actor, userBlueprint, email, body, catalog.WriteOptions{}); err != nil {
			return p, false, err
		}
	}
	if err := i.provisionedBy(e, p); err != nil {
		return p, false, err
	}
	now, err = i.PersonByID(e.Tx, id)
	return now, false, err
}

// Unassign takes a user out of the organization.
func (i *Identity) Unassign(ctx context.Context, e Event, id string) error {
	i.through(&e)
	user, err := i.userByID(e.Tx, id)
	if err != nil {
		return err
	}
	_, err = i.unassign(ctx, e, jsonv.String(user, "identifier"))
	return err
}

// unassign deletes a user. Entities that require the user are not the provider's to
// delete: as long as there are some, the user stays and is shut out.
func (i *Identity) unassign(ctx context.Context, e Event, email string) (gone bool, err error) {
	err = i.catalog.DeleteEntity(ctx, e.Tx, e.Actor, userBlueprint, email, catalog.DeleteOptions{})
	if !failed(err, "has_dependents") {
		return err == nil, err
	}
	body := jsonv.Object{"properties": jsonv.Object{"status": statusDisabled}}
	_, err = i.catalog.PatchEntity(ctx, e.Tx, e.Actor, userBlueprint, email, body, catalog.WriteOptions{})
	return false, err
}

// userRenamed takes what belongs to a user along to a new address, which only the
// provider gives. Credentials stay: their id is what their holder knows.
func (i *Identity) userRenamed(tx store.Tx, was, is string) error {
	account, err := i.account(tx, was)
	if err != nil {
		return err
	}
	if err := tx.Delete(KindAccount, i.org, was); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := tx.Put(KindAccount, account, i.org, is); err != nil {
		return err
	}
	if err := i.moveCredentials(tx, was, is); err != nil {
		return err
	}
	return i.access.Renamed(tx, i.org, access.AssigneeUser, was, is)
}

// moveCredentials hands credentials on. Tokens end: they name the old address.
func (i *Identity) moveCredentials(tx store.Tx, was, is string) error {
	if err := i.endTokens(tx, was); err != nil {
		return err
	}
	id, doc, err := i.held(tx, was)
	if err != nil || id == "" {
		return err
	}
	if err := tx.Delete(KindHolder, i.org, ident.Email(was)); err != nil {
		return err
	}
	if doc == nil {
		return nil
	}
	doc = jsonv.CloneObject(doc)
	doc["owner"] = is
	if err := tx.Put(KindCredentials, doc, i.org, id); err != nil {
		return err
	}
	return tx.Put(KindHolder, store.Doc{"clientId": id}, i.org, is)
}
