package resource_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
)

func manyMembers(n int) []resource.Member {
	list := make([]resource.Member, n)
	for i := range list {
		list[i] = resource.Member{ID: fmt.Sprintf("u%07d", i), Type: "User"}
	}
	return list
}

func each(list []resource.Member, last error) iter.Seq2[resource.Member, error] {
	return func(yield func(resource.Member, error) bool) {
		for _, m := range list {
			if !yield(m, nil) {
				return
			}
		}
		if last != nil {
			yield(resource.Member{}, last)
		}
	}
}

// chunks keeps what is written and the largest piece.
type chunks struct {
	bytes.Buffer
	largest, writes int
}

func (c *chunks) Write(p []byte) (int, error) {
	c.largest = max(c.largest, len(p))
	c.writes++
	return c.Buffer.Write(p)
}

func TestStreamedTextIsTheTextOfAppend(t *testing.T) {
	t.Parallel()
	group := document(t, groupType, `{"displayName":"g"}`).WithMeta(resource.Meta{ID: "1"})
	members := groupType.MustResolve("members")
	for _, n := range []int{0, 1, 2, 1000, 20_000} {
		all := manyMembers(n)
		whole := &resource.View{BaseURL: base, Endpoint: endpoints, Relations: []resource.RelationView{{Path: members, Members: all}}}
		want := string(resource.AppendJSON(nil, group, whole))
		for _, split := range []int{0, n / 3, n} {
			v := &resource.View{BaseURL: base, Endpoint: endpoints, Relations: []resource.RelationView{
				{Path: members, Members: all[:split], Rest: each(all[split:], nil)}}}
			var w chunks
			rest, err := resource.StreamJSON(&w, []byte("["), group, v)
			if err != nil {
				t.Fatal(err)
			}
			w.Buffer.Write(rest)
			if d := cmp.Diff("["+want, w.String()); d != "" {
				t.Fatalf("%d members, %d of them at once: %.500s", n, split, d)
			}
			if w.largest > resource.ChunkSize+1024 {
				t.Errorf("%d members: a piece of %d bytes", n, w.largest)
			}
			if n == 20_000 && w.writes < 20 {
				t.Errorf("%d members came in %d pieces", n, w.writes)
			}
		}
	}
}

func TestStreamEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	group := document(t, groupType, `{"displayName":"g"}`)
	broken := errors.New("broken")
	view := func(rest iter.Seq2[resource.Member, error]) *resource.View {
		return &resource.View{Relations: []resource.RelationView{{Path: groupType.MustResolve("members"), Rest: rest}}}
	}
	var w chunks
	rest, err := resource.StreamJSON(&w, nil, group, view(each(manyMembers(2000), broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the links", err)
	}
	if text := w.String() + string(rest); text[len(text)-1] == ']' || bytes.Contains([]byte(text), []byte(`"meta"`)) {
		t.Error("what was written looks complete")
	}
	_, err = resource.StreamJSON(failing{}, nil, group, view(each(manyMembers(2000), nil)))
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v, want that of the writer", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAllYieldsTheRestToo(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	v := resource.RelationView{Members: manyMembers(3)[:2], Rest: each(manyMembers(3)[2:], broken)}
	var ids []string
	var last error
	for m, err := range v.All() {
		if last = err; err == nil {
			ids = append(ids, m.ID)
		}
	}
	if d := cmp.Diff([]string{"u0000000", "u0000001", "u0000002"}, ids); d != "" || last != broken {
		t.Errorf("%v %s", last, d)
	}
	for range v.All() {
		break // and no more
	}
}

func TestIndirectLinksAreMarked(t *testing.T) {
	t.Parallel()
	user := document(t, userType, `{"userName":"a"}`)
	v := &resource.View{Relations: []resource.RelationView{{Path: userType.MustResolve("groups"),
		Members: []resource.Member{{ID: "1"}}, Indirect: []resource.Member{{ID: "2", Display: "Two"}}}}}
	got := string(resource.AppendJSON(nil, user, v))
	const want = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a",` +
		`"groups":[{"value":"1","type":"direct"},{"value":"2","type":"indirect","display":"Two"}],"meta":{"resourceType":"User"}}`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
