package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Target is what a path of a mapping means: an attribute, or a part of the
// element of a multi-valued attribute that Terms select.
type Target struct {
	// Attr is the attribute whose value the field holds: userName,
	// name.givenName, emails.value, or emails for all its elements.
	Attr schema.Path
	// Element is the multi-valued attribute that Attr is a part of, when the path
	// means one of its elements; else the zero Path.
	Element schema.Path
	// Terms are what the element is selected by: comparisons with eq of texts and
	// booleans, each of another sub-attribute, in the order of the schema. Without
	// any, it is the primary element, else the first.
	Terms []filter.Compare
}

// ParsePath reads a path of a mapping: a PATCH path (RFC 7644 section 3.5.2)
// whose filter is made of eq and and, with text in single or double quotes.
// Inside single quotes a quote is doubled, and nothing else is special. The
// error says what is wrong and, where it can, at which byte.
func ParsePath(t *schema.Type, path string) (Target, error) {
	plain, err := doubleQuotes(path)
	if err != nil {
		return Target{}, err
	}
	parsed, err := filter.ParsePath(plain, filter.ParseOptions{})
	if err != nil {
		return Target{}, err
	}
	p, err := t.Resolve(parsed.Name)
	if err != nil {
		return Target{}, err
	}
	if parsed.Filter == nil {
		target := Target{Attr: p}
		if m := p.MultiValued(); !m.IsZero() && m != p {
			target.Element = m
		}
		return target, nil
	}
	if p.Attribute().Type != schema.Complex {
		return Target{}, fmt.Errorf("the values of %s have no parts that brackets could ask about", p)
	}
	plan, err := filter.CompileElement(p, parsed.Filter, filter.Options{})
	if err != nil {
		return Target{}, err
	}
	target := Target{Attr: p, Element: p}
	if target.Terms, err = selection(plan); err != nil {
		return Target{}, err
	}
	if parsed.Sub == "" {
		return target, nil
	}
	sub, ok := p.Lookup(parsed.Sub)
	if !ok {
		return Target{}, fmt.Errorf("%s has no sub-attribute %q", p, parsed.Sub)
	}
	target.Attr = sub
	for _, c := range target.Terms {
		if c.Path == sub {
			return Target{}, fmt.Errorf("the brackets say already what %s is", sub)
		}
	}
	return target, nil
}

// selection returns the terms of a plan that elements can be made from.
func selection(plan *filter.Plan) ([]filter.Compare, error) {
	terms, ok := plan.Equalities()
	if !ok {
		return nil, errors.New("brackets may hold comparisons with eq joined by and, nothing else, because elements are made from them")
	}
	slices.SortFunc(terms, func(a, b filter.Compare) int { return cmp.Compare(a.Path.Position(), b.Path.Position()) })
	for i, c := range terms {
		if t := c.Path.Attribute().Type; t != schema.Boolean && t != schema.String && t != schema.Reference {
			return nil, fmt.Errorf("%s is %s; brackets may compare texts and booleans", c.Path, t)
		}
		if i > 0 && terms[i-1].Path == c.Path {
			return nil, fmt.Errorf("%s is compared twice", c.Path)
		}
	}
	return terms, nil
}

// doubleQuotes writes texts in single quotes as filters do.
func doubleQuotes(path string) (string, error) {
	var b strings.Builder
	for rest := path; rest != ""; {
		i := strings.IndexAny(rest, `'"`)
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		text, n, err := quoted(rest[i:])
		if err != nil {
			return "", fmt.Errorf("the text that begins at byte %d has no closing quote", len(path)-len(rest)+i)
		}
		b.WriteString(text)
		rest = rest[i+n:]
	}
	return b.String(), nil
}

var errUnclosed = errors.New("no closing quote")

// quoted reads the text in quotes that s begins with, and returns it in double
// quotes with its length in s.
func quoted(s string) (text string, n int, err error) {
	if s[0] == '"' {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return s[:i+1], i + 1, nil
			}
		}
		return "", 0, errUnclosed
	}
	var plain strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			plain.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			plain.WriteByte('\'')
			i++
			continue
		}
		raw, err := json.Marshal(plain.String())
		return string(raw), i + 1, err
	}
	return "", 0, errUnclosed
}

// String returns the path with canonical names, such as
// `emails[type eq "work"].value`.
func (t Target) String() string {
	if len(t.Terms) == 0 {
		return t.Attr.String()
	}
	var b strings.Builder
	b.WriteString(t.Element.String())
	for i, c := range t.Terms {
		b.WriteString([]string{"[", " and "}[min(i, 1)])
		b.WriteString(c.Path.Name())
		b.WriteString(" eq ")
		b.Write(termValue(c).JSON())
	}
	b.WriteByte(']')
	if t.Attr != t.Element {
		b.WriteByte('.')
		b.WriteString(t.Attr.Name())
	}
	return b.String()
}

// Touches reports whether a change of the attribute p, one of [scim.Effect] for
// instance, may change the target: p is Attr, lies in it or around it.
func (t Target) Touches(p schema.Path) bool { return around(t.Attr, p) || around(p, t.Attr) }

// around reports whether outer is inner or lies around it.
func around(outer, inner schema.Path) bool {
	for ; !inner.IsZero(); inner = inner.Parent() {
		if inner == outer {
			return true
		}
	}
	return false
}

// Selects reports whether terms, the demands of a filter on one element, are
// exactly those of the target, in any order.
func (t Target) Selects(terms []filter.Compare) bool {
	if len(terms) != len(t.Terms) {
		return false
	}
	for _, c := range t.Terms {
		if !slices.ContainsFunc(terms, func(d filter.Compare) bool { return sameTerm(c, d) }) {
			return false
		}
	}
	return true
}

func sameTerm(c, d filter.Compare) bool { return c.Path == d.Path && c.Op == d.Op && c.Key == d.Key }

// apart reports whether no element can satisfy the terms of both.
func (t Target) apart(o Target) bool {
	return slices.ContainsFunc(t.Terms, func(c filter.Compare) bool {
		return slices.ContainsFunc(o.Terms, func(d filter.Compare) bool { return c.Path == d.Path && c.Key != d.Key })
	})
}

// termValue is the value that satisfies a term.
func termValue(c filter.Compare) resource.Value {
	if c.Path.Attribute().Type == schema.Boolean {
		return resource.Boolean(c.Path, c.Bool)
	}
	return resource.Text(c.Path, c.Text)
}
