package scim

import (
	"strings"
	"time"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/identity"
)

type users struct{ identity *identity.Identity }

func (u users) all(r *Request, f filter) ([]jsonv.Object, error) {
	people, err := u.candidates(r, f)
	if err != nil {
		return nil, err
	}
	out := make([]jsonv.Object, len(people))
	for n, p := range people {
		out[n] = userResource(p)
	}
	return out, nil
}

// candidates looks one user up where the filter names one.
func (u users) candidates(r *Request, f filter) ([]identity.Person, error) {
	for _, path := range []string{"userName", "emails.value", "emails"} {
		if email, ok := equals(f, path); ok {
			p, ok, err := u.identity.PersonByEmail(r.Tx, ident.Email(email))
			if err != nil || !ok {
				return nil, err
			}
			return []identity.Person{p}, nil
		}
	}
	return u.identity.People(r.Tx)
}

func (u users) read(r *Request) (jsonv.Object, error) {
	p, err := u.identity.PersonByID(r.Tx, r.ID)
	if err != nil {
		return nil, err
	}
	return userResource(p), nil
}

func (u users) create(r *Request, resource jsonv.Object) (jsonv.Object, error) {
	p, e, err := r.person(resource)
	if err != nil {
		return nil, err
	}
	if p, err = u.identity.Provision(r.Ctx, e, p); err != nil {
		return nil, err
	}
	return userResource(p), nil
}

func (u users) replace(r *Request, resource jsonv.Object) (jsonv.Object, error) {
	p, e, err := r.person(resource)
	if err != nil {
		return nil, err
	}
	if p, _, err = u.identity.Reprovision(r.Ctx, e, r.ID, p); err != nil {
		return nil, err
	}
	return userResource(p), nil
}

func (u users) remove(r *Request) error {
	return u.identity.Unassign(r.Ctx, r.event(nil), r.ID)
}

// event is what a body says about when it happened: that of a change which waited
// at the provider is older than what came since.
func (r *Request) event(resource jsonv.Object) identity.Event {
	e := identity.Event{Tx: r.Tx, Actor: r.Actor}
	meta, _ := member(resource, "meta").(jsonv.Object)
	if at, ok := jsonv.ParseTime(textOf(meta, "lastModified")); ok {
		e.At = at.UTC().Truncate(time.Millisecond)
	}
	return e
}

// person reads a resource. One provider spells booleans as texts.
func (r *Request) person(resource jsonv.Object) (identity.Person, identity.Event, error) {
	p := identity.Person{
		ExternalID: textOf(resource, "externalId"), Email: strings.TrimSpace(textOf(resource, "userName")), Active: true,
		Phone: primary(resource, "phoneNumbers"), Picture: primary(resource, "photos"),
	}
	switch active := member(resource, "active").(type) {
	case nil:
	case bool:
		p.Active = active
	case string:
		if !strings.EqualFold(active, "true") && !strings.EqualFold(active, "false") {
			return p, identity.Event{}, refuse(invalidValue, "active must be true or false")
		}
		p.Active = strings.EqualFold(active, "true")
	default:
		return p, identity.Event{}, refuse(invalidValue, "active must be true or false")
	}
	if !strings.Contains(p.Email, "@") {
		// The name may be another one than the address.
		p.Email = primary(resource, "emails")
	}
	if p.Email == "" {
		return p, identity.Event{}, refuse(invalidValue, "userName must be an e-mail address, or emails must hold one")
	}
	name, _ := member(resource, "name").(jsonv.Object)
	p.FirstName, p.LastName = strings.TrimSpace(textOf(name, "givenName")), strings.TrimSpace(textOf(name, "familyName"))
	if p.FirstName == "" && p.LastName == "" {
		whole := textOf(name, "formatted")
		if whole == "" {
			whole = textOf(resource, "displayName")
		}
		if !ident.SameEmail(whole, p.Email) {
			p.FirstName, p.LastName, _ = strings.Cut(strings.TrimSpace(whole), " ")
		}
	}
	enterprise, _ := member(resource, enterpriseSchema).(jsonv.Object)
	p.Company = textOf(enterprise, "organization")
	return p, r.event(resource), nil
}

func userResource(p identity.Person) jsonv.Object {
	out := jsonv.Object{
		"schemas": []any{userSchema}, "id": p.ID, "userName": p.Email, "active": p.Active,
		"emails": []any{jsonv.Object{"value": p.Email, "type": "work", "primary": true}},
		"meta":   metaOf("User", "Users", p.ID, p.Created, p.Updated),
	}
	name := jsonv.Object{}
	if p.FirstName != "" {
		name["givenName"] = p.FirstName
	}
	if p.LastName != "" {
		name["familyName"] = p.LastName
	}
	if whole := strings.TrimSpace(p.FirstName + " " + p.LastName); whole != "" {
		out["displayName"], name["formatted"], out["name"] = whole, whole, name
	}
	if p.ExternalID != "" {
		out["externalId"] = p.ExternalID
	}
	if p.Phone != "" {
		out["phoneNumbers"] = []any{jsonv.Object{"value": p.Phone, "type": "work"}}
	}
	if p.Picture != "" {
		out["photos"] = []any{jsonv.Object{"value": p.Picture, "type": "photo"}}
	}
	if p.Company != "" {
		out["schemas"] = []any{userSchema, enterpriseSchema}
		out[enterpriseSchema] = jsonv.Object{"organization": p.Company}
	}
	if len(p.Groups) > 0 {
		groups := make([]any, len(p.Groups))
		for n, g := range p.Groups {
			groups[n] = jsonv.Object{"value": g.ID, "display": g.Name, "$ref": Base + "/Groups/" + g.ID, "type": "direct"}
		}
		out["groups"] = groups
	}
	return out
}

func metaOf(kind, path, id, created, updated string) jsonv.Object {
	return jsonv.Object{"resourceType": kind, "created": created, "lastModified": updated, "location": Base + "/" + path + "/" + escape(id)}
}
