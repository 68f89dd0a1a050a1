package resource

import (
	"bytes"

	"github.com/musterhq/muster/scim/schema"
)

// misfit deals with the value of p that was read from at on and does not fit:
// an empty one is unassigned, another is repaired, with read to read the result,
// or it is a problem.
func (d *decoder) misfit(p schema.Path, at int, element bool, detail string, read func() outcome) outcome {
	const maxRepairs = 3 // a repaired array may hold elements that need repair
	raw := d.data[at:d.pos]
	// An object where an array belongs is of the wrong type, empty or not.
	if isEmptyJSON(raw) && !(raw[0] == '{' && p.Attribute().MultiValued && !element) {
		return absent
	}
	if d.o.Repair != nil && d.repairs < maxRepairs {
		if fixed, ok := d.o.Repair.Value(p, raw, element); ok {
			before, m := *d, d.doc.mark()
			d.data, d.pos, d.depth = fixed, 0, 0
			d.shift, d.fixed, d.repairs = d.offset(at), true, d.repairs+1
			out := read()
			good := out != failed && d.end() && d.count == before.count
			if !good {
				d.doc.cut(m)
				*d = before
				return d.problem(p, at, false, detail)
			}
			d.scanner = before.scanner
			d.shift, d.fixed, d.repairs = before.shift, before.fixed, before.repairs
			return out
		}
	}
	return d.problem(p, at, false, detail)
}

// isEmptyJSON reports whether raw is null, [] or {}.
func isEmptyJSON(raw []byte) bool {
	if len(raw) < 2 || string(raw) == "null" {
		return len(raw) > 0 && raw[0] == 'n'
	}
	first, last := raw[0], raw[len(raw)-1]
	return (first == '[' && last == ']' || first == '{' && last == '}') && len(bytes.TrimLeft(raw[1:len(raw)-1], " \t\r\n")) == 0
}

// alias is a member under a name that Repair found the attribute for.
type alias struct {
	path    schema.Path
	key     string
	at, end int
}

// alias asks Repair which attribute an unknown name means.
func (d *decoder) alias(parent schema.Path, name []byte) (alias, bool) {
	if d.o.Repair == nil {
		return alias{}, false
	}
	key := string(name)
	p, ok := d.o.Repair.Name(parent, key)
	return alias{path: p, key: key}, ok && !p.IsZero()
}

// late is a value under a repaired name that belongs elsewhere in the resource.
type late struct {
	path  schema.Path
	key   string
	raw   []byte
	shift int
}

// postpone keeps a value that belongs to another object until the body is read.
// Which element of a multi-valued attribute it would mean nobody can say.
func (d *decoder) postpone(parent schema.Path, a alias) {
	around := a.path.Parent()
	if d.level > 0 || d.doc.typ == nil || !a.path.InDocument() || !around.IsZero() && !around.MultiValued().IsZero() {
		d.ignore(parent, a.key)
		return
	}
	d.late = append(d.late, late{a.path, a.key, d.data[a.at:a.end], d.offset(a.at)})
}

// applyLate puts the postponed values where they belong. Attributes that seemed
// to be missing may have come with them, so that check is made again.
func (d *decoder) applyLate() {
	if len(d.late) == 0 {
		return
	}
	b := (&Resource{doc: d.doc}).Edit()
	for _, l := range d.late {
		if l.path.ReadOnly() && d.mode&keepReadOnly == 0 {
			continue
		}
		if !b.Value(l.path).IsZero() {
			d.ignore(schema.Path{}, l.key)
			continue
		}
		sub := newDecoder(l.raw, d.o, d.mode)
		sub.shift, sub.fixed = l.shift, d.fixed
		v, err := sub.loose(l.path, false)
		if err != nil {
			for _, p := range sub.problems {
				d.report(p)
			}
			continue
		}
		b.SetValue(l.path, v)
	}
	d.doc = b.Resource().doc
	if d.o.Partial {
		return
	}
	kept := d.problems[:0]
	for i, p := range d.problems {
		if len(d.missing) > 0 && d.missing[0] == i {
			d.missing = d.missing[1:]
			continue
		}
		kept = append(kept, p)
	}
	d.problems = kept
	for _, p := range missing(d.doc, false) {
		if !hasPath(kept, p.Path) {
			d.report(p)
		}
	}
}

func hasPath(ps []Problem, path string) bool {
	for _, p := range ps {
		if p.Path == path {
			return true
		}
	}
	return false
}
