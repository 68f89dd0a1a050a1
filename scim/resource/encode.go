package resource

import (
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/schema"
)

// View says how a resource is shown to a client.
type View struct {
	// Projection selects attributes; nil shows the default set.
	Projection *Projection
	// BaseURL is the service root without a trailing slash. With it,
	// meta.location and each $ref are absolute; without it they are left out.
	BaseURL string
	// Endpoint returns the endpoint of a resource type, such as "/Users", for
	// $ref, and "" for types that are not served. Nil leaves every $ref out.
	Endpoint func(resourceType string) string
	// Relations are the links to show, by attribute: members of a group, groups of
	// a user. One without Members is an empty array. The projection applies to
	// them too.
	Relations []RelationView
}

// RelationView is one relation attribute as it is shown.
type RelationView struct {
	Path schema.Path
	// Members are the other ends. An empty Type means the relation's first target,
	// or for a relation shown backwards its owner. Ref is not used.
	Members []Member
	// Rest yields the members behind Members of a relation that is too long to be
	// held in memory; nil when there are no more. It ends with the first error. Only
	// [StreamJSON] and [RelationView.All] read it.
	Rest iter.Seq2[Member, error]
	// Indirect are the ends that a relation shown backwards reaches by nesting only.
	// They are shown behind the others, with the type "indirect".
	Indirect []Member
}

// All yields Members and then Rest.
func (v *RelationView) All() iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		for _, m := range v.Members {
			if !yield(m, nil) {
				return
			}
		}
		if v.Rest != nil {
			v.Rest(yield)
		}
	}
}

// AppendJSON appends r as a client sees it: schemas, id, the attributes that the
// projection lets through, relations without their Rest, and meta (RFC 7643
// section 3, RFC 7644 section 3.9). Attributes that are never returned are left
// out whatever the projection says. Where nothing is to be left out, the kept
// document is copied as bytes. The zero View is shown for nil.
func AppendJSON(dst []byte, r *Resource, v *View) []byte {
	e := newEncoder(dst, r, v)
	e.resource()
	return e.dst
}

// StreamJSON is AppendJSON with the Rest of relations, for resources whose text
// is too long to be held in memory: whenever dst holds some [ChunkSize] bytes, all
// but the last of them are written to w. It returns what is not written yet.
//
// An error is w's or that of a Rest. The text that was written until then is the
// beginning of a JSON document and must not be completed: whoever reads it must
// notice that something is missing.
func StreamJSON(w io.Writer, dst []byte, r *Resource, v *View) ([]byte, error) {
	e := newEncoder(dst, r, v)
	e.w = w
	e.resource()
	return e.dst, e.err
}

// ChunkSize is how many bytes [StreamJSON] gathers before it writes.
const ChunkSize = 32 << 10

func newEncoder(dst []byte, r *Resource, v *View) encoder {
	e := encoder{dst: slices.Grow(dst, len(r.doc.text)+512), r: r}
	if v != nil {
		e.v, e.pr = *v, v.Projection
	}
	return e
}

type encoder struct {
	dst []byte
	r   *Resource
	v   View
	pr  *Projection
	w   io.Writer // nil: everything stays in dst
	err error
}

func (e *encoder) resource() {
	e.schemas()
	if id := e.r.meta.ID; id != "" {
		e.dst = append(e.dst, `,"id":`...)
		e.dst, _ = appendQuoted(e.dst, id)
	}
	e.document()
	for i := range e.v.Relations {
		if rel := &e.v.Relations[i]; e.pr.extent(rel.Path) != nothing {
			if e.relation(rel); e.err != nil {
				return
			}
		}
	}
	e.meta()
	e.dst = append(e.dst, '}')
}

// flush writes what has been gathered, if that is much. The last byte stays: it
// tells whether a comma comes next.
func (e *encoder) flush() {
	if e.w == nil || len(e.dst) < ChunkSize {
		return
	}
	last := len(e.dst) - 1
	if _, e.err = e.w.Write(e.dst[:last]); e.err == nil {
		e.dst = append(e.dst[:0], e.dst[last])
	}
}

// name begins a member of the object that is being written.
func (e *encoder) name(s string) {
	if c := e.dst[len(e.dst)-1]; c != '{' && c != '[' {
		e.dst = append(e.dst, ',')
	}
	e.dst = append(e.dst, '"')
	e.dst = append(e.dst, s...)
	e.dst = append(e.dst, '"', ':')
}

// schemas begins the resource. A URN that the schema compiler accepts needs no
// escapes.
func (e *encoder) schemas() {
	t := e.r.doc.typ
	e.dst = append(e.dst, `{"schemas":["`...)
	e.dst = append(e.dst, t.Schema()...)
	for i, x := range t.Extensions() {
		if e.r.doc.extended(i) {
			e.dst = append(e.dst, '"', ',', '"')
			e.dst = append(e.dst, x.Name()...)
		}
	}
	e.dst = append(e.dst, '"', ']')
}

// document writes the members of the kept document that are shown.
func (e *encoder) document() {
	d := e.r.doc
	if e.pr == nil && !d.hides {
		if inside := d.text[1 : len(d.text)-1]; len(inside) > 0 {
			e.dst = append(e.dst, ',')
			e.dst = append(e.dst, inside...)
		}
		return
	}
	e.members(Value{d, 0})
}

func (e *encoder) members(v Value) {
	for m := range v.each {
		p := m.Path()
		switch e.pr.extent(p) {
		case all:
			e.name(p.Name())
			e.dst = append(e.dst, m.JSON()...)
		case some:
			before := len(e.dst)
			e.name(p.Name())
			if !e.part(m) {
				e.dst = e.dst[:before]
			}
		}
	}
}

// part writes what is shown of a complex value of which not everything is, or
// reports false when that is nothing. What it wrote then is the caller's to
// take back.
func (e *encoder) part(v Value) bool {
	start := len(e.dst)
	if v.Kind() == KindArray {
		e.dst = append(e.dst, '[')
		for element := range v.each {
			before := len(e.dst)
			if before > start+1 {
				e.dst = append(e.dst, ',')
			}
			if !e.part(element) {
				e.dst = e.dst[:before]
			}
		}
		e.dst = append(e.dst, ']')
	} else {
		e.dst = append(e.dst, '{')
		e.members(v)
		e.dst = append(e.dst, '}')
	}
	return len(e.dst) > start+2
}

// relation writes links. The sub-attribute type of a relation that is shown
// backwards says how the link came about where the schema has a word for that
// (RFC 7643 section 4.1.2).
func (e *encoder) relation(rel *RelationView) {
	l := e.linkShape(rel.Path)
	e.name(rel.Path.Name())
	e.dst = append(e.dst, '[')
	for i := range rel.Members {
		e.link(&l, &rel.Members[i])
		if e.flush(); e.err != nil {
			return
		}
	}
	if rel.Rest != nil && e.w != nil {
		*e = e.rest(rel.Rest, l)
	}
	if e.err != nil {
		return
	}
	if l.origin != "" {
		l.origin = "indirect"
	}
	for i := range rel.Indirect {
		e.link(&l, &rel.Indirect[i])
	}
	e.dst = append(e.dst, ']')
}

// rest continues the links of a relation. It works on a copy, since an encoder that
// an iterator's body refers to is allocated, for those without a rest too.
func (e *encoder) rest(members iter.Seq2[Member, error], l linkShape) encoder {
	c := *e
	for m, err := range members {
		if c.err = err; err == nil {
			c.link(&l, &m)
			c.flush()
		}
		if c.err != nil {
			break
		}
	}
	return c
}

// linkShape is what is shown of each link of a relation.
type linkShape struct {
	value, ref, kind, display bool
	other                     string // the type at the other end when the link names none
	origin                    string // shown as the type, in place of the other end's
}

func (e *encoder) linkShape(p schema.Path) (l linkShape) {
	sub := func(name string) (shown bool) {
		s, ok := p.Lookup(name)
		if !ok {
			return name == "display" && (e.pr == nil || e.pr.extent(p) == all)
		}
		return e.pr.extent(s) != nothing
	}
	l.value, l.ref, l.kind, l.display = sub("value"), sub("$ref"), sub("type"), sub("display")
	l.ref = l.ref && e.v.Endpoint != nil && e.v.BaseURL != ""
	if r, ok := p.Relation(); ok {
		l.other = r.Targets[0]
	} else if r, ok := p.Inverse(); ok {
		l.other = r.Owner
		if r.TellsOrigin() {
			l.origin = "direct"
		}
	}
	return l
}

func (e *encoder) link(l *linkShape, m *Member) {
	other := m.Type
	if other == "" {
		other = l.other
	}
	before := len(e.dst)
	if e.dst[before-1] != '[' {
		e.dst = append(e.dst, ',')
	}
	e.dst = append(e.dst, '{')
	if l.value {
		e.name("value")
		e.dst, _ = appendQuoted(e.dst, m.ID)
	}
	if l.ref {
		if endpoint := e.v.Endpoint(other); endpoint != "" {
			e.name("$ref")
			e.location(endpoint, m.ID)
		}
	}
	if l.kind {
		if l.origin != "" {
			other = l.origin
		}
		e.name("type")
		e.dst, _ = appendQuoted(e.dst, other)
	}
	if l.display && m.Display != "" {
		e.name("display")
		e.dst, _ = appendQuoted(e.dst, m.Display)
	}
	if e.dst[len(e.dst)-1] == '{' { // nothing of it was asked for
		e.dst = e.dst[:before]
		return
	}
	e.dst = append(e.dst, '}')
}

// shows reports whether one of the common attributes is shown, which all of them
// are by default.
func (e *encoder) shows(p schema.Path) bool { return e.pr == nil || e.pr.extent(p) != nothing }

func (e *encoder) meta() {
	t, m := e.r.doc.typ, &e.r.meta
	c := t.Common()
	if !e.shows(c.Meta) {
		return
	}
	start := len(e.dst)
	e.dst = append(e.dst, `,"meta":{`...)
	if e.shows(c.ResourceType) {
		e.name("resourceType")
		e.dst, _ = appendQuoted(e.dst, t.Name())
	}
	if !m.Created.IsZero() && e.shows(c.Created) {
		e.name("created")
		e.time(m.Created)
	}
	if !m.LastModified.IsZero() && e.shows(c.LastModified) {
		e.name("lastModified")
		e.time(m.LastModified)
	}
	if e.v.BaseURL != "" && m.ID != "" && e.shows(c.Location) {
		e.name("location")
		e.location(t.Endpoint(), m.ID)
	}
	if m.Version != "" && e.shows(c.Version) {
		e.name("version")
		e.dst = append(e.dst, `"W/\"`...)
		// The tag's quotes are part of the text, so the version goes inside them
		// without its own.
		before := len(e.dst)
		e.dst, _ = appendQuoted(e.dst, m.Version)
		e.dst = append(e.dst[:before], e.dst[before+1:len(e.dst)-1]...)
		e.dst = append(e.dst, `\""`...)
	}
	if e.dst[len(e.dst)-1] == '{' {
		e.dst = e.dst[:start]
		return
	}
	e.dst = append(e.dst, '}')
}

func (e *encoder) time(t time.Time) {
	e.dst = append(e.dst, '"')
	e.dst = appendTime(e.dst, t.UTC())
	e.dst = append(e.dst, '"')
}

// location writes a string literal with the URI of a resource.
func (e *encoder) location(endpoint, id string) {
	before := len(e.dst)
	e.dst = append(e.dst, '"')
	e.dst = append(e.dst, e.v.BaseURL...)
	e.dst = append(e.dst, endpoint...)
	odd := false
	for _, c := range e.dst[before+1:] {
		if special[c] {
			odd = true
			break
		}
	}
	if e.dst = appendSegment(e.dst, id); odd { // from an odd base URL
		uri := string(e.dst[before+1:])
		e.dst, _ = appendQuoted(e.dst[:before], uri)
		return
	}
	e.dst = append(e.dst, '"')
}

// Location returns the absolute URI of a resource: base, endpoint, id escaped
// as one path segment. base has no trailing slash, endpoint starts with one.
func Location(base, endpoint, id string) string {
	return string(AppendLocation(make([]byte, 0, len(base)+len(endpoint)+len(id)+1), base, endpoint, id))
}

// AppendLocation appends what [Location] returns.
func AppendLocation(dst []byte, base, endpoint, id string) []byte {
	dst = append(dst, base...)
	dst = append(dst, endpoint...)
	return appendSegment(dst, id)
}

// appendSegment appends a slash and an id, escaped as one segment of a path.
func appendSegment(dst []byte, id string) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '/')
	if id == "." || id == ".." {
		return append(dst, "%2E%2E"[:3*len(id)]...)
	}
	for i := 0; ; {
		from := i
		for i < len(id) && unreserved[id[i]] {
			i++
		}
		if dst = append(dst, id[from:i]...); i == len(id) {
			return dst
		}
		dst = append(dst, '%', hex[id[i]>>4], hex[id[i]&15])
		i++
	}
}

// unreserved are the bytes that stand for themselves in a segment of a path.
var unreserved = func() (t [256]bool) {
	const marks = "-_~:@."
	for c := range t {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(marks, byte(c)) >= 0
	}
	return t
}()

// appendTime appends a time in UTC as RFC 3339 with as many digits of a second as
// it has. It does what the time package does, for the years that have four digits,
// in a fraction of the time: lists write two times for each resource.
func appendTime(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, time.RFC3339Nano)
	}
	hour, minute, second := t.Clock()
	text := [...]byte{19: '.', 29: 'Z'}
	twoDigits(&text, 0, year/100)
	twoDigits(&text, 2, year%100)
	text[4] = '-'
	twoDigits(&text, 5, int(month))
	text[7] = '-'
	twoDigits(&text, 8, day)
	text[10] = 'T'
	twoDigits(&text, 11, hour)
	text[13] = ':'
	twoDigits(&text, 14, minute)
	text[16] = ':'
	twoDigits(&text, 17, second)
	end := 19
	if ns := t.Nanosecond(); ns != 0 {
		twoDigits(&text, 20, ns/10_000_000)
		twoDigits(&text, 22, ns/100_000%100)
		twoDigits(&text, 24, ns/1000%100)
		twoDigits(&text, 26, ns/10%100)
		text[28] = byte('0' + ns%10)
		for end = 29; text[end-1] == '0'; end-- {
		}
	}
	text[end] = 'Z'
	return append(dst, text[:end+1]...)
}

// twoDigits writes a number below 100 at a place in a text.
func twoDigits(text *[30]byte, at, n int) {
	text[at], text[at+1] = byte('0'+n/10), byte('0'+n%10)
}
