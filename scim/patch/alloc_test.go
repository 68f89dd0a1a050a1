package patch_test

import (
	"testing"

	"github.com/musterhq/muster/scim/patch"
)

// The commonest requests stay cheap. The numbers are what they were when this
// was written, and a little room.
func TestAllocations(t *testing.T) {
	r := postedUser(t)
	for _, test := range []struct {
		name, ops string
		max       float64
	}{
		{"deactivate and rename", `[{"op":"replace","path":"active","value":false},{"op":"replace","path":"displayName","value":"Maya O. Okafor"}]`, 30},
		{"nothing new", `[{"op":"replace","path":"active","value":true}]`, 17},
		{"one e-mail", `[{"op":"replace","path":"emails[type eq \"work\"].value","value":"maya@x.example"}]`, 49},
	} {
		body := body(test.ops)
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := do(r.Type(), r, nil, body, patch.ParseOptions{}, patch.ApplyOptions{}); err != nil {
				t.Fatal(err)
			}
		})
		if got > test.max {
			t.Errorf("%s: %v allocations, want at most %v", test.name, got, test.max)
		}
	}
	body := body(`[{"op":"add","path":"members","value":[{"value":"a"}]}]`)
	if got := testing.AllocsPerRun(100, func() { foldOnce(t, body) }); got > 25 {
		t.Errorf("one member: %v allocations, want at most 25", got)
	}
}
