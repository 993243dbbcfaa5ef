package invoke

import (
	"strings"
	"testing"
)

// TestAnswersThatAreNestedTooDeeplyAreTexts: kept as values, they would make every list
// of runs unreadable.
func TestAnswersThatAreNestedTooDeeplyAreTexts(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for n, asText := range map[int]bool{1: false, 1000: false, 1002: true, 9999: true, 20000: true} {
		if _, text := response([]byte(nested(n))).(string); text != asText {
			t.Errorf("%d levels: a text is %t", n, text)
		}
	}
}
