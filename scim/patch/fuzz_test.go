package patch_test

import (
	"errors"
	"testing"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Whatever the body is, Parse answers with operations that have resolved
// targets, or with an Error.
func FuzzParse(f *testing.F) {
	ops, _ := vectorBodies(f)
	for _, s := range ops {
		f.Add(body(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, typ := range []*schema.Type{userType(), groupType()} {
			tol, _ := tolerant()
			for _, o := range []patch.ParseOptions{{}, tol} {
				req, err := patch.Parse(typ, data, o)
				var e *patch.Error
				if err != nil {
					if !errors.As(err, &e) || req != nil || e.Detail == "" || e.Index < -1 {
						t.Errorf("%#v", err)
					}
					continue
				}
				for i, op := range req.Operations {
					if op.Target.Path.IsZero() || op.Op < patch.Add || op.Op > patch.Replace || op.Target.String() == "" {
						t.Errorf("operation %d: %+v", i, op)
					}
					if i > 0 && op.Index < req.Operations[i-1].Index {
						t.Errorf("operation %d comes out of order", i)
					}
				}
				if n := len(req.Document()); n > len(req.Operations) || n < len(req.Operations) && req.Links() == nil {
					t.Errorf("%d of %d operations are on the document", n, len(req.Operations))
				}
			}
		}
	})
}

// Whatever the operations are, applying them never panics, and fails without a
// trace.
func FuzzApply(f *testing.F) {
	ops, users := vectorBodies(f)
	for i, s := range ops {
		f.Add(users[i%len(users)], body(s))
	}
	f.Fuzz(func(t *testing.T, user string, data []byte) {
		d, err := resource.Decode(userType(), []byte(user), resource.DecodeOptions{Partial: true})
		if err != nil {
			t.Skip()
		}
		po, ao := tolerant()
		for _, mode := range []struct {
			po patch.ParseOptions
			ao patch.ApplyOptions
		}{{po, ao}, {}} {
			req, err := patch.Parse(userType(), data, mode.po)
			if err != nil {
				continue
			}
			checkApply(t, d.Resource, req.Operations, mode.ao)
		}
	})
}

// Operations on members give an edit in normal form, and memory keeps sets.
func FuzzFoldLinks(f *testing.F) {
	f.Add([]byte(`[{"op":"add","path":"members","value":[{"value":"a"},{"value":"a","type":"Group"}]},{"op":"remove","path":"members[type eq \"Group\"]"}]`))
	f.Add([]byte(`[{"op":"remove","path":"members","value":[{"value":"u1"}]},{"op":"add","path":"members","value":[{"value":"u1"}]}]`))
	f.Add([]byte(`[{"op":"add","path":"members[value eq \"u1\"].display","value":"x"},{"op":"replace","path":"members","value":[]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		req, err := patch.Parse(groupType(), body(string(data)), patch.ParseOptions{})
		if err != nil {
			return
		}
		have := members("User/u1 User/u2=Bea Group/g1 x")
		edit, err := patch.FoldLinks(req.Links()["members"], selecting(have))
		var e *patch.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Error(err)
			}
			return
		}
		checkNormal(t, edit)
		now, _ := patch.ApplyLinks(have, edit)
		checkNormal(t, patch.LinkEdit{Add: now})
		if again, changed := patch.ApplyLinks(now, edit); changed {
			t.Errorf("once more changes %s to %s", membersText(now), membersText(again))
		}
	})
}
