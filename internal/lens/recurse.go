package lens

// Recurse builds a kind that contains itself to the given depth, since Terraform
// schemas cannot be recursive. level is called once per depth, deepest first;
// self is the level below, nil at the deepest, where the recursive field is to
// be left out.
func Recurse(depth int, level func(self Kind) Kind) Kind {
	var k Kind
	for range depth {
		k = level(k)
	}
	return k
}
