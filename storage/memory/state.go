package memory

import (
	"hash/maphash"
	"slices"

	"github.com/musterhq/muster/internal/cowtree"
	"github.com/musterhq/muster/storage"
)

// state is everything that a tenant keeps, at one moment. Readers have copies
// of it that never change; the writer's own is the tenant's.
type state struct {
	seed  maphash.Seed
	epoch uint64 // of the writer: what belongs to it may be changed in place

	tables   []*table // by number; types are never forgotten
	segments []segment
	rows     rows
	names    cowtree.Tree[hashed] // by type and id
	unique   cowtree.Tree[hashed] // by type, attribute and key
	out      cowtree.Tree[linked] // owner to target
	in       cowtree.Tree[linked] // target to owner
	log      changeLog
	counts   *counts // of a published state
}

// table is what is kept of one resource type, apart from the rows.
type table struct {
	epoch    uint64
	name     string
	number   uint16
	parts    []part
	indexes  []index // by number of the attribute
	created  cowtree.Tree[stamped]
	modified cowtree.Tree[stamped]
}

// part is the records of a table that are of one connection, and hidden or not.
// A page for one connection and a count walk over no others.
type part struct {
	connection string
	hidden     bool
	ids        cowtree.Tree[named]
}

// index holds the entries of one attribute. An attribute that is unique only has
// an index without entries.
type index struct {
	attr      string
	entries   cowtree.Tree[keyed]
	truncated int // how many entries have only the beginning of their value's key
}

// segment is the links of one relation whose targets are of one type.
type segment struct {
	owner    string
	relation string
	target   string
}

func newState() state {
	return state{
		seed:   maphash.MakeSeed(),
		epoch:  1,
		names:  cowtree.New(compareHashed),
		unique: cowtree.New(compareHashed),
		out:    cowtree.New(compareLinked),
		in:     cowtree.New(compareLinked),
		log:    changeLog{first: 1},
	}
}

// table returns the table of a type, nil when nothing was ever kept of it.
func (s *state) table(typ string) *table {
	for _, t := range s.tables { // a handful
		if t.name == typ {
			return t
		}
	}
	return nil
}

// ownTable returns the table of a type for writing. It makes one when there is
// none.
func (s *state) ownTable(typ string) *table {
	t := s.table(typ)
	switch {
	case t == nil:
		t = &table{
			epoch: s.epoch, name: typ, number: uint16(len(s.tables)),
			created: cowtree.New(compareStamped), modified: cowtree.New(compareStamped),
		}
		s.tables = append(slices.Clip(s.tables), t)
	case t.epoch != s.epoch:
		c := *t
		c.epoch, c.parts, c.indexes = s.epoch, slices.Clone(t.parts), slices.Clone(t.indexes)
		t = &c
		s.tables = slices.Clone(s.tables)
		s.tables[t.number] = t
	}
	return t
}

// part returns the part of an owned table for writing.
func (t *table) part(connection string, hidden bool) *part {
	for i := range t.parts {
		if p := &t.parts[i]; p.connection == connection && p.hidden == hidden {
			return p
		}
	}
	t.parts = append(t.parts, part{connection, hidden, cowtree.New(compareNamed)})
	return &t.parts[len(t.parts)-1]
}

// attr returns the number of an attribute; ok is false when no record has a key
// of it.
func (t *table) attr(name string) (number uint16, ok bool) {
	for i := range t.indexes {
		if t.indexes[i].attr == name {
			return uint16(i), true
		}
	}
	return 0, false
}

// ownAttr returns the number of an attribute of an owned table.
func (t *table) ownAttr(name string) uint16 {
	n, ok := t.attr(name)
	if !ok {
		n = uint16(len(t.indexes))
		t.indexes = append(t.indexes, index{attr: name, entries: cowtree.New(compareKeyed)})
	}
	return n
}

// len is the number of records in the table, visible to a query or not.
func (t *table) len() int { return t.created.Len() }

// spread tells the hashes of equal texts in different places apart.
const spread = 0x9e3779b97f4a7c15

func (s *state) nameHash(t *table, id string) uint64 {
	return maphash.String(s.seed, id) + uint64(t.number)*spread
}

func (s *state) uniqueHash(t *table, attr uint16, key string) uint64 {
	return maphash.String(s.seed, key) + (uint64(t.number)<<16+uint64(attr)+1)*spread
}

// find returns the row of a name, nil when there is none. Its record is nil when
// the name is only that of a link's target.
func (s *state) find(ref storage.Ref) *row {
	t := s.table(ref.Type)
	if t == nil {
		return nil
	}
	return s.findIn(t, ref.ID)
}

func (s *state) findIn(t *table, id string) *row {
	hash := s.nameHash(t, id)
	for probe := (hashed{hash: hash}); ; probe.slot++ {
		h, ok := s.names.Ceil(probe)
		if !ok || h.hash != hash {
			return nil
		}
		if r := s.rows.get(h.slot); r.who.id == id && r.who.typ == t.number {
			return r
		}
		probe.slot = h.slot
	}
}

// record returns the record of a name, nil when there is none.
func (s *state) record(ref storage.Ref) *storage.Record {
	if r := s.find(ref); r != nil {
		return r.rec
	}
	return nil
}

// holder returns the row of the record that holds a unique key, nil when it is
// free.
func (s *state) holder(t *table, u storage.UniqueKey) *row {
	attr, ok := t.attr(u.Attr)
	if !ok {
		return nil
	}
	hash := s.uniqueHash(t, attr, u.Key)
	for probe := (hashed{hash: hash}); ; probe.slot++ {
		h, ok := s.unique.Ceil(probe)
		if !ok || h.hash != hash {
			return nil
		}
		r := s.rows.get(h.slot)
		for i := range r.keys {
			if k := &r.keys[i]; k.unique && k.attr == attr && k.text == u.Key && r.who.typ == t.number {
				return r
			}
		}
		probe.slot = h.slot
	}
}

func (s *state) ref(who *ident) storage.Ref {
	return storage.Ref{Type: s.tables[who.typ].name, ID: who.id}
}

// ownSegment returns the number of a segment, which may be new.
func (s *state) ownSegment(g segment) int {
	if i := slices.Index(s.segments, g); i >= 0 {
		return i
	}
	s.segments = append(slices.Clip(s.segments), g)
	return len(s.segments) - 1
}
