package patch

import (
	"iter"

	"github.com/musterhq/muster/scim/resource"
)

// sameMember reports whether two entries mean one member: ids are equal
// (RFC 7643 section 3.1: case exact), and types as far as both are known.
func sameMember(a, b resource.Member) bool {
	return a.ID == b.ID && (a.Type == b.Type || a.Type == "" || b.Type == "")
}

// identity is what of a member says whom it means.
func identity(m resource.Member) resource.Member {
	return resource.Member{ID: m.ID, Type: m.Type}
}

// filled returns m with what it lacks taken from more.
func filled(m, more resource.Member) resource.Member {
	if m.Type == "" {
		m.Type = more.Type
	}
	if m.Display == "" {
		m.Display = more.Display
	}
	if m.Ref == "" {
		m.Ref = more.Ref
	}
	return m
}

// memberSet is an ordered set of members that takes and gives up one in
// constant time. The zero memberSet is empty.
type memberSet struct {
	list  []resource.Member
	dead  []bool // nil while none is
	alive int

	// last and before chain the positions of members with one id, as position + 1;
	// nil while the members are few.
	last   map[string]int
	before []int
}

// manyMembers is from where on members are found by a map.
const manyMembers = 16

// append adds m without looking for it.
func (s *memberSet) append(m resource.Member) {
	s.list = append(s.list, m)
	s.alive++
	if s.dead != nil {
		s.dead = append(s.dead, false)
	}
	if s.last != nil {
		s.chain(len(s.list) - 1)
	}
}

func (s *memberSet) chain(i int) {
	id := s.list[i].ID
	s.before = append(s.before, s.last[id])
	s.last[id] = i + 1
}

func (s *memberSet) isDead(i int) bool { return s.dead != nil && s.dead[i] }

func (s *memberSet) kill(i int) {
	if s.dead == nil {
		s.dead = make([]bool, len(s.list), cap(s.list))
	}
	s.dead[i] = true
	s.alive--
}

func (s *memberSet) revive(i int) {
	s.dead[i] = false
	s.alive++
}

// positions yields the living members of an id, the last one first.
func (s *memberSet) positions(id string) iter.Seq[int] {
	return func(yield func(int) bool) {
		if len(s.list) < manyMembers {
			for i := len(s.list) - 1; i >= 0; i-- {
				if s.list[i].ID == id && !s.isDead(i) && !yield(i) {
					return
				}
			}
			return
		}
		if s.last == nil {
			s.last = make(map[string]int, 2*len(s.list))
			for i := range s.list {
				s.chain(i)
			}
		}
		for i := s.last[id]; i > 0; i = s.before[i-1] {
			if !s.isDead(i-1) && !yield(i-1) {
				return
			}
		}
	}
}

// find returns the position of a member that m means, the one of the very same
// type if there is one, or -1.
func (s *memberSet) find(m resource.Member) int {
	found := -1
	for i := range s.positions(m.ID) {
		if s.list[i].Type == m.Type {
			return i
		}
		if sameMember(s.list[i], m) {
			found = i
		}
	}
	return found
}

// put adds m, or what the member that it means lacks. It reports whether
// anything was new.
func (s *memberSet) put(m resource.Member) bool {
	i := s.find(m)
	if i < 0 {
		s.append(m)
		return true
	}
	full := filled(s.list[i], m)
	if full == s.list[i] {
		return false
	}
	s.list[i] = full
	return true
}

// matches yields the positions of all members that m means.
func (s *memberSet) matches(m resource.Member) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range s.positions(m.ID) {
			if sameMember(s.list[i], m) && !yield(i) {
				return
			}
		}
	}
}

// delete removes the member of exactly m's id and type.
func (s *memberSet) delete(m resource.Member) {
	for i := range s.positions(m.ID) {
		if s.list[i].Type == m.Type {
			s.kill(i)
		}
	}
}

// covers reports whether the set, as one of removals, removes m already.
func (s *memberSet) covers(m resource.Member) bool {
	for i := range s.positions(m.ID) {
		if s.list[i].Type == "" || s.list[i].Type == m.Type {
			return true
		}
	}
	return false
}

// all yields the members in order.
func (s *memberSet) all() iter.Seq[resource.Member] {
	return func(yield func(resource.Member) bool) {
		for i, m := range s.list {
			if !s.isDead(i) && !yield(m) {
				return
			}
		}
	}
}

// members returns the members in order. Without any it is nil.
func (s *memberSet) members() []resource.Member {
	switch s.alive {
	case 0:
		return nil
	case len(s.list):
		return s.list
	}
	members := make([]resource.Member, 0, s.alive)
	for m := range s.all() {
		members = append(members, m)
	}
	return members
}
