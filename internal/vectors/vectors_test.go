package vectors_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
)

var dir = os.DirFS(filepath.Join("..", "..", "testdata", "vectors"))

func TestVectorsOfTheRepositoryLoad(t *testing.T) {
	t.Parallel()
	patch, err := vectors.LoadPatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, row := range patch {
		if ids[row.ID] {
			t.Errorf("%s stands twice", row.ID)
		}
		ids[row.ID] = true
		if (row.Error == nil) == (string(row.After) == "null") {
			t.Errorf("%s: needs either after or error", row.ID)
		}
		if row.Unchanged && vectors.Diff(row.Before, row.After) != "" {
			t.Errorf("%s: unchanged, and yet before and after differ", row.ID)
		}
		if !slices.Contains([]string{"", "strict"}, row.Mode) || !slices.Contains([]string{"", "same", "changes", "error"}, row.Replay) {
			t.Errorf("%s: mode %q, replay %q", row.ID, row.Mode, row.Replay)
		}
		if !row.Applies(true) && !row.Applies(false) {
			t.Errorf("%s: holds in neither mode", row.ID)
		}
	}
	users, err := vectors.LoadFilterUsers(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(users.Users) != 12 || len(users.CustomSchema) == 0 {
		t.Errorf("%d users, schema of %d bytes", len(users.Users), len(users.CustomSchema))
	}
	filters, err := vectors.LoadFilter(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range filters {
		if row.Valid != (row.Error == nil) || !row.Valid && len(row.Matches) > 0 {
			t.Errorf("%s: valid %v, error %v, matches %v", row.ID, row.Valid, row.Error, row.Matches)
		}
	}
}

func TestRowsApplyByMode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialect, mode    string
		strict, tolerant bool
	}{
		{"", "", true, true},
		{"entra", "", false, true},
		{"", "strict", true, false},
	} {
		p := vectors.Patch{Dialect: c.dialect, Mode: c.mode}
		f := vectors.Filter{Dialect: c.dialect, Mode: c.mode}
		if p.Applies(true) != c.strict || p.Applies(false) != c.tolerant || f.Applies(true) != c.strict || f.Applies(false) != c.tolerant {
			t.Errorf("dialect %q mode %q: strict %v, tolerant %v", c.dialect, c.mode, p.Applies(true), p.Applies(false))
		}
	}
}

func TestDiffComparesMeaning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"order of members", `{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{"unassigned in every form", `{"a":1,"b":null,"c":[],"d":{},"e":{"x":null},"f":[{}]}`, `{"a":1}`, true},
		{"empty string is a value", `{"a":""}`, `{}`, false},
		{"false is a value", `{"active":false}`, `{}`, false},
		{"primary false is absent", `{"e":[{"v":1,"primary":false}]}`, `{"e":[{"v":1}]}`, true},
		{"primary true is not", `{"e":[{"v":1,"primary":true}]}`, `{"e":[{"v":1}]}`, false},
		{"arrays are sets", `{"e":[{"v":1},{"v":2}]}`, `{"e":[{"v":2},{"v":1}]}`, true},
		{"but count", `{"e":[1,1]}`, `{"e":[1]}`, false},
		{"numbers by value", `{"a":1.50}`, `{"a":1.5}`, true},
		{"strings by letter", `{"a":"x"}`, `{"a":"X"}`, false},
		{"types differ", `{"a":"1"}`, `{"a":1}`, false},
		{"meta is left out", `{"meta":{"version":"1"}}`, `{"meta":{"version":"2"}}`, true},
		{"nothing at all", `{}`, `{"a":null}`, true},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if diff := vectors.Diff([]byte(pair[0]), []byte(pair[1])); (diff == "") != c.same {
				t.Errorf("%s: %s and %s: %q", c.name, pair[0], pair[1], diff)
			}
		}
	}
	if vectors.Diff([]byte(`{}`), []byte(`[`)) == "" || vectors.Diff([]byte(`[]`), []byte(`{}`)) == "" {
		t.Error("what is no object compares as equal")
	}
}
