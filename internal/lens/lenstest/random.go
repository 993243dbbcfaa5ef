package lenstest

// Random is a small deterministic generator: a failing round is the same round
// everywhere.
type Random struct{ state uint64 }

// NewRandom starts a sequence.
func NewRandom(seed uint64) *Random { return &Random{seed} }

func (r *Random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// N gives a number below n.
func (r *Random) N(n int) int {
	if n <= 1 {
		return 0
	}
	return int(r.next() % uint64(n)) // n is positive
}

// Chance is true in percent of the cases.
func (r *Random) Chance(percent int) bool { return r.N(100) < percent }

func pick[T any](r *Random, from []T) T { return from[r.N(len(from))] }
