package provider

import (
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
	"github.com/portlens/terraform-provider-port/internal/lens"
)

// A creation of which a part fails leaves a resource that Terraform calls
// tainted: the next apply deletes it and makes it anew. Of a group that would
// delete thousands of entities because of one. So a planned creation says which
// entities it will list, the deletion that goes before it leaves these alone and
// hands them over, and the creation sends what differs. The plan shows the same:
// of a replaced group only the entities that change.

// successor is what a planned creation tells the deletion before it.
type successor struct {
	Blueprint string   `json:"blueprint"`
	Entities  []string `json:"entities"`
}

// succeedEntities describes the group that a creation will leave.
func succeedEntities(planned tftypes.Value) ([]byte, error) {
	var s successor
	s.Blueprint, _ = text(lens.AsObj(planned)["blueprint"])
	for id := range elements(planned) {
		s.Entities = append(s.Entities, id)
	}
	return json.Marshal(s)
}

// heirloom is an entity between the two halves of a replacement: as the state had
// it and as its body.
type heirloom struct {
	value tftypes.Value
	body  jsonv.Object
}

// handOver leaves the entities alone that the successor of a deleted group lists.
func (w *groupWrite) handOver() error {
	if len(w.successor) == 0 {
		return nil
	}
	var next successor
	if err := json.Unmarshal(w.successor, &next); err != nil {
		return err
	}
	if next.Blueprint != w.blueprint {
		return nil
	}
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	for _, id := range next.Entities {
		if body, ok := w.had[id]; ok {
			w.handed[entityAt{w.blueprint, id}] = heirloom{w.held[id], jsonv.Map(body)}
			w.managed[entityName(w.blueprint, id)] = true
			delete(w.had, id)
		}
	}
	return nil
}

// inherit takes over what the deletion before this creation left.
func (w *groupWrite) inherit() {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	for id := range w.want {
		at := entityAt{w.blueprint, id}
		if h, ok := w.handed[at]; ok {
			delete(w.handed, at)
			w.had[id], w.held[id] = h.body, h.value
		}
	}
}

// entityAt is where an entity stands.
type entityAt struct{ blueprint, id string }

// writes remembers that this run wrote an entity. A resource that is done away
// with in the same run does not own it any more: entities move between resources,
// and with create_before_destroy the old resource goes last.
func (s *session) writes(blueprint, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written[entityAt{blueprint, id}] = true
}

func (s *session) wrote(blueprint, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written[entityAt{blueprint, id}]
}
