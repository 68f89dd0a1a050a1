package patch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// target resolves a path. Its errors are those of packages filter and schema.
func (p *parser) target(text string) (Target, error) {
	if strings.IndexByte(text, '[') < 0 {
		path, err := p.name(text)
		if err == nil {
			return Target{Path: path}, nil
		}
		// A name that means nothing is told from a path that is none.
		if _, syntax := filter.ParsePath(text, p.o.Filter); syntax != nil {
			err = syntax
		}
		return Target{}, err
	}
	parsed, err := filter.ParsePath(text, p.o.Filter)
	if err != nil {
		return Target{}, err
	}
	path, err := p.name(parsed.Name)
	if err != nil {
		return Target{}, err
	}
	slot, _ := place(path)
	switch {
	case !path.Attribute().MultiValued:
		return Target{}, unfit("attribute %s has one value: a filter has nothing to choose from", path)
	case slot != path && slot.Attribute().MultiValued:
		return Target{}, unfit("a filter cannot choose among the values of %s, which lie inside values of %s", path, slot)
	}
	t := Target{Path: path}
	if parsed.Sub != "" {
		sub, ok := path.Lookup(parsed.Sub)
		if !ok {
			return Target{}, unfit("attribute %s has no sub-attribute %q", path, parsed.Sub)
		}
		t.Path = sub
	}
	t.Where, err = filter.CompileElement(path, parsed.Filter, p.o.Plan)
	return t, err
}

// unfit is the error of a path that is well formed and does not fit the type.
func unfit(format string, args ...any) error {
	return &filter.Error{Path: true, Unknown: true, Detail: fmt.Sprintf(format, args...)}
}

// name resolves a name, in the RFC's forms before those of the tolerance.
func (p *parser) name(name string) (schema.Path, error) {
	path, err := p.typ.Resolve(name)
	if err == nil || p.o.Names == 0 {
		return path, err
	}
	path, lenient := p.typ.ResolveForms(name, p.o.Names)
	if lenient != nil {
		return path, err
	}
	if len(name) >= 4 && strings.EqualFold(name[:4], "urn:") {
		p.used("DottedURN")
	} else {
		p.used("Unqualified")
	}
	return path, nil
}

// skips reports whether a path leads into a schema that the type does not have,
// and is to be skipped for that.
func (p *parser) skips(err error) bool {
	var n *schema.NameError
	if !p.o.SkipUnknownSchema || !errors.As(err, &n) || n.Reason != schema.UnknownSchema {
		return false
	}
	p.used("SkipUnknownSchema")
	return true
}
