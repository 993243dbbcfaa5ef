package httpapi

// Operations are the method and the pattern of every route, for tests from outside.
func Operations() [][2]string {
	var all [][2]string
	for _, r := range table() {
		all = append(all, [2]string{r.method, r.pattern})
	}
	return all
}
