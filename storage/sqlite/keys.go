package sqlite

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/storage"
)

// keySet are the keys of a record that are rows of their own. The record keeps
// them too, so that a write finds out which of them change without looking for
// them: most writes change none.
type keySet struct {
	unique  []storage.UniqueKey
	entries []entry
}

type entry struct{ attr, key, qualifier string }

// columns are the keys of a record that are columns of its row.
type columns struct{ userName, externalID, displayName, active any }

// keysOf divides the keys of a record. Of an attribute with a column there is
// one key; further ones would be of an attribute that another schema made
// multi-valued, whose column queries do not use.
func keysOf(r *storage.Record) (keys keySet, cols columns) {
	keys.unique = r.Unique
	for _, e := range r.Index {
		switch sqlplan.Column(e.Attr) {
		case "":
			keys.entries = append(keys.entries, entry{e.Attr, e.Key, e.Qualifier})
		case "user_name":
			cols.userName = e.Key
		case "external_id":
			cols.externalID = e.Key
		case "display_name":
			cols.displayName = e.Key
		case "active":
			cols.active = e.Key
		}
	}
	return keys, cols
}

// without returns what is in k and not in other.
func (k keySet) without(other keySet) (rest keySet) {
	for _, u := range k.unique {
		if !slices.Contains(other.unique, u) {
			rest.unique = append(rest.unique, u)
		}
	}
	for _, e := range k.entries {
		if !slices.Contains(other.entries, e) {
			rest.entries = append(rest.entries, e)
		}
	}
	return rest
}

// encode writes the set as the column "keys" holds it: two lists, each its length
// and its texts.
func (k keySet) encode() []byte {
	b := binary.AppendUvarint([]byte{}, uint64(len(k.unique)))
	for _, u := range k.unique {
		b = appendText(appendText(b, u.Attr), u.Key)
	}
	b = binary.AppendUvarint(b, uint64(len(k.entries)))
	for _, e := range k.entries {
		b = appendText(appendText(appendText(b, e.attr), e.key), e.qualifier)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errKeys = errors.New("sqlite: the keys of a record are not what this package wrote")

// decodeKeys reads what encode wrote.
func decodeKeys(b []byte) (k keySet, err error) {
	d := decoder{rest: b}
	for range d.number() {
		k.unique = append(k.unique, storage.UniqueKey{Attr: d.text(), Key: d.text()})
	}
	for range d.number() {
		k.entries = append(k.entries, entry{d.text(), d.text(), d.text()})
	}
	if d.bad || len(d.rest) > 0 {
		return keySet{}, errKeys
	}
	return k, nil
}

// decoder reads numbers and texts. Once something is wrong it reads nothing but
// zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || n > uint64(len(d.rest)) {
		d.rest, d.bad = nil, true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.rest, d.bad = nil, true
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
