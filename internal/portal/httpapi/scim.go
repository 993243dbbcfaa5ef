package httpapi

import (
	"maps"
	"net/http"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/portal/access"
	"github.com/portlens/terraform-provider-port/internal/portal/fault"
	"github.com/portlens/terraform-provider-port/internal/portal/scim"
)

// provisioning are the routes of the identity provider (reference/identity.md §8.2),
// which needs the token of an administrator or of the organization: also for reading,
// since members have no scope to change users.
func provisioning() []route {
	var routes []route
	add := func(method, path string, tx kind, body bool, scope access.Scope, handler func(*Call) (any, error)) {
		routes = append(routes, route{method: method, pattern: scim.Base + path, tx: tx, body: body, scope: scope, scim: true, handler: handler})
	}
	for resource, scope := range map[string]access.Scope{"Users": access.UpdateUsers, "Groups": access.UpdateTeams} {
		of := func(handler func(*Call, string) (any, error)) func(*Call) (any, error) {
			return func(c *Call) (any, error) { return handler(c, resource) }
		}
		add(get, "/"+resource, reads, false, scope, of((*Call).scimList))
		add(post, "/"+resource, writes, true, scope, of((*Call).scimCreate))
		add(get, "/"+resource+"/{id}", reads, false, scope, of((*Call).scimRead))
		add(put, "/"+resource+"/{id}", writes, true, scope, of((*Call).scimPut))
		add(patch, "/"+resource+"/{id}", writes, true, scope, of((*Call).scimPatch))
		add(remove, "/"+resource+"/{id}", writes, false, scope, of((*Call).scimDelete))
	}
	add(get, "/ServiceProviderConfig", none, false, access.UpdateUsers, (*Call).scimConfig)
	for _, what := range []string{"ResourceTypes", "Schemas"} {
		described := func(c *Call) (any, error) { return c.scimDescribed(what) }
		add(get, "/"+what, none, false, access.UpdateUsers, described)
		add(get, "/"+what+"/{id}", none, false, access.UpdateUsers, described)
	}
	return routes
}

func (c *Call) scimRequest(resource string) *scim.Request {
	r := &scim.Request{Ctx: c.ctx, Tx: c.Tx, Actor: c.Actor, Kind: resource, Param: c.text, Body: c.Body}
	if len(c.params) > 0 {
		r.ID = c.params[0]
	}
	return r
}

func (c *Call) scimList(resource string) (any, error) {
	return c.api.scim.List(c.scimRequest(resource))
}

func (c *Call) scimCreate(resource string) (any, error) {
	c.status = http.StatusCreated
	return c.api.scim.Create(c.scimRequest(resource))
}

func (c *Call) scimRead(resource string) (any, error) {
	return c.api.scim.Read(c.scimRequest(resource))
}

func (c *Call) scimPut(resource string) (any, error) {
	return c.api.scim.Put(c.scimRequest(resource))
}

func (c *Call) scimPatch(resource string) (any, error) {
	return c.api.scim.Patch(c.scimRequest(resource))
}

func (c *Call) scimDelete(resource string) (any, error) {
	c.status = http.StatusNoContent
	return nil, c.api.scim.Delete(c.scimRequest(resource))
}

func (c *Call) scimConfig() (any, error) { return c.api.scim.Config(), nil }

func (c *Call) scimDescribed(what string) (any, error) {
	id := ""
	if len(c.params) > 0 {
		id = c.params[0]
	}
	return c.api.scim.Described(what, id)
}

// succeedSCIM writes a resource as it is.
func (x *exchange) succeedSCIM(result any) {
	x.w.Header().Set("Content-Type", scim.MediaType)
	body, ok := result.(jsonv.Object)
	if !ok {
		body = jsonv.Object{}
	}
	if x.status == 0 {
		x.status = http.StatusOK
	}
	if x.status == http.StatusCreated {
		x.w.Header().Set("Location", jsonv.String(body, "meta", "location"))
	}
	x.write(body)
}

// failSCIM adds to the envelope of an error what the protocol says it consists of,
// so that both kinds of clients understand it.
func (x *exchange) failSCIM(f *fault.Fault, body jsonv.Object) {
	x.w.Header().Set("Content-Type", scim.MediaType)
	status, said := scim.Error(f)
	x.status = status
	maps.Copy(body, said)
}
