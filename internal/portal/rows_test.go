package portal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// rowTags gathers which rows of the reference are proven by what: the
// "rows" of scenarios and the comments "// rows: …" of Go tests.
func rowTags(t *testing.T) map[string][]string {
	t.Helper()
	tags := map[string][]string{}
	note := func(where string, list ...string) {
		for _, entry := range list {
			rows, err := rowRange(entry)
			if err != nil {
				t.Errorf("%s: %v", where, err)
			}
			for _, row := range rows {
				tags[row] = append(tags[row], where)
			}
		}
	}
	for _, name := range scenarioFiles(t) {
		for _, s := range readScenarios(t, name).Scenarios {
			note(filepath.Base(name)+": "+s.Name, s.Rows...)
		}
	}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range rowComment.FindAllStringSubmatch(string(text), -1) {
			note(path, strings.Split(strings.TrimSuffix(strings.TrimSpace(match[1]), "."), ",")...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tags
}

var (
	rowComment = regexp.MustCompile(`(?m)^\s*// rows: (.*)$`)
	rowForm    = regexp.MustCompile(`^((?:(?:id|act|cl) )?(?:[A-Z]|§[0-9.]+ ))([0-9]+)(?:-([0-9]+))?$`)
)

// rowRange spells out "K4", "§8 7", "X1-7", "§5.5 1-3", "id T1-6", which is of
// reference/identity.md, "act A1", which is of reference/actions.md, or "cl C28",
// which is of reference/clients.md.
func rowRange(entry string) ([]string, error) {
	m := rowForm.FindStringSubmatch(strings.TrimSpace(entry))
	if m == nil {
		return nil, &strconv.NumError{Func: "row", Num: entry, Err: strconv.ErrSyntax}
	}
	first, err := strconv.Atoi(m[2])
	if err != nil {
		return nil, err
	}
	last := first
	if m[3] != "" {
		if last, err = strconv.Atoi(m[3]); err != nil {
			return nil, err
		}
	}
	var out []string
	for n := first; n <= last; n++ {
		out = append(out, m[1]+strconv.Itoa(n))
	}
	return out, nil
}

// knownRows reads testdata/rows.txt: all rows, those that wait for something that
// is not built, and those that the reference decides not to follow.
func knownRows(t *testing.T) (rows, later, decided []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), ":")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, waits := strings.CutPrefix(line, "later ")
		line, dropped := strings.CutPrefix(line, "decided ")
		of, row := "", line
		for _, other := range []string{"id ", "act ", "cl "} {
			if rest, ok := strings.CutPrefix(line, other); ok {
				of, row = other, rest
			}
		}
		if !strings.HasPrefix(row, "§") {
			row = strings.Replace(row, " ", "", 1)
		}
		line = of + row
		list, err := rowRange(line)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case waits:
			later = append(later, list...)
		case dropped:
			decided = append(decided, list...)
		default:
			rows = append(rows, list...)
		}
	}
	return rows, later, decided
}

func TestRowsOfTheReferenceAreProven(t *testing.T) {
	t.Parallel()
	tags := rowTags(t)
	known, later, decided := knownRows(t)
	for row, by := range tags {
		if !slices.Contains(known, row) {
			t.Errorf("there is no row %q: %s", row, strings.Join(by, "; "))
		}
	}
	proven := 0
	var waiting []string
	for _, row := range known {
		switch {
		case len(tags[row]) > 0:
			proven++
		case slices.Contains(later, row):
			waiting = append(waiting, row)
		case slices.Contains(decided, row):
		default:
			t.Errorf("row %s of the reference has no test: name it under the rows of a scenario or of a Go test", row)
		}
	}
	t.Logf("%d of %d rows of the reference have a test; waiting for what is not built: %s; decided otherwise: %s",
		proven, len(known), strings.Join(waiting, ", "), strings.Join(decided, ", "))
}

func scenarioFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return files
}

func readScenarios(t *testing.T, name string) scenarioFile {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file scenarioFile
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return file
}
