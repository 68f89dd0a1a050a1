package kv

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/musterhq/muster/storage"
)

// The kinds of key, each followed by the tenant and:
const (
	recordKind   = 'r' // type, id                                              -> record
	uniqueKind   = 'u' // type, attribute, key                                  -> id of the holder
	indexKind    = 'i' // type, attribute, key, id                              -> nothing
	outKind      = 'o' // owner type, owner id, relation, target type, target id -> nothing
	inKind       = 't' // target type, target id, owner type, relation, owner id -> nothing
	counterKind  = 'n' //                                                       -> number of the last change
	changeKind   = 'c' // number                                                -> change
	deltaKind    = 'd' // number, relation, target type, target id, removed or added -> nothing
	separator    = "\x00"
	removedDelta = "0" // sorts before addedDelta: a link goes before it comes back
	addedDelta   = "1"
)

func key(kind byte, parts ...string) []byte {
	return []byte(string(kind) + strings.Join(parts, separator))
}

// prefix is the start of all keys that have these components and more.
func prefix(kind byte, parts ...string) []byte {
	return append(key(kind, parts...), separator...)
}

// components takes a key apart: its tenant and what follows.
func components(k []byte) []string { return strings.Split(string(k[1:]), separator) }

func recordKey(tenant string, r storage.Ref) []byte {
	return key(recordKind, tenant, r.Type, r.ID)
}

func uniqueKey(tenant, typ string, u storage.UniqueKey) []byte {
	return key(uniqueKind, tenant, typ, u.Attr, u.Key)
}

func indexKey(tenant string, r storage.Ref, e storage.Entry) []byte {
	return key(indexKind, tenant, r.Type, e.Attr, e.Key, r.ID)
}

// A link is kept under two keys, one for each direction of reading.
type link struct {
	owner    storage.Ref
	relation string
	target   storage.Ref
}

func outKey(tenant string, l link) []byte {
	return key(outKind, tenant, l.owner.Type, l.owner.ID, l.relation, l.target.Type, l.target.ID)
}

func inKey(tenant string, l link) []byte {
	return key(inKind, tenant, l.target.Type, l.target.ID, l.owner.Type, l.relation, l.owner.ID)
}

// linkOf reads either key of a link.
func linkOf(k []byte) link {
	p := components(k)
	if k[0] == outKind {
		return link{storage.Ref{Type: p[1], ID: p[2]}, p[3], storage.Ref{Type: p[4], ID: p[5]}}
	}
	return link{storage.Ref{Type: p[3], ID: p[5]}, p[4], storage.Ref{Type: p[1], ID: p[2]}}
}

// number is a change's number as a component: of fixed length, so that it sorts.
func number(seq int64) string { return fmt.Sprintf("%016x", seq) }

func changeKey(tenant string, seq int64) []byte { return key(changeKind, tenant, number(seq)) }

func deltaKey(tenant string, seq int64, d storage.LinkDelta) []byte {
	sign := addedDelta
	if d.Removed {
		sign = removedDelta
	}
	return key(deltaKind, tenant, number(seq), d.Relation, d.To.Type, d.To.ID, sign)
}

func deltaOf(k []byte) storage.LinkDelta {
	p := components(k)
	return storage.LinkDelta{Relation: p[2], To: storage.Ref{Type: p[3], ID: p[4]}, Removed: p[5] == removedDelta}
}

// last is the last component of a key.
func last(k []byte) string { return string(k[bytes.LastIndexByte(k, 0)+1:]) }
