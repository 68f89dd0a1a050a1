package resource

import (
	"strings"

	"github.com/musterhq/muster/scim/schema"
)

// mode adjusts the decoder for input that is not a client's.
type mode uint8

const (
	keepReadOnly mode = 1 << iota // the host sets read-only attributes
	stored                        // a kept document: what does not fit is dropped, not refused
)

// outcome is what became of a value that the decoder read.
type outcome uint8

const (
	failed   outcome = iota // scanning cannot go on; the reason is in the scanner
	absent                  // unassigned: null, empty, or skipped
	wrong                   // reported as a problem, and not kept
	assigned                // stands at the end of the document
)

// decoder turns JSON text into a document, in one pass.
type decoder struct {
	scanner
	doc  *document
	o    DecodeOptions
	mode mode

	index [4]int // of the elements around the present value, outermost first
	level int    // how many of them there are

	shift   int  // where data starts in the body
	fixed   bool // data replaces the body's text at shift
	repairs int  // how many such texts are nested

	count      int // problems, those beyond maxProblems included
	problems   []Problem
	missing    []int // which problems are required attributes that are missing
	ignored    []string
	nulls      []schema.Path
	relations  Relations
	late       []late
	scratch    []byte
	memberType string // of the last member, shared by those that follow

	primary   schema.Path // the sub-attribute that one element may have true
	primaryAt int         // where in the body the last true one stood, -1 if there was none
}

func newDecoder(data []byte, o DecodeOptions, m mode) *decoder {
	depth := min(o.MaxDepth, 1000)
	if depth <= 0 {
		depth = 32
	}
	if o.MaxMembers <= 0 {
		o.MaxMembers = 100_000
	}
	return &decoder{scanner: scanner{data: data, maxDepth: depth}, o: o, mode: m}
}

// err returns what was wrong, or nil.
func (d *decoder) err() error {
	if d.reason != "" {
		d.report(Problem{Offset: d.offset(d.at), Syntax: true, Detail: d.reason})
	}
	if len(d.problems) == 0 {
		return nil
	}
	return &DecodeError{d.problems}
}

func (d *decoder) offset(pos int) int {
	if d.fixed {
		return d.shift
	}
	return d.shift + pos
}

func (d *decoder) report(p Problem) {
	d.count++
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, p)
	}
}

// problem reports what is wrong with the value of p at pos.
func (d *decoder) problem(p schema.Path, pos int, syntax bool, detail string) outcome {
	if d.mode&stored == 0 {
		if pos >= 0 {
			pos = d.offset(pos)
		}
		d.report(Problem{Path: indexed(p, d.index[:d.level]), Offset: pos, Syntax: syntax, Detail: detail})
	}
	return wrong
}

// end fails unless nothing but white space is left.
func (d *decoder) end() bool {
	if d.next() != 0 || d.pos < len(d.data) {
		return d.fail(d.pos, "there is more text behind the end of the JSON value")
	}
	return true
}

// body reads a whole resource.
func (d *decoder) body() {
	root := d.doc.home
	switch {
	case len(d.data) > maxText:
		d.fail(0, "the text is too long")
		return
	case d.next() != '{':
		if d.pos == len(d.data) {
			d.fail(d.pos, "the body is empty; a JSON object was expected")
		} else {
			d.fail(d.pos, "the body must be a JSON object")
		}
		return
	}
	listed := urns{at: -1}
	if d.object(root, &listed) == failed || !d.end() {
		return
	}
	d.applyLate()
	if !d.o.Partial && d.mode&stored == 0 {
		d.checkSchemas(&listed)
	}
}

// loose reads one value, with nothing behind it.
func (d *decoder) loose(p schema.Path, element bool) (Value, error) {
	d.doc = newDocument(p, len(d.data))
	var out outcome
	if element {
		out = d.single(p, p.Attribute(), true)
	} else {
		out = d.value(p, p.Attribute())
	}
	if out != failed {
		d.end()
	}
	if err := d.err(); err != nil || out != assigned {
		return Value{}, err
	}
	return d.doc.loose(), nil
}

// value reads the whole value of p.
func (d *decoder) value(p schema.Path, a *schema.Attribute) outcome {
	if a.MultiValued {
		return d.array(p, a)
	}
	return d.single(p, a, false)
}

// single reads the value of a single-valued attribute, or an element.
func (d *decoder) single(p schema.Path, a *schema.Attribute, element bool) outcome {
	c := d.next()
	at := d.pos
	switch c {
	case '"':
		if a.Type == schema.String || a.Type == schema.Reference || a.Type == schema.DateTime || a.Type == schema.Binary {
			return d.textValue(p, a, element)
		}
	case 't', 'f':
		if a.Type == schema.Boolean {
			word := "true"
			if c == 'f' {
				word = "false"
			} else if p == d.primary {
				d.primaryAt = d.offset(at)
			}
			if !d.word(word) {
				return failed
			}
			start := len(d.doc.text)
			d.doc.text = append(d.doc.text, word...)
			d.doc.scalar(p, KindBool, 0, start)
			return assigned
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if a.Type == schema.Decimal || a.Type == schema.Integer {
			return d.numberValue(p, a, element)
		}
	case '{':
		if a.Type == schema.Complex {
			return d.object(p, nil)
		}
	case 'n':
		if !d.word("null") {
			return failed
		}
		return absent
	}
	if !d.skip() {
		return failed
	}
	return d.misfit(p, at, element, wrongType(a, element, c), func() outcome { return d.single(p, a, element) })
}

func (d *decoder) textValue(p schema.Path, a *schema.Attribute, element bool) outcome {
	at := d.pos
	raw, what, ok := d.text()
	if !ok {
		return failed
	}
	if what&nul != 0 && d.mode&stored == 0 {
		return d.problem(p, at, false, "must not hold the character U+0000")
	}
	value, flags := raw, uint32(0)
	start := len(d.doc.text)
	if what == plain {
		d.doc.text = append(d.doc.text, d.data[at:d.pos]...)
	} else {
		d.scratch = unescape(d.scratch[:0], raw)
		value = d.scratch
		var esc bool
		if d.doc.text, esc = appendQuoted(d.doc.text, value); esc {
			flags = escaped
		}
	}
	if d.mode&stored == 0 {
		if a.Required && len(value) == 0 {
			return d.problem(p, at, false, "must not be empty")
		}
		if a.Type != schema.String && !wellFormed(a.Type, value) {
			d.doc.text = d.doc.text[:start]
			return d.misfit(p, at, element, malformed(a.Type), func() outcome { return d.single(p, a, element) })
		}
	}
	d.doc.scalar(p, KindText, flags, start)
	return assigned
}

func (d *decoder) numberValue(p schema.Path, a *schema.Attribute, element bool) outcome {
	at := d.pos
	integer, ok := d.number()
	if !ok {
		return failed
	}
	text, detail := d.data[at:d.pos], ""
	switch {
	case d.mode&stored != 0:
	case a.Type == schema.Integer && !integer:
		detail = "must be an integer, without fraction and exponent"
	case a.Type == schema.Integer && !isInt64(text):
		detail = "must be an integer of 64 bits"
	case a.Type == schema.Decimal && !isFloat64(text):
		detail = "must be a number in the range of float64"
	}
	if detail != "" {
		return d.misfit(p, at, element, detail, func() outcome { return d.single(p, a, element) })
	}
	start := len(d.doc.text)
	d.doc.text = append(d.doc.text, text...)
	d.doc.scalar(p, KindNumber, 0, start)
	return assigned
}

// maxUnknown bounds the unknown names of one object, which are remembered to see
// whether they are ambiguous.
const maxUnknown = 10_000

// object reads the object of a complex attribute, an extension or, with
// listed, of a whole resource.
func (d *decoder) object(parent schema.Path, listed *urns) outcome {
	if !d.enter() {
		return failed
	}
	d.pos++
	var (
		seen, given bitset // members that stood in the text, and those with a value
		unknown     map[string]bool
		aliases     []alias
		result      = absent
		before      = d.doc.mark()
		self        = d.doc.open(parent, KindObject)
	)
	for first := true; ; first = false {
		more, ok := d.more('}', first)
		if !ok {
			return failed
		}
		if !more {
			break
		}
		d.next()
		at := d.pos
		raw, esc, ok := d.name()
		if !ok {
			return failed
		}
		if esc {
			d.scratch = unescape(d.scratch[:0], raw)
			raw = d.scratch
		}
		p, known := parent.LookupBytes(raw)
		if !known {
			key := foldName(raw)
			if unknown[key] {
				d.ambiguous(parent, raw, at)
			}
			if unknown == nil {
				unknown = make(map[string]bool)
			}
			if unknown[key] = true; len(unknown) > maxUnknown {
				d.fail(at, "an object has too many unknown names")
				return failed
			}
			if a, ok := d.alias(parent, raw); ok {
				d.next()
				a.at = d.pos
				if !d.skip() {
					return failed
				}
				a.end = d.pos
				aliases = append(aliases, a)
				continue
			}
			d.unknown(parent, raw, at)
			if !d.skip() {
				return failed
			}
			continue
		}
		if seen.has(p.Position()) {
			d.ambiguous(parent, raw, at)
			if !d.skip() {
				return failed
			}
			continue
		}
		seen.set(p.Position())
		switch out := d.member(p, listed); out {
		case failed:
			return failed
		case wrong:
			result = wrong
			given.set(p.Position())
		case assigned:
			given.set(p.Position())
		}
	}
	for _, a := range aliases {
		switch {
		case a.path.Parent() != parent && (listed == nil || !a.path.Parent().IsZero()):
			d.postpone(parent, a)
		case seen.has(a.path.Position()):
			d.ignore(parent, a.key)
		default:
			seen.set(a.path.Position())
			given.set(a.path.Position())
			end := d.pos
			d.pos = a.at
			out := d.member(a.path, listed)
			d.pos = end
			switch out {
			case failed:
				return failed
			case wrong:
				result = wrong
			}
		}
	}
	if len(d.doc.nodes) == self+1 && listed == nil {
		d.doc.cut(before)
		return result
	}
	d.doc.close(self)
	if !d.o.Partial && d.mode&stored == 0 {
		d.requireMembers(parent, &given)
	}
	return assigned
}

// readsLinks reports whether the value of p are links, which are no part of the
// document.
func (d *decoder) readsLinks(p schema.Path) bool {
	if d.mode&stored != 0 {
		return false
	}
	_, forwards := p.Relation()
	_, backwards := p.Inverse()
	return forwards || backwards && d.o.Inverses
}

// member reads the value of p, whose name was read, and puts it into the object
// that is being built. listed is not nil at the top level.
func (d *decoder) member(p schema.Path, listed *urns) outcome {
	a := p.Attribute()
	if listed != nil {
		if d.readsLinks(p) {
			members, out := d.members(p)
			if out == absent || out == assigned {
				if d.relations == nil {
					d.relations = make(Relations, 1)
				}
				d.relations[p.Name()] = members
			}
			if out == absent {
				d.nulls = append(d.nulls, p)
			}
			return out
		}
		if p.Name() == "schemas" && p.IsCommon() {
			return d.schemas(p, listed)
		}
		if !p.InDocument() {
			return d.skipped()
		}
	}
	if a.Mutability == schema.ReadOnly && d.mode&(keepReadOnly|stored) == 0 {
		return d.skipped()
	}
	m := d.doc.mark()
	d.doc.name(p)
	out := d.value(p, a)
	if out == absent || out == wrong {
		d.doc.cut(m)
		if out == absent && listed != nil {
			d.nulls = append(d.nulls, p)
		}
	}
	return out
}

func (d *decoder) skipped() outcome {
	if !d.skip() {
		return failed
	}
	return absent
}

// requireMembers reports the required members of an object that were not given.
// schemas has a check of its own.
func (d *decoder) requireMembers(parent schema.Path, given *bitset) {
	for i := range parent.NumChildren() {
		p := parent.Child(i)
		if a := p.Attribute(); a.Required && a.Mutability != schema.ReadOnly && !given.has(i) && !p.IsCommon() {
			d.missing = append(d.missing, len(d.problems))
			d.problem(p, -1, false, "is required")
		}
	}
}

func (d *decoder) ambiguous(parent schema.Path, name []byte, at int) {
	if d.mode&stored == 0 {
		d.report(Problem{Path: d.below(parent, name), Offset: d.offset(at), Syntax: true,
			Detail: "the name stands twice in one object; names are equal whatever their letter case"})
	}
}

func (d *decoder) unknown(parent schema.Path, name []byte, at int) {
	switch {
	case d.mode&stored != 0:
	case d.o.RejectUnknown:
		d.report(Problem{Path: d.below(parent, name), Offset: d.offset(at), Detail: "the resource type has no such attribute"})
	default:
		d.ignore(parent, string(name))
	}
}

// below names an unknown member of parent, with the indexes of elements.
func (d *decoder) below(parent schema.Path, name []byte) string {
	return join(parent, indexed(parent, d.index[:d.level]), string(name))
}

func (d *decoder) ignore(parent schema.Path, name string) {
	const most = 20
	if len(d.ignored) < most {
		d.ignored = append(d.ignored, join(parent, parent.String(), name))
	}
}

// join prints a member's name behind what it stands in.
func join(parent schema.Path, prefix, name string) string {
	const most = 100
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	switch {
	case prefix == "":
		return name
	case parent.IsExtension():
		return prefix + ":" + name
	}
	return prefix + "." + name
}

// foldName makes the form in which unknown names are compared.
func foldName(name []byte) string { return schema.Fold(string(name)) }
