package patch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/patch"
)

// Every row of the vectors runs in each mode in which it holds: once, then once
// more on what came of it, as the row says a replay goes.
func TestVectors(t *testing.T) {
	t.Parallel()
	rows, err := vectors.LoadPatch(vectorFiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 200 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		for _, mode := range []string{"strict", "tolerant"} {
			if !row.Applies(mode == "strict") {
				continue
			}
			t.Run(row.ID+"/"+mode, func(t *testing.T) {
				t.Parallel()
				var o patch.ParseOptions
				var a patch.ApplyOptions
				if mode == "tolerant" {
					o, a = tolerant()
				}
				runVector(t, row, o, a)
			})
		}
	}
}

func runVector(t *testing.T, row vectors.Patch, o patch.ParseOptions, a patch.ApplyOptions) {
	r, rel := parts(t, row.Before)
	before := show(t, r, rel)
	res, _, err := do(r.Type(), r, rel, row.Body(), o, a)
	if got := show(t, r, rel); !bytes.Equal(got, before) {
		t.Errorf("the input was changed to %s", got)
	}
	if row.Error != nil {
		wantError(t, err, row.Error)
		return
	}
	if err != nil {
		t.Fatalf("%v (%s)", err, row.Why)
	}
	after := show(t, res.Resource, res.Relations)
	if d := vectors.Diff(row.After, after); d != "" {
		t.Errorf("%s\n%s", row.Why, d)
	}
	if row.Unchanged && (res.Resource != r || len(res.Changes) > 0 || res.RelationsChanged) {
		t.Errorf("%s\nchanged: %v, relations %v", row.Why, res.Changes, res.RelationsChanged)
	}
	again, _, err := do(r.Type(), res.Resource, res.Relations, row.Body(), o, a)
	switch row.Replay {
	case "error":
		if err == nil {
			t.Error("the replay should fail")
		}
	case "same":
		if err != nil {
			t.Fatalf("replay: %v", err)
		}
		if d := vectors.Diff(after, show(t, again.Resource, again.Relations)); d != "" {
			t.Errorf("the replay changed something\n%s", d)
		}
	default:
		t.Errorf("replay %q is not tested", row.Replay)
	}
}

func wantError(t *testing.T, err error, want *vectors.Error) {
	t.Helper()
	var e *patch.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want %s", err, want.ScimType)
	}
	if !want.Accepts(e.ScimType) {
		t.Errorf("got %s (%v), want %s", e.ScimType, e, want.ScimType)
	}
	if e.ScimType != want.ScimType {
		t.Logf("got %s (%v), first choice is %s", e.ScimType, e, want.ScimType)
	}
	if e.Detail == "" || json.Valid([]byte(e.Detail)) {
		t.Errorf("no sentence: %q", e.Detail)
	}
}
