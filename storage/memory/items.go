package memory

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// ident is the lasting name of a record, from its first put until it is
// deleted, or of a link's target that is kept elsewhere. Versions of the record
// come and go below its slot.
type ident struct {
	id   string
	slot uint32
	typ  uint16 // number of the type's table
}

// The items of the trees are small and compare without following a pointer as
// long as that is possible: looking something up in a large tree costs the cache
// misses, not the instructions. Items that point at an ident order by its id; in
// probes it may be nil, which comes first.

// hashed leads from the hash of a name, or of a unique key, to a slot. Hashes may
// collide, so what the slot holds is compared too.
type hashed struct {
	hash uint64
	slot uint32
}

func compareHashed(a, b hashed) int {
	switch {
	case a.hash < b.hash:
		return -1
	case a.hash > b.hash:
		return 1
	}
	return cmp.Compare(a.slot, b.slot)
}

// named orders records by id.
type named struct {
	prefix uint64 // of the id
	who    *ident
}

func compareNamed(a, b named) int {
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return compareIdents(a.who, b.who)
}

// keyed orders records by an index key, then by id.
type keyed struct {
	key string
	who *ident
}

func compareKeyed(a, b keyed) int {
	if c := strings.Compare(a.key, b.key); c != 0 {
		return c
	}
	return compareIdents(a.who, b.who)
}

// stamped orders records by a time, then by id.
type stamped struct {
	sec  int64
	nsec uint32
	who  *ident
}

func compareStamped(a, b stamped) int {
	if a.sec != b.sec {
		return cmp.Compare(a.sec, b.sec)
	}
	if a.nsec != b.nsec {
		return cmp.Compare(a.nsec, b.nsec)
	}
	return compareIdents(a.who, b.who)
}

// noTime stands for the zero time, which is no value and sorts last.
const noTime = math.MaxInt64

func stamp(t time.Time, who *ident) stamped {
	if t.IsZero() {
		return stamped{sec: noTime, who: who}
	}
	return stamped{t.Unix(), uint32(t.Nanosecond()), who}
}

// linked is one link in one direction: from the record with a slot, in a
// segment, to another record. Links of one record are together, and inside a
// segment by the id of the other end.
type linked struct {
	from   uint64 // slot and segment
	prefix uint64 // of the other end's id
	who    *ident // the other end
}

func from(who *ident, segment int) uint64 { return uint64(who.slot)<<32 | uint64(segment) }

func (l linked) slot() uint32 { return uint32(l.from >> 32) }
func (l linked) segment() int { return int(uint32(l.from)) }

func link(a *ident, segment int, b *ident) linked { return linked{from(a, segment), prefix(b.id), b} }

func compareLinked(a, b linked) int {
	if a.from != b.from {
		return cmp.Compare(a.from, b.from)
	}
	if a.prefix != b.prefix {
		return cmp.Compare(a.prefix, b.prefix)
	}
	return compareIdents(a.who, b.who)
}

func compareIdents(a, b *ident) int {
	switch {
	case a == b:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return strings.Compare(a.id, b.id)
}

// prefix is the beginning of an id as a number of the same order.
func prefix(id string) uint64 {
	if len(id) >= 8 {
		return binary.BigEndian.Uint64([]byte(id[:8]))
	}
	var b [8]byte
	copy(b[:], id)
	return binary.BigEndian.Uint64(b[:])
}
