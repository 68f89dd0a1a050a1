package filter

import (
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// LinkTest answers a Linked node for the resource with that id.
type LinkTest func(id string, l Linked) bool

// Match reports whether r, which must be of the plan's type, satisfies the plan.
// links may be nil when [Plan.UsesLinks] is false. Match allocates nothing for
// resources whose text is ASCII without escapes, unless it looks for a text of
// over 64 bytes inside others.
func (p *Plan) Match(r *resource.Resource, links LinkTest) bool {
	if p == nil {
		return true
	}
	m := matcher{r: r, links: links}
	return m.holds(&p.test, resource.Value{})
}

// MatchElement reports whether one element satisfies a plan of
// [CompileElement].
func (p *Plan) MatchElement(v resource.Value) bool {
	if p == nil {
		return true
	}
	m := matcher{}
	return p.test.kind == testAny && m.holds(&p.test.parts[0], v)
}

// testKind is what a test asks.
type testKind uint8

const (
	testAnd testKind = iota
	testOr
	testNegate
	testAny
	testLinked
	testConst
	testPresent
	testText   // compares text
	testFolded // compares text without regard to case
	testNumber
	testBool
	testTime
)

// test is a node made ready to be evaluated many times: everything that does
// not depend on the resource is looked up.
type test struct {
	kind  testKind
	op    Op
	yes   bool // operand of testBool; value of testConst
	field field
	key   []byte    // operand of comparisons
	time  time.Time // operand of testTime
	// path leads from the resource, or from the element in question, to the value.
	path   []schema.Path
	parts  []test
	linked *Linked
}

// newTest prepares a node. Within the elements of a multi-valued attribute,
// element is that attribute.
func newTest(n Node, element schema.Path) test {
	switch n := n.(type) {
	case And:
		return test{kind: testAnd, parts: newTests(n.Nodes, element)}
	case Or:
		return test{kind: testOr, parts: newTests(n.Nodes, element)}
	case Negate:
		return test{kind: testNegate, parts: newTests([]Node{n.X}, element)}
	case Any:
		return test{kind: testAny, path: steps(n.Path, element), parts: newTests([]Node{n.X}, n.Path)}
	case Present:
		return test{kind: testPresent, path: steps(n.Path, element), field: fieldOf(n.Path)}
	case Compare:
		t := test{kind: comparisonKind(n.Path), op: n.Op, yes: n.Bool, key: []byte(n.Key), time: n.Time}
		t.path, t.field = steps(n.Path, element), fieldOf(n.Path)
		return t
	case Linked:
		return test{kind: testLinked, linked: &n}
	case Const:
		return test{kind: testConst, yes: bool(n)}
	}
	panic("filter: a plan holds a node that is none of this package's")
}

func newTests(nodes []Node, element schema.Path) []test {
	tests := make([]test, len(nodes))
	for i, n := range nodes {
		tests[i] = newTest(n, element)
	}
	return tests
}

// steps returns the attributes to go through from the element, or from the
// resource when that is zero, to p.
func steps(p, element schema.Path) []schema.Path {
	if p.IsZero() || p == element {
		return nil
	}
	return append(steps(p.Parent(), element), p)
}

func comparisonKind(p schema.Path) testKind {
	switch a := p.Attribute(); a.Type {
	case schema.Boolean:
		return testBool
	case schema.Integer, schema.Decimal:
		return testNumber
	case schema.DateTime:
		return testTime
	default:
		if a.CaseExact {
			return testText
		}
		return testFolded
	}
}

// matcher evaluates a plan for one resource.
type matcher struct {
	r     *resource.Resource
	links LinkTest
}

// holds evaluates a test; v is the element in question, zero outside Any.
func (m *matcher) holds(t *test, v resource.Value) bool {
	switch t.kind {
	case testAnd:
		for i := range t.parts {
			if !m.holds(&t.parts[i], v) {
				return false
			}
		}
		return true
	case testOr:
		for i := range t.parts {
			if m.holds(&t.parts[i], v) {
				return true
			}
		}
		return false
	case testNegate:
		return !m.holds(&t.parts[0], v)
	case testLinked:
		return m.links(m.r.ID(), *t.linked)
	case testConst:
		return t.yes
	}
	if t.field.isBeside() {
		return m.fieldHolds(t)
	}
	path := t.path
	if v.IsZero() && t.field == fieldSchemas && t.kind == testText {
		return m.schemasHold(t)
	}
	if v.IsZero() && len(path) > 0 {
		v, path = m.r.Get(path[0]), path[1:]
	}
	return m.reach(t, v, path)
}

// reach goes down from v and evaluates the test on the values it finds, until
// one satisfies it.
func (m *matcher) reach(t *test, v resource.Value, path []schema.Path) bool {
	switch {
	case v.IsZero():
		return false
	case v.Kind() == resource.KindArray:
		for e := range v.Elements() {
			if m.reach(t, e, path) {
				return true
			}
		}
		return false
	case len(path) > 0:
		return m.reach(t, v.Get(path[0]), path[1:])
	case t.kind == testAny:
		return m.holds(&t.parts[0], v)
	}
	return t.value(v)
}

// fieldHolds evaluates a test on an attribute beside the document.
func (m *matcher) fieldHolds(t *test) bool {
	meta := m.r.Meta()
	switch t.field {
	case fieldID:
		return t.text(meta.ID)
	case fieldVersion:
		return t.text(shownVersion(meta))
	case fieldResourceType:
		return t.text(m.r.Type().Name())
	case fieldLocation:
		return t.text(m.r.Type().Endpoint() + "/" + meta.ID)
	case fieldCreated:
		return t.instant(meta.Created)
	}
	return t.instant(meta.LastModified)
}

// schemasHold evaluates a comparison with the URNs of the core schema and of the
// extensions that have a value.
func (m *matcher) schemasHold(t *test) bool {
	typ := m.r.Type()
	if t.text(typ.Schema()) {
		return true
	}
	for _, e := range typ.Extensions() {
		if !m.r.Get(e).IsZero() && t.text(e.Schema()) {
			return true
		}
	}
	return false
}

// text evaluates a test on a text beside the document. Its absence is empty.
func (t *test) text(s string) bool {
	if t.kind == testPresent || s == "" {
		return s != ""
	}
	var buf [128]byte // ids and URNs are shorter, and so this stays off the heap
	return compareText(t.op, append(buf[:0], s...), t.key)
}

// instant evaluates a test on a time beside the document.
func (t *test) instant(at time.Time) bool {
	if t.kind == testPresent || at.IsZero() {
		return !at.IsZero()
	}
	return compareOrder(t.op, clampTime(at).Compare(t.time))
}

// value evaluates a test on one value.
func (t *test) value(v resource.Value) bool {
	switch t.kind {
	case testPresent:
		return isPresent(v)
	case testText:
		return v.Kind() == resource.KindText && compareText(t.op, v.Bytes(), t.key)
	case testFolded:
		return v.Kind() == resource.KindText && compareFolded(t.op, v.Bytes(), t.key)
	case testBool:
		return v.Kind() == resource.KindBool && v.Bool() == t.yes
	case testNumber:
		if v.Kind() != resource.KindNumber {
			return false
		}
		var buf [64]byte
		return compareText(t.op, appendNumberKey(buf[:0], v.JSON()), t.key)
	case testTime:
		at, ok := v.Time()
		return ok && compareOrder(t.op, clampTime(at).Compare(t.time))
	}
	return false
}

// isPresent reports whether v is or holds something non-empty that clients may
// see: what they may not must not show in the answer either.
func isPresent(v resource.Value) bool {
	switch v.Kind() {
	case resource.KindNone:
		return false
	case resource.KindText:
		return len(v.JSON()) > len(`""`)
	case resource.KindObject:
		for sub := range v.Members() {
			if isPresent(sub) && !sub.Path().Secret() {
				return true
			}
		}
		return false
	case resource.KindArray:
		for e := range v.Elements() {
			if isPresent(e) {
				return true
			}
		}
		return false
	}
	return true
}
