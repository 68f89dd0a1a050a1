package storage

import (
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Ref names a record inside a tenant. The type is part of it: a host's own ids
// may be "42" for a user and "42" for a group.
type Ref struct{ Type, ID string }

// Compare orders references by type, then id, bytewise. Locks and link pages
// follow this order.
func (r Ref) Compare(o Ref) int {
	switch {
	case r.Type < o.Type || r.Type == o.Type && r.ID < o.ID:
		return -1
	case r == o:
		return 0
	}
	return 1
}

// Record is everything a store keeps of one resource. It is immutable once
// handed over, in both directions.
type Record struct {
	Ref
	// Connection is the owning connection: the identity provider's link into the
	// tenant that created or adopted the resource. It may be empty.
	Connection string
	// Version is 1 on creation. The store sets it: whatever a Put holds here is
	// ignored.
	Version int64
	// Created is set by the first Put and kept by the store from then on. Modified
	// is the time of the last batch that took effect on the record. Both are UTC
	// with at least microseconds kept.
	Created, Modified time.Time
	// Hidden says that the resource is deleted for clients. A hidden record keeps
	// its unique keys. It has no links, unless [MissingKeep] makes one to it.
	Hidden bool
	// Label is what references to the resource show as "display".
	Label string
	// Doc is the resource as JSON without id, meta and relations, as
	// resource.Resource.Document gives it. A store returns exactly these bytes.
	Doc []byte
	// Index are the values by which the record can be found, without duplicates.
	// They follow from Doc. A store may keep them in any form or not at all, and
	// need not return them: what is put was made by [NewRecord].
	Index []Entry
	// Unique are the keys that no other record of the same type and tenant may
	// hold, hidden records included. They follow from Doc and Connection, and a
	// store need not return them either.
	Unique []UniqueKey

	// res is what NewRecord was given or a query parsed, perhaps with older
	// metadata. It is set when a record is made and never changed, since records are
	// shared. It counts only while its document is Doc.
	res *resource.Resource
}

// KeyKind says what an [Entry]'s key was made of, for stores with typed columns.
type KeyKind uint8

// The kinds of key. Whatever the kind, keys of one attribute compare bytewise.
const (
	TextKey KeyKind = iota
	NumberKey
	BooleanKey
	TimeKey
)

// Entry is one value under which a record is indexed.
type Entry struct {
	// Attr is the canonical full name of the attribute, such as "emails.value". It
	// is never meta.created or meta.lastModified, which are fields of the record.
	Attr string
	Kind KeyKind
	// Key is the value's key, as filter.Key makes it.
	Key string
	// Qualifier is, for elements of a complex multi-valued attribute, the key of
	// the element's "type"; empty otherwise.
	Qualifier string
	// Truncated says that Key is only the beginning of the value's key, see
	// [IndexKey]: a candidate found through it must be checked against the document.
	Truncated bool
}

// MaxKeyLength is the length in bytes beyond which an index key is truncated
// and a unique key is replaced by a hash. With what marks it, a unique key can
// be one byte longer.
const MaxKeyLength = 1024

// UniqueKey is one key that must be unique.
type UniqueKey struct {
	// Attr is the canonical full name of the attribute.
	Attr string
	// Key is the folded value with what scopes and marks it, or a hash of that;
	// opaque to the store and never empty.
	Key string
}

// Sort is the order of a query.
//
// Ascending order is: records with a key, by key bytewise, then records without
// one; ties by id. Descending is the exact reverse, ties included.
type Sort struct {
	// Path is the attribute, zero to sort by id alone. filter.SortKey gives a
	// record's key.
	Path       schema.Path
	Descending bool
}

// Position is a place in an order: behind the record with this key and id. In an
// order by id alone, Key and Absent do not count.
type Position struct {
	Key    string
	Absent bool // the record has no key
	ID     string
}
