package patch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// emit decodes the value of an operation on one target and adds the operation
// to the request. raw is nil when there was no value.
func (p *parser) emit(op Op, target Target, raw []byte, pathless bool) error {
	o := Operation{Op: op, Target: target, Index: p.index, Pathless: pathless}
	slot, _ := place(target.Path)
	if slot == p.typ.Common().Schemas {
		return nil // it follows from what is assigned
	}
	if p.readOnly(target.Path) {
		return o.readOnly(target.Path)
	}
	if raw != nil && !isNull(raw) {
		if op == Remove && namesNothing(raw) {
			p.ignored(target.String())
			return nil
		}
		var err error
		if target.Path == o.relation() {
			err = p.decodeMembers(&o, raw)
		} else {
			err = p.decode(&o, raw)
		}
		if err != nil {
			return err
		}
	}
	return p.append(o)
}

// readOnly reports whether clients cannot set what a path names.
func (p *parser) readOnly(path schema.Path) bool {
	_, backwards := path.Top().Inverse()
	return path.ReadOnly() && !(backwards && p.o.Inverses)
}

func (p *parser) append(o Operation) error {
	if len(p.req.Operations) >= p.o.MaxOperations {
		return p.tooMany()
	}
	if !o.relation().IsZero() && needsSelect(&o) {
		if p.selections++; p.selections > p.o.MaxSelections {
			return o.overLimit(fmt.Sprintf("more than %d operations have filters or parts of members for which present members must be read; use members[value eq \"id\"] or a list", p.o.MaxSelections))
		}
	}
	if p.req.Operations == nil {
		p.req.Operations = make([]Operation, 0, 4) // most requests are small
	}
	p.req.Operations = append(p.req.Operations, o)
	return nil
}

// decode reads the value of an operation on an attribute of the document, or on
// a part of a relation's members.
func (p *parser) decode(o *Operation, raw []byte) error {
	path, attr := o.Target.Path, o.Target.Path.Attribute()
	if isActive(path) && len(raw) == 2 && raw[0] == '"' {
		return nil // as null, which keeps the present value
	}
	if err := o.checkRecord(raw); err != nil {
		return err
	}
	element := attr.MultiValued && (raw[0] != '[' || o.selectsOne())
	v, err := p.decodeValue(path, raw, element)
	if err != nil {
		return o.valueError(err)
	}
	if element && !o.selectsOne() && !v.IsZero() {
		v = resource.Array(path, v)
	}
	o.Value = v
	// What was repaired to null is null, but on remove a value that is not null
	// never means everything.
	o.Given = !v.IsZero() || o.Op == Remove || raw[0] == '{' || attr.MultiValued
	if o.Op != Remove && attr.Type == schema.Complex && raw[0] == '{' {
		return p.cleared(o, raw)
	}
	return nil
}

// selectsOne reports whether the value stands for each single element that a
// filter selects.
func (op *Operation) selectsOne() bool {
	slot, sub := place(op.Target.Path)
	return op.Target.Where != nil && op.Op != Remove && (sub.IsZero() || !slot.Attribute().MultiValued)
}

// checkRecord demands an object where it takes the place of elements, or is laid
// over them. No repair makes one: what would become of the other parts is
// anybody's guess.
func (op *Operation) checkRecord(raw []byte) error {
	if op.selectsOne() && op.Target.Path.Attribute().Type == schema.Complex && raw[0] != '{' {
		return op.refuse(invalidValue, "the value for the elements that a filter selects must be one object")
	}
	return nil
}

// decodeValue decodes strictly first, in order to learn whether unknown names
// are there to be skipped.
func (p *parser) decodeValue(path schema.Path, raw []byte, element bool) (resource.Value, error) {
	o := resource.DecodeOptions{Repair: p.o.Repair, MaxDepth: p.o.MaxDepth, Partial: true, RejectUnknown: true}
	v, err := resource.DecodeValue(path, raw, element, o)
	if err == nil || !p.o.IgnoreUnknown {
		return v, err
	}
	o.RejectUnknown = false
	v, lenient := resource.DecodeValue(path, raw, element, o)
	if lenient != nil {
		return v, lenient
	}
	p.used("IgnoreUnknown")
	var d *resource.DecodeError
	if errors.As(err, &d) {
		for _, problem := range d.Problems {
			p.ignored(shorten(problem.Path))
		}
	}
	return v, nil
}

// cleared finds the sub-attributes that an object names as unassigned. Decoding
// leaves them out, as nothing tells them from absent ones in a new value; a
// merge has to know.
func (p *parser) cleared(o *Operation, raw []byte) error {
	if !bytes.Contains(raw, []byte("null")) && bytes.IndexByte(raw, '[') < 0 && bytes.IndexByte(raw[1:], '{') < 0 {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	return p.object(dec, "the value", func(key []byte) error {
		sub, known := o.Target.Path.LookupBytes(key)
		v, err := dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		empty := isNull(v) || (v[0] == '[' || v[0] == '{') && len(bytes.TrimSpace(v[1:len(v)-1])) == 0
		if known && empty && !sub.ReadOnly() {
			o.Cleared = append(o.Cleared, sub)
		}
		return nil
	})
}

// decodeMembers reads the value of an operation on a relation.
func (p *parser) decodeMembers(o *Operation, raw []byte) error {
	if err := o.checkRecord(raw); err != nil {
		return err
	}
	if raw[0] != '[' {
		raw = append(append([]byte{'['}, raw...), ']')
	}
	// Members are counted over the whole request, here; a body's length bounds
	// what one operation can hold.
	members, err := resource.DecodeMembers(o.Target.Path, raw, resource.DecodeOptions{
		Repair: p.o.Repair, MaxDepth: p.o.MaxDepth, MaxMembers: len(p.body),
	})
	if err != nil {
		return o.valueError(err)
	}
	if p.members += len(members); p.members > p.o.MaxMembers {
		return o.overLimit(fmt.Sprintf("the request has more than %d members; send them in parts", p.o.MaxMembers))
	}
	relation, _ := o.Target.Path.Relation()
	for i := range members {
		members[i].Type = canonicalType(relation, members[i].Type)
		if !p.knownType(relation, members[i].Type) {
			return o.overLimit(fmt.Sprintf("the request names more than %d resource types that the relation does not have", maxMemberTypes))
		}
	}
	o.Members, o.Given = members, true
	return nil
}

// maxMemberTypes bounds the types that members of one request can have beyond
// those of the relation. Entries of one id are told apart by type, one by one.
const maxMemberTypes = 32

// knownType remembers a type, and reports whether that was within the limit.
func (p *parser) knownType(r *schema.Relation, name string) bool {
	if name == "" || r == nil || slices.Contains(r.Targets, name) || slices.Contains(p.types, name) {
		return true
	}
	p.types = append(p.types, name)
	return len(p.types) <= maxMemberTypes
}

// canonicalType spells a resource type as its declaration does. Seen backwards, where
// r is nil, a relation has no types.
func canonicalType(r *schema.Relation, name string) string {
	if r == nil {
		return name
	}
	for _, t := range r.Targets {
		if strings.EqualFold(t, name) {
			return t
		}
	}
	return name
}

// isActive reports whether p is the attribute that says whether a resource is
// active, which only an explicit true turns on.
func isActive(p schema.Path) bool {
	return p.Attribute().Type == schema.Boolean && p.Parent().IsZero() && p.Name() == "active"
}
