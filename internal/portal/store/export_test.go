package store

// PostgresTables creates the tables, for tests that put something else in their place.
const PostgresTables = createTables
