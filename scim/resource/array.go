package resource

import "github.com/musterhq/muster/scim/schema"

// array reads the array of a multi-valued attribute.
func (d *decoder) array(p schema.Path, a *schema.Attribute) outcome {
	switch c := d.next(); c {
	case 'n':
		if !d.word("null") {
			return failed
		}
		return absent
	case '[':
	default:
		at := d.pos
		if !d.skip() {
			return failed
		}
		return d.misfit(p, at, false, wrongType(a, false, c), func() outcome { return d.array(p, a) })
	}
	if !d.enter() {
		return failed
	}
	d.pos++
	d.level++

	var primary schema.Path
	if a.Type == schema.Complex {
		if sub, ok := p.Lookup("primary"); ok && sub.Attribute().Type == schema.Boolean {
			primary = sub
		}
	}
	var twice repetitions
	result, primaries := absent, 0
	list := d.doc.open(p, KindArray)
	for n := 0; ; n++ {
		more, ok := d.more(']', n == 0)
		if !ok {
			return failed
		}
		if !more {
			break
		}
		d.index[d.level-1] = n
		d.primary, d.primaryAt = primary, -1
		m := d.doc.mark()
		d.doc.comma()
		element := len(d.doc.nodes)
		out := d.single(p, a, true)
		switch {
		case out == failed:
			return failed
		case out != assigned:
			d.doc.cut(m)
			if out == wrong {
				result = wrong
			}
		case d.mode&stored != 0:
			result = assigned
		case twice.has(d.doc, list, element):
			d.doc.cut(m)
		default:
			result = assigned
			if d.primaryAt >= 0 {
				if primaries++; primaries > 1 {
					d.report(Problem{Path: indexed(primary, d.index[:d.level]), Offset: d.primaryAt, Detail: "only one element can be primary"})
				}
			}
		}
	}
	d.level--
	d.primary = schema.Path{}
	if len(d.doc.nodes) == list+1 {
		return result
	}
	d.doc.close(list)
	return assigned
}

// repetitions finds elements of an array that repeat an earlier one.
type repetitions struct {
	n    int
	keys map[string]bool // once there are too many to compare each with each
}

// has reports whether element, the last one of the unfinished array at list,
// repeats an earlier one.
func (r *repetitions) has(doc *document, list, element int) bool {
	if r.n < pairwise {
		for i := list + 1; i < element; i += int(doc.nodes[i].size) {
			if alike(Value{doc, i}, Value{doc, element}, true) {
				return true
			}
		}
		r.n++
		return false
	}
	if r.keys == nil {
		r.keys = make(map[string]bool)
		for i := list + 1; i < element; i += int(doc.nodes[i].size) {
			r.keys[string(appendKey(nil, Value{doc, i}, true))] = true
		}
	}
	key := string(appendKey(nil, Value{doc, element}, true))
	if r.keys[key] {
		return true
	}
	r.keys[key] = true
	return false
}
