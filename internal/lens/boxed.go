package lens

import (
	"encoding/json"

	"github.com/portlens/terraform-provider-port/internal/jsonv"
)

// A body holds its leaves as interfaces, and making one out of a text or a number
// is an allocation each time. Bodies repeat themselves, though: types, formats,
// colours, icons, targets, limits.

// shelf holds texts of one body that are interfaces already. It is small and
// forgets on collision, so looking costs less than an allocation.
type shelf [64]any

// maxShelved bounds the texts worth a comparison.
const maxShelved = 32

func (s *shelf) box(text string) any {
	n := len(text)
	if s == nil || n == 0 || n > maxShelved {
		return text
	}
	slot := &s[(n*7+int(text[0])+int(text[n/2])*5+int(text[n-1])*3)%len(s)]
	if have, ok := (*slot).(string); !ok || have != text {
		*slot = text
	}
	return *slot
}

// smallNumbers are the numbers of most limits and defaults.
var smallNumbers = func() (all [256]struct {
	text  json.Number
	boxed any
}) {
	for i := range all {
		n := jsonv.Int(int64(i))
		all[i].text, all[i].boxed = n, n
	}
	return all
}()
