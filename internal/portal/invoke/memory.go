package invoke

import (
	"slices"
	"sync"
)

// Message is one that would have been stored on a topic.
type Message struct {
	Topic, Key string
	Value      []byte
}

// The bounds of what is remembered.
const (
	mostMessages     = 1000
	mostMessageBytes = 16 << 20
)

// memory remembers the last messages of a portal without a broker, for tests
// (reference/actions.md §3.2 KAFKA). It is safe for concurrent use.
type memory struct {
	mu    sync.Mutex
	list  []Message
	bytes int
}

func (m *memory) add(message Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, message)
	m.bytes += len(message.Value)
	first := 0
	for len(m.list)-first > mostMessages || m.bytes > mostMessageBytes && first < len(m.list)-1 {
		m.bytes -= len(m.list[first].Value)
		first++
	}
	m.list = slices.Delete(m.list, 0, first)
}

func (m *memory) all() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// Messages are the last ones that no broker stored because none is configured,
// oldest first.
func (s *Sender) Messages() []Message { return s.kept.all() }
