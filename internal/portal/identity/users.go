package identity

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/catalog"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/ident"
	"github.com/portlens/terraform-provider-port/internal/portal/propschema"
	"github.com/portlens/terraform-provider-port/internal/portal/store"
)

// The kinds of users (reference/identity.md §4.1).
const (
	typeStandard       = "Standard"
	typeServiceAccount = "Service Account"
)

// serviceDomain is that of all service accounts and of nobody else
// (reference/identity.md §5 A2).
const serviceDomain = "serviceaccounts.getport.io"

// protectedProperties are what _user is shipped with. A write that replaces a user
// keeps those that it does not give (reference/identity.md §4.3).
var protectedProperties = []string{"status", "port_role", "port_type", "moderated_blueprints"}

// emailForm is how routes want e-mail addresses (reference/identity.md §2.3 U1).
var emailForm = regexp.MustCompile(`^[^;#/?\s][^;#/?]*[^;#/?\s]$`)

// isEmail tells whether a text can be the e-mail address of a user. It is the
// identifier of an entity too.
func isEmail(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	return emailForm.MatchString(s) && local != "" && domain != "" && !strings.Contains(domain, "@") && propschema.EntityID.Valid(s)
}

// ofServiceAccount tells whether an e-mail address is one that service accounts have.
func ofServiceAccount(email string) bool {
	local, domain, _ := strings.Cut(email, "@")
	return local != "" && ident.Email(domain) == serviceDomain
}

// admitUser looks at a write of an entity of _user.
func (i *Identity) admitUser(tx store.Tx, w *catalog.AccountWrite) error {
	if err := userShape(w); err != nil {
		return err
	}
	if text, ok := w.Title.(string); ok {
		// One client sends an empty title for none (reference/identity.md §4.2).
		w.Title = strings.TrimSpace(text)
		w.HasTitle = w.HasTitle && w.Title != ""
	} else if !w.Merge {
		w.HasTitle = false // only a change of a user can take the name away
	}
	admit := i.admitChange
	if w.Existing == nil {
		admit = i.admitCreation
	}
	if err := admit(tx, w); err != nil {
		return err
	}
	if err := i.moderates(tx, w); err != nil {
		return err
	}
	if err := i.admitMembership(tx, w); err != nil {
		return err
	}
	return mayJoin(w)
}

// userShape checks what needs no knowledge of the user.
func userShape(w *catalog.AccountWrite) error {
	if w.Existing == nil && !isEmail(w.ID) {
		return invalidAt("/identifier", "must be the e-mail address of the user")
	}
	var p fault.Problems
	for _, key := range protectedProperties {
		if value, given := w.Properties[key]; given && value == nil {
			p = append(p, fault.Problem{Path: jsonv.Pointer("properties", key), Property: key, Message: "cannot be null"})
		}
	}
	if status, ok := w.Properties["status"].(string); ok {
		w.Properties["status"] = spelledStatus(status)
	}
	return p.Fault(http.StatusUnprocessableEntity, "blueprint_schema_mismatch")
}

func invalidAt(path, format string, args ...any) error {
	var p fault.Problems
	p.Add(path, format, args...)
	return p.Invalid()
}

// admitCreation checks who makes what kind of user, and fills in what is not given
// (reference/identity.md §2.5, §4.2, §5).
func (i *Identity) admitCreation(_ store.Tx, w *catalog.AccountWrite) error {
	p := w.Properties
	service := p["port_type"] == typeServiceAccount
	if err := i.mayCreate(w, service); err != nil {
		return err
	}
	var problems fault.Problems
	switch of := ofServiceAccount(w.ID); {
	case service && !of:
		problems.Add("/identifier", "the e-mail address of a service account ends in @%s", serviceDomain)
	case !service && of:
		problems.Add("/identifier", "only a service account has an e-mail address that ends in @%s", serviceDomain)
	}
	if service && p["status"] != statusActive {
		problems.Add("/properties/status", "a service account is created with the status %s", statusActive)
	}
	if err := problems.Invalid(); err != nil {
		return err
	}
	fill(p, "port_role", access.RoleMember)
	fill(p, "port_type", typeStandard)
	fill(p, "status", i.initialStatus)
	return nil
}

func fill(properties jsonv.Object, key string, value any) {
	if _, given := properties[key]; !given {
		properties[key] = value
	}
}

// mayCreate refuses what the caller may not make: users who are let in at once, or
// who may more than others (reference/identity.md §2.5 S1, S3).
func (i *Identity) mayCreate(w *catalog.AccountWrite, service bool) error {
	if provided(w.Actor) {
		return nil
	}
	p := w.Properties
	status, given := p["status"]
	letsIn := status == statusActive || status == statusInvited
	switch {
	case service && (w.Actor.Rights != nil || !byPerson(w.Actor)):
		return fault.MissingPermissions("only administrators create service accounts, from the UI or the API")
	case letsIn && !byPerson(w.Actor):
		return refusedProperties("users can be invited and enabled from the UI or the API only, not by %s", []string{"status"}, w.Actor.Origin)
	case w.Actor.Rights == nil:
		return nil
	}
	var refused []string
	if given && status != i.initialStatus {
		refused = append(refused, "status")
	}
	if role, given := p["port_role"]; given && role != access.RoleMember {
		refused = append(refused, "port_role")
	}
	if len(jsonv.List(p, "moderated_blueprints")) > 0 {
		refused = append(refused, "moderated_blueprints")
	}
	if len(refused) > 0 {
		return refusedProperties("only administrators set %s of a user", refused, strings.Join(refused, ", "))
	}
	return nil
}

// refusedProperties says which properties the caller must not write
// (reference/identity.md §7.5).
func refusedProperties(format string, keys []string, args ...any) error {
	return fault.MissingPermissions(format, args...).
		With("properties", jsonv.FromStrings(keys)).With("relations", []any{})
}

// admitChange checks who changes what of a user (reference/identity.md §2.5, §4.4).
func (i *Identity) admitChange(tx store.Tx, w *catalog.AccountWrite) error {
	was := i.properties(w.Existing)
	changes := func(key string) bool {
		value, given := w.Properties[key]
		if before := was[key]; before == nil && key == "moderated_blueprints" {
			return given && len(jsonv.List(w.Properties, key)) > 0
		}
		return given && !jsonv.Equal(value, was[key])
	}
	if err := mayChange(w, changes); err != nil {
		return err
	}
	if changes("port_type") {
		return fault.New(http.StatusForbidden, "protected_entity", "protected_entity: the type of a user cannot be changed").With("property", "port_type")
	}
	if changes("status") {
		if err := moveStatus(was, jsonv.String(w.Properties, "status")); err != nil {
			return err
		}
	}
	for _, key := range protectedProperties {
		if _, stored := jsonv.Get(w.Existing, "properties", key); was[key] != nil && (!w.Merge || !stored) {
			fill(w.Properties, key, was[key])
		}
	}
	return i.provisioned(tx, w, slices.ContainsFunc(slices.Collect(maps.Keys(w.Properties)), changes))
}

// properties are those of a user; what an entity of before does not say reads as it
// would have been made.
func (i *Identity) properties(user store.Doc) jsonv.Object {
	out := jsonv.Object{"status": i.initialStatus, "port_role": access.RoleMember, "port_type": typeStandard}
	for key, value := range jsonv.Map(user, "properties") {
		if value != nil || out[key] == nil {
			out[key] = value
		}
	}
	return out
}

// mayChange applies S1, S2 and S3. What a user may do is as little the user's own to
// change as the status (reference/identity.md §2.4).
func mayChange(w *catalog.AccountWrite, changes func(key string) bool) error {
	if provided(w.Actor) {
		return nil
	}
	var guarded []string
	for _, key := range []string{"status", "port_role", "moderated_blueprints"} {
		if changes(key) {
			guarded = append(guarded, key)
		}
	}
	switch {
	case len(guarded) == 0:
		return nil
	case w.Actor.User != "" && ident.SameEmail(w.Actor.User, w.ID):
		return refusedProperties("users cannot change %s of their own", guarded, strings.Join(guarded, ", "))
	case w.Actor.Rights != nil:
		return refusedProperties("only administrators change %s of a user", guarded, strings.Join(guarded, ", "))
	case guarded[0] == "status" && !byPerson(w.Actor):
		return refusedProperties("the status of a user can be changed from the UI or the API only, not by %s", guarded[:1], w.Actor.Origin)
	}
	return nil
}

// mayJoin keeps users from choosing their own teams, as from choosing their role: a
// team brings rights, so that only administrators change theirs
// (reference/identity.md §2.4). Whose teams others may change is up to $team of the
// permissions of _user (§6.6).
func mayJoin(w *catalog.AccountWrite) error {
	if !w.HasTeam || w.Existing == nil || w.Actor.Rights == nil || !ident.SameEmail(w.Actor.User, w.ID) || provided(w.Actor) {
		return nil
	}
	was := jsonv.Strings(jsonv.List(w.Existing, "team"))
	if slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(w.Team))) {
		return nil
	}
	return refusedProperties("only administrators change their own teams", []string{"$team"})
}

// moderates refuses blueprints that do not exist. Other roles may have a list, which
// grants them nothing (reference/identity.md §4.2).
func (i *Identity) moderates(tx store.Tx, w *catalog.AccountWrite) error {
	list := jsonv.List(w.Properties, "moderated_blueprints")
	known := jsonv.List(w.Existing, "properties", "moderated_blueprints")
	for _, id := range jsonv.Strings(list) {
		if slices.Contains(known, any(id)) {
			continue
		}
		exists, err := catalog.BlueprintExists(tx, i.org, id)
		if err != nil {
			return err
		}
		if !exists {
			return fault.NotFound("Blueprint", id).With("property", "moderated_blueprints")
		}
	}
	return nil
}

// provisioned keeps what the identity provider manages: the name. A write that
// would change nothing else is refused, another one goes without it
// (reference/identity.md §8.2).
func (i *Identity) provisioned(tx store.Tx, w *catalog.AccountWrite, more bool) error {
	name := jsonv.String(w.Existing, "title")
	if !w.HasTitle || provided(w.Actor) || w.Title == name || w.Title == nil && name == w.ID {
		return nil
	}
	account, err := i.account(tx, w.ID)
	if err != nil || !jsonv.Bool(account, "managedByScim") {
		return err
	}
	if !more && !w.Others && (!w.HasTeam || slices.Equal(w.Team, jsonv.Strings(w.Existing["team"]))) {
		return fault.New(http.StatusConflict, "SCIM_CONFLICT", "the name of %s is managed by the identity provider", w.ID)
	}
	w.HasTitle, w.Title = true, name
	return nil
}

// admitUserDeletion refuses to let users delete themselves (reference/identity.md §2.6).
func (i *Identity) admitUserDeletion(actor catalog.Actor, doc store.Doc) error {
	if actor.User != "" && ident.SameEmail(actor.User, jsonv.String(doc, "identifier")) && !provided(actor) {
		return fault.MissingPermissions("users cannot delete themselves")
	}
	return nil
}

// userWritten keeps what belongs to a user in step with the entity.
func (i *Identity) userWritten(tx store.Tx, before, after store.Doc) (jsonv.Object, error) {
	switch {
	case before == nil:
		return i.userCreated(tx, after)
	case after == nil:
		return nil, i.userDeleted(tx, jsonv.String(before, "identifier"))
	}
	was, is := i.properties(before)["status"], jsonv.String(after, "properties", "status")
	if was == is {
		return nil, nil
	}
	email := jsonv.String(after, "identifier")
	if err := i.putAccount(tx, email, func(doc store.Doc) { delete(doc, "initial") }); err != nil {
		return nil, err
	}
	switch is {
	case statusActive:
		return nil, nil
	case statusInvited:
		if err := i.mail(tx, email, mailInvite); err != nil {
			return nil, err
		}
	}
	return nil, i.endTokens(tx, email)
}

// userCreated gives a service account its credentials, which nobody is told again
// (reference/identity.md §5 A1, A4).
func (i *Identity) userCreated(tx store.Tx, after store.Doc) (jsonv.Object, error) {
	email, status := jsonv.String(after, "identifier"), jsonv.String(after, "properties", "status")
	account := store.Doc{"id": userID(i.ids.Trace()), "createdAt": after["createdAt"]}
	if status == statusDisabled {
		account["initial"] = true
	}
	if err := tx.Put(KindAccount, account, i.org, email); err != nil {
		return nil, err
	}
	switch {
	case status == statusInvited:
		return nil, i.mail(tx, email, mailInvite)
	case !isServiceAccount(after):
		return nil, nil
	}
	c, err := i.issue(tx, email, true)
	if err != nil {
		return nil, err
	}
	return jsonv.Object{"credentials": c.answer()}, nil
}

// userDeleted takes away all that a user had (reference/identity.md §2.6). What
// points at the entity is for the catalog to clear.
func (i *Identity) userDeleted(tx store.Tx, email string) error {
	if err := tx.Delete(KindAccount, i.org, email); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := i.revoke(tx, email); err != nil || i.access == nil {
		return err
	}
	return i.access.Forget(tx, i.org, access.AssigneeUser, email)
}
