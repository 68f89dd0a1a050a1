package resource

import (
	"fmt"
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// urns is what a body's "schemas" lists.
type urns struct {
	at      int // where it stands, -1 when it is missing
	wrong   bool
	core    bool
	foreign bool
	all     []string
}

// schemas reads the attribute of that name.
func (d *decoder) schemas(p schema.Path, l *urns) outcome {
	c := d.next()
	l.at = d.offset(d.pos)
	switch c {
	case 'n':
		if !d.word("null") {
			return failed
		}
		l.at = -1
		return absent
	case '[':
	default:
		at := d.pos
		if !d.skip() {
			return failed
		}
		out := d.misfit(p, at, false, wrongType(p.Attribute(), false, c), func() outcome { return d.schemas(p, l) })
		l.wrong = out == wrong
		return out
	}
	if !d.enter() {
		return failed
	}
	d.pos++
	const most = 100 // a list for Repair and no more
	t := d.doc.typ
	for n := 0; ; n++ {
		more, ok := d.more(']', n == 0)
		if !more {
			if !ok {
				return failed
			}
			return absent
		}
		if c := d.next(); c != '"' {
			at := d.pos
			if !d.skip() {
				return failed
			}
			l.wrong = true
			d.problem(p, at, false, wrongType(p.Attribute(), true, c))
			continue
		}
		raw, what, ok := d.text()
		if !ok {
			return failed
		}
		if what != plain {
			d.scratch = unescape(d.scratch[:0], raw)
			raw = d.scratch
		}
		switch {
		case len(raw) == len(t.Schema()) && strings.EqualFold(string(raw), t.Schema()):
			l.core = true
		case !isExtension(t, raw):
			l.foreign = true
		}
		if d.o.Repair != nil && len(l.all) < most {
			l.all = append(l.all, string(raw))
		}
	}
}

func isExtension(t *schema.Type, urn []byte) bool {
	p, ok := t.Root().LookupBytes(urn)
	return ok && p.IsExtension()
}

// checkSchemas judges what was listed (RFC 7643 section 3.3). An extension whose
// data is there need not be listed: it is plain what the client means.
func (d *decoder) checkSchemas(l *urns) {
	t := d.doc.typ
	if l.wrong || l.core && !l.foreign || d.o.Repair != nil && d.o.Repair.Schemas(t, l.all) {
		return
	}
	detail := fmt.Sprintf("must list the schema %q", t.Schema())
	if l.core {
		detail = "lists a schema that the resource type " + t.Name() + " does not have"
	} else if l.at < 0 {
		detail = fmt.Sprintf("is required and must list the schema %q", t.Schema())
	}
	d.report(Problem{Path: "schemas", Offset: l.at, Syntax: true, Detail: detail})
}
