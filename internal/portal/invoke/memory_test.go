package invoke

import (
	"strconv"
	"testing"
)

func TestTheMemoryOfMessagesIsBounded(t *testing.T) {
	t.Parallel()
	var m memory
	for n := range mostMessages + 10 {
		m.add(Message{Key: strconv.Itoa(n)})
	}
	if all := m.all(); len(all) != mostMessages || all[0].Key != "10" {
		t.Errorf("%d messages are kept, the oldest is %s", len(all), all[0].Key)
	}
	half := make([]byte, mostMessageBytes/2)
	for _, key := range []string{"a", "b", "c"} {
		m.add(Message{Key: key, Value: half})
	}
	if all := m.all(); len(all) != 2 || all[0].Key != "b" || m.bytes != mostMessageBytes {
		t.Errorf("%d messages of %d bytes are kept", len(all), m.bytes)
	}
	m.add(Message{Key: "huge", Value: make([]byte, 2*mostMessageBytes)})
	if all := m.all(); len(all) != 1 || all[0].Key != "huge" {
		t.Errorf("%d messages are kept, want the last one in any case", len(all))
	}
}
