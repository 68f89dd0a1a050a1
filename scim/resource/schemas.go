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
	list    []byte // the text from the list's first element on
}

// mostURNs bounds the URNs that Repair is told of.
const mostURNs = 100

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
	l.list = d.data[d.pos:]
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
		case string(raw) == t.Schema() || len(raw) == len(t.Schema()) && strings.EqualFold(string(raw), t.Schema()):
			l.core = true
		case !t.HasExtension(raw):
			l.foreign = true
		}
	}
}

// checkSchemas judges what was listed (RFC 7643 section 3.3). An extension whose
// data is there need not be listed: it is plain what the client means.
func (d *decoder) checkSchemas(l *urns) {
	t := d.doc.typ
	if l.wrong || l.core && !l.foreign || d.o.Repair != nil && d.o.Repair.Schemas(t, d.listed(l)) {
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

// listed reads the URNs once more, now that somebody wants them as strings. The
// text has been read before, so nothing can be wrong with it.
func (d *decoder) listed(l *urns) (all []string) {
	data, pos := d.data, d.pos
	defer func() { d.data, d.pos = data, pos }()
	d.data, d.pos = l.list, 0
	for len(all) < mostURNs {
		if more, _ := d.more(']', len(all) == 0); !more {
			break
		}
		if d.next() != '"' {
			break
		}
		raw, what, _ := d.text()
		if what != plain {
			raw = unescape(nil, raw)
		}
		all = append(all, string(raw))
	}
	return all
}
