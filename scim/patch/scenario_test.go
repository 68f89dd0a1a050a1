package patch_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/patch"
)

// Each scenario says what operations make of a resource in each mode:
// "tolerant.json" and "strict.json" are the outcome, "tolerant" and "strict" the
// scimType of the error.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file := map[string][]byte{}
			for _, f := range archive.Files {
				file[f.Name] = f.Data
			}
			for _, mode := range []string{"tolerant", "strict"} {
				var o patch.ParseOptions
				var a patch.ApplyOptions
				if mode == "tolerant" {
					o, a = tolerant()
				}
				r, rel := parts(t, file["before.json"])
				before := show(t, r, rel)
				res, _, err := do(r.Type(), r, rel, body(string(file["operations.json"])), o, a)
				if d := vectors.Diff(before, show(t, r, rel)); d != "" {
					t.Errorf("%s: the input was changed\n%s", mode, d)
				}
				if want, ok := file[mode+".json"]; ok {
					if err != nil {
						t.Errorf("%s: %v", mode, err)
						continue
					}
					wanted, wantedRel := parts(t, want)
					if d := vectors.Diff(show(t, wanted, wantedRel), show(t, res.Resource, res.Relations)); d != "" {
						t.Errorf("%s:\n%s", mode, d)
					}
					continue
				}
				want := strings.TrimSpace(string(file[mode]))
				var e *patch.Error
				if !errors.As(err, &e) || e.ScimType != want {
					t.Errorf("%s: got %v, want %q", mode, err, want)
				}
			}
		})
	}
}
