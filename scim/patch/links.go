package patch

import (
	"strings"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// LinkEdit is the net effect of operations on one relation, in normal form, in
// which order no longer matters:
//
//	Reset false: (old − Remove) + Add
//	Reset true:  exactly Add
//
// Add and Remove are disjoint and without duplicates. A member without a type
// stands for any type: in Remove for all members of that id, in Add for the one
// that is there, if there is one. A member of one id may be in Add with and in
// Remove without a type, or the other way round; it is removed first.
type LinkEdit struct {
	Reset       bool
	Add, Remove []resource.Member
}

// IsZero reports whether the edit asks for nothing.
func (e LinkEdit) IsZero() bool { return !e.Reset && len(e.Add) == 0 && len(e.Remove) == 0 }

// FoldLinks folds the operations on one relation, in order, into one edit.
// selectMembers resolves a filter other than "value eq x", "value eq x and type
// eq y", or several of these joined by "or": it returns the present members that
// match, all of them for a nil filter. It may be nil when [NeedsSelect] is
// false; its error is returned as it is. Members that earlier operations of the
// request added or removed are considered by FoldLinks itself. Other errors are
// [*Error].
//
// A member that is removed and added again without a type keeps the type that
// it had. The time taken is linear in the members named, and in those selected.
//
// The parts of a member are immutable (RFC 7643 section 4.2): setting value or
// type to what it is changes nothing, setting a type that is missing adds it, and
// everything else is an error mutability. A link has no display and no $ref of
// its own, so that operations on these have no effect; [Apply], whose members are
// held in memory, treats them like the type.
func FoldLinks(ops []Operation, selectMembers func(where *filter.Plan) ([]resource.Member, error)) (LinkEdit, error) {
	f := fold{selectMembers: selectMembers}
	return f.all(ops)
}

// NeedsSelect reports whether folding the operations needs present members.
func NeedsSelect(ops []Operation) bool {
	for i := range ops {
		if needsSelect(&ops[i]) {
			return true
		}
	}
	return false
}

func needsSelect(op *Operation) bool {
	if _, sub := place(op.Target.Path); !sub.IsZero() {
		return true
	}
	if op.Target.Where == nil {
		return false
	}
	_, direct := namedBy(op.Target.Where)
	return op.Op != Remove || !direct
}

// fold is the edit so far.
type fold struct {
	selectMembers func(*filter.Plan) ([]resource.Member, error)
	inMemory      bool // members keep display and $ref
	requireTarget bool // every filter must match, that of a remove too
	reset         bool
	add, remove   memberSet
}

// all folds operations.
func (f *fold) all(ops []Operation) (LinkEdit, error) {
	for i := range ops {
		op := &ops[i]
		var err error
		switch {
		case op.Target.Where == nil && op.Target.Path == op.relation():
			f.whole(op)
		case f.requireTarget || needsSelect(op):
			err = f.selected(op)
		default:
			members, _ := namedBy(op.Target.Where)
			f.removeNamed(op, members)
		}
		if err != nil {
			return LinkEdit{}, err
		}
	}
	return LinkEdit{Reset: f.reset, Add: f.add.members(), Remove: f.remove.members()}, nil
}

// whole folds an operation on the relation as a whole.
func (f *fold) whole(op *Operation) {
	if op.Op == Replace || op.Op == Remove && !op.Given {
		f.reset, f.add, f.remove = true, memberSet{}, memberSet{}
	}
	for _, m := range op.Members {
		if op.Op == Remove {
			f.drop(m)
		} else {
			f.put(m)
		}
	}
}

func (f *fold) put(m resource.Member) {
	f.remove.delete(m)
	f.add.put(m)
}

func (f *fold) drop(m resource.Member) {
	for i := range f.add.matches(m) {
		f.add.kill(i)
	}
	if !f.reset && !f.remove.covers(m) {
		f.remove.append(identity(m))
	}
}

// removeNamed removes the members that a filter names by id, as far as the
// operation's value, if there is one, names them too.
func (f *fold) removeNamed(op *Operation, members []resource.Member) {
	listed := listOf(op)
	for _, m := range members {
		if listed == nil || listed.find(m) >= 0 {
			f.drop(m)
		}
	}
}

func listOf(op *Operation) *memberSet {
	if !op.Given || op.Op != Remove {
		return nil
	}
	var s memberSet
	for _, m := range op.Members {
		s.put(m)
	}
	return &s
}

// selected folds an operation on the members that a filter selects, or on a
// part of them.
func (f *fold) selected(op *Operation) error {
	members, err := f.matching(op)
	if err != nil {
		return err
	}
	relation, sub := place(op.Target.Path)
	switch {
	case len(members) == 0 && (op.Op != Remove || f.requireTarget && op.Target.Where != nil):
		return op.noTarget()
	case !sub.IsZero():
		for _, m := range members {
			if err := f.setPart(op, m); err != nil {
				return err
			}
		}
	case op.Op == Remove:
		f.removeNamed(op, members)
	case len(op.Members) == 0: // null: replace removes what it selects
		if op.Op == Replace {
			f.removeNamed(op, members)
		}
	default:
		// The id of a member is immutable: a record can only be replaced by one of
		// the same member.
		for _, m := range members {
			if !sameMember(m, op.Members[0]) {
				value, _ := relation.Lookup("value")
				return op.immutable(value)
			}
		}
		f.put(op.Members[0])
	}
	return nil
}

// matching returns the members that an operation selects, as they are after the
// operations before it.
func (f *fold) matching(op *Operation) ([]resource.Member, error) {
	var found memberSet
	if !f.reset {
		present, err := f.selectMembers(op.Target.Where)
		if err != nil {
			return nil, err
		}
		for _, m := range present {
			if f.remove.find(m) >= 0 {
				continue
			}
			// One that is added again may lack parts that the present one has.
			if i := f.add.find(m); i >= 0 {
				m = filled(m, f.add.list[i])
			}
			found.append(m)
		}
	}
	for _, m := range f.add.matching(op.Target.Where, op.relation()) {
		if found.find(m) < 0 {
			found.append(m)
		}
	}
	return found.members(), nil
}

// setPart folds an operation on one part of one member.
func (f *fold) setPart(op *Operation, m resource.Member) error {
	name := op.Target.Path.Name()
	part := memberPart(&m, name)
	if part == nil || !f.inMemory && (name == "display" || name == "$ref") {
		return nil // a part that is not kept
	}
	text := op.Value.Text()
	removes := op.Op == Remove || op.Value.IsZero()
	switch {
	case removes && (*part == "" || op.Given && *part != text):
		return nil
	case removes:
		return op.immutable(op.Target.Path)
	case *part == "":
		*part = text
		f.add.put(m)
		return nil
	case *part == text, name == "type" && strings.EqualFold(*part, text):
		return nil
	}
	return op.immutable(op.Target.Path)
}

func memberPart(m *resource.Member, name string) *string {
	switch name {
	case "value":
		return &m.ID
	case "type":
		return &m.Type
	case "display":
		return &m.Display
	case "$ref":
		return &m.Ref
	}
	return nil
}

// namedBy returns the members that a filter names by their ids. ok is false
// when it asks for anything else.
func namedBy(where *filter.Plan) (members []resource.Member, ok bool) {
	root, ok := where.Root().(filter.Any)
	if !ok {
		return nil, false
	}
	relation, forwards := root.Path.Relation()
	if _, backwards := root.Path.Inverse(); !forwards && !backwards {
		return nil, false
	}
	alternatives := []filter.Node{root.X}
	if or, several := root.X.(filter.Or); several {
		alternatives = or.Nodes
	}
	for _, x := range alternatives {
		terms := []filter.Node{x}
		if and, several := x.(filter.And); several {
			terms = and.Nodes
		}
		var m resource.Member
		for _, t := range terms {
			c, ok := t.(filter.Compare)
			if !ok || c.Op != filter.Eq {
				return nil, false
			}
			part := &m.ID
			switch c.Path.Name() {
			case "value":
			case "type":
				part = &m.Type
			default:
				return nil, false
			}
			if *part != "" || c.Text == "" {
				return nil, false
			}
			*part = c.Text
		}
		if m.ID == "" {
			return nil, false
		}
		m.Type = canonicalType(relation, m.Type)
		members = append(members, m)
	}
	return members, true
}

// selectFrom answers filters from members in memory.
func selectFrom(have []resource.Member, relation schema.Path) func(*filter.Plan) ([]resource.Member, error) {
	var set memberSet
	return func(where *filter.Plan) ([]resource.Member, error) {
		if set.list == nil {
			for _, m := range have {
				set.append(m)
			}
		}
		return set.matching(where, relation), nil
	}
}

// matching returns the members that a filter selects, all for nil. Those that it
// names are found without looking at the others.
func (s *memberSet) matching(where *filter.Plan, relation schema.Path) []resource.Member {
	if where == nil {
		return s.members()
	}
	var matching []resource.Member
	if named, direct := namedBy(where); direct {
		for _, n := range named {
			for i := range s.positions(n.ID) {
				if n.Type == "" || n.Type == s.list[i].Type {
					matching = append(matching, s.list[i])
				}
			}
		}
		return matching
	}
	for m := range s.all() {
		if where.MatchElement(memberValue(relation, m)) {
			matching = append(matching, m)
		}
	}
	return matching
}

// memberValue makes the element of the relation's attribute that a member is.
func memberValue(relation schema.Path, m resource.Member) resource.Value {
	var parts [4]resource.Value
	for i, name := range [...]string{"value", "type", "display", "$ref"} {
		if sub, ok := relation.Lookup(name); ok {
			if text := *memberPart(&m, name); text != "" {
				parts[i] = resource.Text(sub, text)
			}
		}
	}
	return resource.Object(relation, parts[:]...)
}

// ApplyLinks applies an edit to members held in memory. A member that is removed
// and added stays with all its parts. changed is false when the set is the same
// afterwards and no member has gained a type, display or $ref that it lacked;
// then have is returned as it is. have is not modified. The time taken is
// linear.
func ApplyLinks(have []resource.Member, e LinkEdit) (now []resource.Member, changed bool) {
	var old, next memberSet
	for _, m := range have {
		old.append(m)
	}
	if e.Reset {
		kept := 0
		for _, m := range e.Add {
			if i := old.find(m); i >= 0 {
				full := filled(old.list[i], m)
				changed = changed || full != old.list[i]
				old.kill(i)
				kept++
				m = full
			}
			next.put(m)
		}
		if changed = changed || kept != len(have) || len(next.list) != len(have); !changed {
			return have, false
		}
		return next.members(), true
	}
	var gone memberSet // with the positions that its members had
	var at []int
	for _, m := range e.Remove {
		for i := range old.matches(m) {
			gone.append(old.list[i])
			at = append(at, i)
			old.kill(i)
		}
	}
	for _, m := range e.Add {
		if old.find(m) < 0 {
			if i := gone.find(m); i >= 0 {
				gone.kill(i)
				old.revive(at[i])
			}
		}
		changed = old.put(m) || changed
	}
	if !changed && gone.alive == 0 {
		return have, false
	}
	return old.members(), true
}
