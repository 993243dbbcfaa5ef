package provider

// AsideOf is the key under which a property waits in a circle of renamings.
func AsideOf(from, to string) string { return renaming{from: from, to: to}.aside() }
