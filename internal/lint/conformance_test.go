package lint

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/scimtest"
)

const conformance = "docs/conformance.md"

var update = flag.Bool("update", false, "write the column of tests in "+conformance)

// The columns of docs/conformance.md.
const (
	columnID = iota
	columnRequirement
	columnLevel
	columnRFC
	columnAnswer
	columnStatus
	columnTests
	columns
)

var (
	rowID    = regexp.MustCompile(`^[A-Z]-\d{3}$`)
	rowRange = regexp.MustCompile(`\b[A-Z]-\d{3}(\.\.[A-Z]-\d{3})?\b`)
)

// conformanceRow returns the cells of a line when it is a row of the checklist.
func conformanceRow(line string) []string {
	if !strings.HasPrefix(line, "| ") {
		return nil
	}
	cells := tableCells(line)
	if !rowID.MatchString(cells[columnID]) {
		return nil
	}
	return cells
}

// TestConformanceListsItsTests keeps the last column of the checklist equal to
// what the tests say they hold. The checks of package scimtest are named by
// requirement; scenarios of package scim say in their heading what they hold, the
// vectors in holds.txt beside them, and a test in its comment:
//
//	// Holds: X-017 X-020..X-025
//
// or in holds.txt of this package. go test ./internal/lint -update writes the
// column.
func TestConformanceListsItsTests(t *testing.T) {
	held := marks(t)
	lines := strings.Split(string(read(t, conformance)), "\n")
	known := map[string]bool{}
	for n, line := range lines {
		cells := conformanceRow(line)
		if cells == nil {
			continue
		}
		known[cells[columnID]] = true
		if len(cells) != columns {
			t.Errorf("%s:%d: %d cells, want %d", conformance, n+1, len(cells), columns)
			continue
		}
		tests := strings.Join(held[cells[columnID]], ", ")
		switch {
		case tests == cells[columnTests]:
		case *update:
			cells[columnTests] = tests
			lines[n] = "| " + strings.Join(cells, " | ") + " |"
		default:
			t.Errorf("%s:%d: %s lists %q, the tests say %q: run go test ./internal/lint -update", conformance, n+1, cells[columnID], cells[columnTests], tests)
		}
	}
	for id, tests := range held {
		if !known[id] {
			t.Errorf("%s holds %s, which %s does not have", tests, id, conformance)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(filepath.Join(root, conformance), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConformanceRowsAreWellFormed(t *testing.T) {
	t.Parallel()
	levels := []string{"MUST", "SHOULD", "MAY", "ours", "info"}
	statuses := []string{"now", "planned", "host", "no"}
	next := map[string]int{}
	for n, line := range strings.Split(string(read(t, conformance)), "\n") {
		cells := conformanceRow(line)
		if cells == nil {
			continue
		}
		group := cells[columnID][:1]
		next[group]++
		if want := fmt.Sprintf("%s-%03d", group, next[group]); cells[columnID] != want {
			t.Fatalf("%s:%d: %s where %s should stand: ids are never reused or left out", conformance, n+1, cells[columnID], want)
		}
		if !slices.Contains(levels, cells[columnLevel]) || !slices.Contains(statuses, cells[columnStatus]) {
			t.Errorf("%s:%d: level %q, status %q", conformance, n+1, cells[columnLevel], cells[columnStatus])
		}
		if cells[columnRequirement] == "" || cells[columnRFC] == "" || cells[columnAnswer] == "" {
			t.Errorf("%s:%d: an empty cell", conformance, n+1)
		}
		if cells[columnStatus] == "now" && cells[columnTests] == "" {
			t.Errorf("%s:%d: %s is said to be there and no test holds it", conformance, n+1, cells[columnID])
		}
		if cells[columnStatus] == "planned" && cells[columnTests] != "" {
			t.Errorf("%s:%d: %s is planned and has tests: it is there now", conformance, n+1, cells[columnID])
		}
	}
	if len(next) == 0 {
		t.Fatalf("%s has no rows", conformance)
	}
}

// marks returns, for each requirement, the tests that say they hold it.
func marks(t *testing.T) map[string][]string {
	t.Helper()
	held := map[string][]string{}
	for id := range scimtest.Checks() {
		held[id] = append(held[id], "scimtest/"+id)
	}
	for _, name := range files(t) {
		switch {
		case name == "scim/scimtest/testdata/choices.txt":
			for line := range strings.Lines(string(read(t, name))) {
				if id, _, _ := strings.Cut(line, " "); rowID.MatchString(id) {
					held[id] = append(held[id], "scimtest/"+path.Base(name))
				}
			}
		case strings.HasSuffix(path.Dir(name), "testdata/scenarios"):
			heading, _, _ := strings.Cut(string(read(t, name)), "\n-- ")
			for _, item := range rowRange.FindAllString(heading, -1) {
				ids, err := expand(item)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				for _, id := range ids {
					held[id] = append(held[id], "scenarios/"+path.Base(name))
				}
			}
		case name == "testdata/vectors/holds.txt":
			for n, line := range strings.Split(strings.TrimSpace(string(read(t, name))), "\n") {
				file, list, _ := strings.Cut(line, ":")
				ids, err := expand(list)
				if err != nil {
					t.Errorf("%s:%d: %v", name, n+1, err)
				}
				for _, id := range ids {
					held[id] = append(held[id], "vectors/"+file)
				}
			}
		}
	}
	elsewhere := readHolds(t)
	goFiles(t, parser.ParseComments|parser.SkipObjectResolution, func(name string, fset *token.FileSet, file *ast.File) {
		if !strings.HasSuffix(name, "_test.go") || path.Dir(name) == "internal/lint" {
			return
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			test := path.Dir(name) + "." + f.Name.Name
			for _, id := range elsewhere[test] {
				held[id] = append(held[id], test)
			}
			delete(elsewhere, test)
			for line := range strings.Lines(f.Doc.Text()) {
				list, ok := strings.CutPrefix(line, "Holds:")
				if !ok {
					continue
				}
				ids, err := expand(list)
				if err != nil {
					t.Errorf("%s: %v", fset.Position(f.Pos()), err)
				}
				for _, id := range ids {
					held[id] = append(held[id], test)
				}
			}
		}
	})
	for test := range elsewhere {
		t.Errorf("%s names %s, which does not exist", holdsFile, test)
	}
	for id := range held {
		slices.Sort(held[id])
		held[id] = slices.Compact(held[id])
	}
	return held
}

const holdsFile = "internal/lint/holds.txt"

// readHolds reads which tests hold what without saying so themselves: names of
// test functions, a colon, requirements.
func readHolds(t *testing.T) map[string][]string {
	t.Helper()
	holds := map[string][]string{}
	for n, line := range strings.Split(strings.TrimSpace(string(read(t, holdsFile))), "\n") {
		test, list, _ := strings.Cut(line, ":")
		ids, err := expand(list)
		if err != nil || len(ids) == 0 {
			t.Errorf("%s:%d: %q: %v", holdsFile, n+1, line, err)
		}
		holds[test] = append(holds[test], ids...)
	}
	return holds
}

// expand reads a list of requirement ids, in which A-001..A-005 is a range.
func expand(list string) ([]string, error) {
	var ids []string
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' }) {
		first, last, isRange := strings.Cut(item, "..")
		if !isRange {
			last = first
		}
		if !rowID.MatchString(first) || !rowID.MatchString(last) || first[0] != last[0] || first > last {
			return nil, fmt.Errorf("%q is no requirement or range of requirements", item)
		}
		for n := number(first); n <= number(last); n++ {
			ids = append(ids, fmt.Sprintf("%c-%03d", first[0], n))
		}
	}
	return ids, nil
}

func number(id string) int {
	n := 0
	for _, digit := range id[2:] {
		n = 10*n + int(digit-'0')
	}
	return n
}

func TestRangesOfRequirementsExpand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ list, want string }{
		{" X-017, X-020..X-022\n", "X-017 X-020 X-021 X-022"},
		{"S-099..S-101", "S-099 S-100 S-101"},
		{"", ""},
		{"X-17", "error"}, {"X-001..Y-002", "error"}, {"X-002..X-001", "error"}, {"x-001", "error"},
	} {
		got, err := expand(c.list)
		text := strings.Join(got, " ")
		if err != nil {
			text = "error"
		}
		if text != c.want {
			t.Errorf("%q: got %q, want %q", c.list, text, c.want)
		}
	}
}
