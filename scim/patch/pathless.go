package patch

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/schema"
)

// pathless reads an operation without a path: each member of its value acts as
// an operation on the attribute of that name (RFC 7644 sections 3.5.2.1 and
// 3.5.2.3).
func (p *parser) pathless(op Op, value []byte) error {
	if op == Remove {
		return &Error{ScimType: noTarget, Index: p.index, Detail: "remove needs a path; a value does not say what to remove"}
	}
	if len(value) == 0 || value[0] != '{' {
		return &Error{ScimType: invalidValue, Index: p.index, Detail: op.String() + " without a path needs a value that is an object of attributes"}
	}
	return p.attributes(op, p.typ.Root(), value, true)
}

// extension reads an operation on a whole extension, whose value is an object
// of attributes. Without one, the extension is unassigned.
func (p *parser) extension(op Op, ext schema.Path, value []byte, pathless bool) error {
	switch {
	case value == nil || isNull(value):
		return p.append(Operation{Op: op, Target: Target{Path: ext}, Index: p.index, Pathless: pathless})
	case op == Remove && namesNothing(value):
		p.ignored(ext.String())
		return nil
	case value[0] != '{':
		return &Error{ScimType: invalidValue, Index: p.index, Path: ext.String(), Detail: "an extension's value must be an object of its attributes"}
	}
	return p.attributes(op, ext, value, pathless)
}

// attributes reads an object of attributes: of the resource, when parent is the
// root, or of an extension.
func (p *parser) attributes(op Op, parent schema.Path, value []byte, pathless bool) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(value))
	var few [4]uint64 // enough for most types, without allocating
	seen := append(few[:0], make([]uint64, p.typ.Len()/64+1)...)
	first := func(path schema.Path) bool {
		bit, word := uint64(1)<<(path.Index()%64), &seen[path.Index()/64]
		was := *word
		*word |= bit
		return was&bit == 0
	}
	return p.object(dec, "the value", func(key []byte) error {
		raw, err := dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		end := dec.InputOffset()
		raw = value[end-int64(len(raw)) : end]
		path, ok := parent.LookupBytes(key)
		if !ok {
			return p.otherKey(op, parent, string(key), raw, pathless, first)
		}
		if !first(path) {
			return p.twice(path.String())
		}
		return p.member(op, Target{Path: path}, raw, pathless)
	})
}

// otherKey reads a member whose name is not that of an attribute. first notes an
// attribute and reports whether it is new: an object that has "active" under two
// names must not be read as whichever comes last.
func (p *parser) otherKey(op Op, parent schema.Path, key string, raw []byte, pathless bool, first func(schema.Path) bool) error {
	full := key
	if parent.IsExtension() {
		full = parent.String() + ":" + key
	}
	plain := !strings.ContainsAny(key, ".:[")
	if p.o.KeysAsPaths || plain && p.o.Names&schema.Unqualified != 0 {
		target, err := p.target(full)
		switch {
		case err == nil:
			if !plain {
				p.used("KeysAsPaths")
			}
			if target.Where == nil && !first(target.Path) {
				return p.twice(target.Path.String())
			}
			return p.member(op, target, raw, pathless)
		case strings.Contains(key, "["):
			// Whoever writes a bracket means a path, and a path is not skipped.
			return pathError(p.index, full, err)
		case p.skips(err):
			p.ignored(printable(full))
			return nil
		}
	}
	if p.o.Repair != nil {
		if path, ok := p.o.Repair.Name(parent, key); ok {
			return p.member(op, Target{Path: path}, raw, pathless)
		}
	}
	if !p.o.IgnoreUnknown {
		_, err := p.typ.Resolve(full)
		if err == nil {
			err = errors.New("a key is no path")
		}
		e := pathError(p.index, full, err)
		e.Detail = fmt.Sprintf("resource type %s has no attribute of this name", p.typ.Name())
		return e
	}
	p.used("IgnoreUnknown")
	p.ignored(printable(full))
	return nil
}

// member reads one member of an object of attributes.
func (p *parser) member(op Op, target Target, raw []byte, pathless bool) error {
	path := target.Path
	if path.IsExtension() {
		return p.extension(op, path, raw, pathless)
	}
	if pathless && p.readOnly(path) {
		return p.readOnlyMember(op, target, raw)
	}
	return p.emit(op, target, raw, pathless)
}

// readOnlyMember reads a member that clients cannot set, and often send back.
// Whether it repeats the present value is for Apply to find out.
func (p *parser) readOnlyMember(op Op, target Target, raw []byte) error {
	path := target.Path
	_, backwards := path.Top().Inverse()
	switch {
	case p.o.IgnoreReadOnly:
		p.used("IgnoreReadOnly")
		p.ignored(path.String())
		return nil
	case backwards && (isNull(raw) || namesNothing(raw)):
		// Nobody claims a membership with an empty list of groups.
		p.ignored(path.String())
		return nil
	case path == p.typ.Common().Meta && raw[0] == '{':
		return p.attributes(op, path, raw, true)
	case backwards || target.Where != nil:
		o := Operation{Op: op, Target: target, Index: p.index}
		return o.readOnly(path)
	}
	o := Operation{Op: op, Target: target, Index: p.index, Pathless: true}
	if err := p.decode(&o, raw); err != nil {
		return err
	}
	return p.append(o)
}
