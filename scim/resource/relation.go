package resource

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/musterhq/muster/scim/schema"
)

// Member is one entry of a relation attribute, such as a group's members, as a
// client sent it or as it is shown.
type Member struct {
	ID      string // the sub-attribute "value"
	Type    string // resource type, or "" when the client named none
	Display string
	Ref     string // "$ref" as sent; made by the server on output
}

// Relations are the relation attributes that a body named, by canonical
// attribute name. An absent key was not named, an empty slice was named and
// empty: the difference decides whether a PUT empties a group.
type Relations map[string][]Member

// members reads the array of a relation attribute. The result is not nil unless
// reading failed or something was wrong. Nothing but null and [] says that there
// are none: a value that fails to name members, such as {} or [null], is a mistake
// that must not empty a group.
func (d *decoder) members(p schema.Path) ([]Member, outcome) {
	c := d.next()
	switch c {
	case 'n':
		if !d.word("null") {
			return nil, failed
		}
		return []Member{}, absent
	case '[':
	default:
		at := d.pos
		if !d.skip() {
			return nil, failed
		}
		if c == '{' && isEmptyJSON(d.data[at:d.pos]) {
			return nil, d.problem(p, at, false, wrongType(p.Attribute(), false, c))
		}
		members := []Member{}
		out := d.misfit(p, at, false, wrongType(p.Attribute(), false, c), func() (out outcome) {
			members, out = d.members(p)
			return out
		})
		return members, out
	}
	if !d.enter() {
		return nil, failed
	}
	start := d.pos
	d.pos++
	d.level++
	members, result := []Member{}, absent
	rel, _ := p.Relation()
	var seen memberSet
	n := 0
	for ; ; n++ {
		more, ok := d.more(']', n == 0)
		if !ok {
			return nil, failed
		}
		if !more {
			break
		}
		if n == d.o.MaxMembers {
			d.level--
			d.problem(p, start, false, fmt.Sprintf("has more than %d entries", d.o.MaxMembers))
			d.level++
			result = wrong
		}
		if n >= d.o.MaxMembers {
			if !d.skip() {
				return nil, failed
			}
			continue
		}
		d.index[d.level-1] = n
		m, out := d.entry(p)
		switch out {
		case failed:
			return nil, failed
		case wrong:
			result = wrong
		case assigned:
			if seen.add(rel, m) {
				members = append(members, m)
			}
			if result == absent {
				result = assigned
			}
		}
	}
	d.level--
	switch {
	case result == wrong:
		return nil, wrong
	case n > 0 && result == absent:
		return nil, d.problem(p, start, false, "has entries that name nothing; send [] or null to empty it")
	}
	return members, result
}

// memberSet finds entries that name one resource twice. Without a type, an
// entry is taken to be of the relation's first target.
type memberSet struct {
	few  []Member
	many map[Member]struct{}
}

// add reports whether m is new.
func (s *memberSet) add(r *schema.Relation, m Member) bool {
	key := Member{ID: m.ID, Type: m.Type}
	if key.Type == "" && r != nil {
		key.Type = r.Targets[0]
	}
	if len(s.few) < pairwise {
		if slices.Contains(s.few, key) {
			return false
		}
		s.few = append(s.few, key)
		return true
	}
	if s.many == nil {
		s.many = make(map[Member]struct{})
		for _, k := range s.few {
			s.many[k] = struct{}{}
		}
	}
	n := len(s.many)
	s.many[key] = struct{}{}
	return len(s.many) > n
}

// entry reads one element of a relation attribute.
func (d *decoder) entry(p schema.Path) (m Member, out outcome) {
	c := d.next()
	at := d.pos
	switch c {
	case 'n':
		if !d.word("null") {
			return m, failed
		}
		return m, absent
	case '{':
	default:
		if !d.skip() {
			return m, failed
		}
		out = d.misfit(p, at, true, wrongType(p.Attribute(), true, c), func() (out outcome) {
			m, out = d.entry(p)
			return out
		})
		return m, out
	}
	if !d.enter() {
		return m, failed
	}
	d.pos++
	var seen [4]bool
	var unknown map[string]bool
	for first := true; ; first = false {
		more, ok := d.more('}', first)
		if !ok {
			return m, failed
		}
		if !more {
			break
		}
		d.next()
		nameAt := d.pos
		raw, esc, ok := d.name()
		if !ok {
			return m, failed
		}
		if esc {
			d.scratch = unescape(d.scratch[:0], raw)
			raw = d.scratch
		}
		i := -1
		for k, name := range memberNames {
			if bytes.EqualFold(raw, name) {
				i = k
			}
		}
		if i < 0 {
			key := foldName(raw)
			if unknown[key] {
				d.ambiguous(p, raw, nameAt)
			}
			if unknown == nil {
				unknown = make(map[string]bool)
			}
			if unknown[key] = true; len(unknown) > maxUnknown {
				d.fail(nameAt, "an object has too many unknown names")
				return m, failed
			}
			if _, known := p.LookupBytes(raw); !known {
				d.unknown(p, raw, nameAt)
			}
			if !d.skip() {
				return m, failed
			}
			continue
		}
		if seen[i] {
			d.ambiguous(p, raw, nameAt)
			out = wrong
		}
		seen[i] = true
		switch d.memberText(p, i, &m) {
		case failed:
			return m, failed
		case wrong:
			out = wrong
		}
	}
	switch {
	case out == wrong:
		return m, wrong
	case m.ID == "":
		return m, d.problem(p, at, false, `needs a "value" that is not empty`)
	}
	return m, assigned
}

var memberNames = [...][]byte{[]byte("value"), []byte("type"), []byte("display"), []byte("$ref")}

// memberText reads the sub-attribute number i of memberNames into m. A relation need
// not declare all of them (RFC 7643 section 2.4 does).
func (d *decoder) memberText(p schema.Path, i int, m *Member) outcome {
	field := [...]*string{&m.ID, &m.Type, &m.Display, &m.Ref}[i]
	c := d.next()
	at := d.pos
	sub, ok := p.LookupBytes(memberNames[i])
	if !ok {
		sub = p
	}
	switch c {
	case 'n':
		if !d.word("null") {
			return failed
		}
		return absent
	case '"':
		raw, what, ok := d.text()
		if !ok {
			return failed
		}
		if what&nul != 0 {
			return d.problem(sub, at, false, "must not hold the character U+0000")
		}
		if what != plain {
			d.scratch = unescape(d.scratch[:0], raw)
			raw = d.scratch
		}
		if field != &m.Type {
			*field = string(raw)
		} else {
			if string(raw) != d.memberType {
				d.memberType = string(raw)
			}
			m.Type = d.memberType
		}
		return assigned
	}
	if !d.skip() {
		return failed
	}
	return d.misfit(sub, at, false, "must be a string, not "+jsonKind(c), func() outcome { return d.memberText(p, i, m) })
}
