package patch_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// vectorBodies are the operations of the vectors and users they start from.
func vectorBodies(tb testing.TB) (ops, users []string) {
	tb.Helper()
	rows, err := vectors.LoadPatch(vectorFiles)
	if err != nil {
		tb.Fatal(err)
	}
	for _, row := range rows {
		if strings.Contains(string(row.Before), schema.GroupURN) {
			continue
		}
		if s := string(row.Ops); !slices.Contains(ops, s) {
			ops = append(ops, s)
		}
		if s := string(row.Before); !slices.Contains(users, s) {
			users = append(users, s)
		}
	}
	return ops, users
}

// inner takes the brackets off an array.
func inner(array string) string {
	array = strings.TrimSpace(array)
	return strings.TrimSpace(array[1 : len(array)-1])
}

// Requests made of the vectors' operations, strung together at random, obey the
// rules that hold for every request.
func TestAnyRequest(t *testing.T) {
	t.Parallel()
	ops, users := vectorBodies(t)
	rapid.Check(t, func(t *rapid.T) {
		r, _ := stored(t, rapid.SampledFrom(users).Draw(t, "user"))
		var po patch.ParseOptions
		var ao patch.ApplyOptions
		if rapid.Bool().Draw(t, "tolerant") {
			po, ao = tolerant()
		}
		var texts []string
		for _, s := range rapid.SliceOfN(rapid.SampledFrom(ops), 1, 4).Draw(t, "operations") {
			if s = inner(s); s != "" {
				texts = append(texts, s)
			}
		}
		req, err := patch.Parse(r.Type(), body("["+strings.Join(texts, ",")+"]"), po)
		if err != nil {
			return
		}
		checkApply(t, r, req.Operations, ao)

		// Each operation works on the result of the one before.
		whole, err := patch.Apply(r, nil, req.Operations, ao)
		step := &patch.Result{Resource: r}
		var stepErr error
		for i := range req.Operations {
			if step, stepErr = patch.Apply(step.Resource, nil, req.Operations[i:i+1], ao); stepErr != nil {
				break
			}
		}
		var a, b *patch.Error
		switch {
		case (err == nil) != (stepErr == nil):
			t.Fatalf("together: %v, one by one: %v", err, stepErr)
		case err != nil:
			if errors.As(err, &a); !errors.As(stepErr, &b) || a.ScimType != b.ScimType || a.Index != b.Index {
				t.Errorf("together: %v, one by one: %v", err, stepErr)
			}
		case !whole.Resource.Equal(step.Resource):
			t.Errorf("together:   %s\none by one: %s", whole.Resource.Document(), step.Resource.Document())
		}
	})
}

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func stored(t fataler, representation string) (*resource.Resource, error) {
	d, err := resource.Decode(userType(), []byte(representation), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	return d.Resource.WithMeta(resource.Meta{ID: "c7a1"}), nil
}

// checkApply applies operations and checks what always holds: the input stays,
// an error comes alone, nothing changed is the same resource, what is reported
// is what differs, and the result is a document that can be kept and has at most
// one primary element for an attribute.
func checkApply(t fataler, r *resource.Resource, ops []patch.Operation, o patch.ApplyOptions) {
	before := bytes.Clone(r.Document())
	res, err := patch.Apply(r, nil, ops, o)
	if !bytes.Equal(before, r.Document()) {
		t.Fatalf("the input was changed:\n%s\n%s", before, r.Document())
	}
	var e *patch.Error
	if err != nil {
		if !errors.As(err, &e) || res != nil {
			t.Fatalf("error %v with %v", err, res)
		}
		if !slices.Contains([]string{"invalidSyntax", "invalidPath", "invalidFilter", "invalidValue", "noTarget", "mutability"}, e.ScimType) {
			t.Errorf("scimType %q", e.ScimType)
		}
		return
	}
	if (len(res.Changes) == 0) != (res.Resource == r) {
		t.Errorf("%d changes, same resource: %v", len(res.Changes), res.Resource == r)
	}
	if d := patch.Diff(r, res.Resource); !sameChanges(d, res.Changes) {
		t.Errorf("Changes are %s, Diff %s", changesText(res.Changes), changesText(d))
	}
	kept, err := resource.Decode(r.Type(), res.Resource.Document(), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Errorf("the result is no document: %v\n%s", err, res.Resource.Document())
		return
	}
	for _, c := range res.Changes {
		if !c.Path.ReadOnly() && !kept.Resource.Get(c.Path).Equal(withoutReadOnly(c.After)) {
			t.Errorf("%s is kept as %s, reported as %s", c.Path, kept.Resource.Get(c.Path).JSON(), c.After.JSON())
		}
	}
}

// withoutReadOnly drops what decoding a body drops.
func withoutReadOnly(v resource.Value) resource.Value {
	if v.Kind() == resource.KindObject {
		for part := range v.Members() {
			if part.Path().ReadOnly() {
				v = v.With(part.Path(), resource.Value{})
			}
		}
	}
	return v
}
