package storage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// NewRecord makes the record of a resource: document, label, index entries and
// unique keys. Created comes from the resource's metadata; version and Modified
// are left to the commit. The resource needs an id.
func NewRecord(r *resource.Resource, connection string) *Record {
	t, meta := r.Type(), r.Meta()
	rec := &Record{
		Ref:        Ref{Type: t.Name(), ID: meta.ID},
		Connection: connection,
		Created:    meta.Created,
		Modified:   meta.LastModified,
		Doc:        r.Document(),
		Index:      indexEntries(r),
		Unique:     uniqueKeys(r, connection),
		res:        r,
	}
	if label := t.Label(); !label.IsZero() {
		rec.Label = r.Get(label).Text()
	}
	return rec
}

// Resource returns the record as a resource of type t, with all its metadata:
// meta.version is Version in decimal, or nothing before the first commit. The
// result is shared. A record that [NewRecord] made or [Evaluate] returned, and
// copies of it with the same Doc, do not parse again; others parse each time.
func (r *Record) Resource(t *schema.Type) (*resource.Resource, error) {
	if r.res == nil || r.res.Type() != t || !sameBytes(r.res.Document(), r.Doc) {
		res, err := resource.Stored(t, r.meta(), r.Doc)
		if err != nil {
			return nil, fmt.Errorf("storage: the document of %s/%s cannot be read: %w", r.Type, r.ID, err)
		}
		return res, nil
	}
	if r.has(r.res.Meta()) {
		return r.res, nil
	}
	return r.res.WithMeta(r.meta()), nil
}

// meta is what the record says of its resource outside the document.
func (r *Record) meta() resource.Meta {
	m := resource.Meta{ID: r.ID, Created: r.Created, LastModified: r.Modified}
	if r.Version != 0 {
		m.Version = strconv.FormatInt(r.Version, 10)
	}
	return m
}

// has reports whether m is what meta returns, without making the version's text.
func (r *Record) has(m resource.Meta) bool {
	var room [20]byte
	version := room[:0]
	if r.Version != 0 {
		version = strconv.AppendInt(version, r.Version, 10)
	}
	return m.ID == r.ID && m.Created == r.Created && m.LastModified == r.Modified && m.Version == string(version)
}

// sameBytes reports whether a and b are the very same memory. Documents are
// immutable, so that is enough to know that nothing changed, and costs nothing.
func sameBytes(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// Committed returns a copy of r as a commit leaves it. Stores that keep records
// in memory use it rather than set the fields, since it lets [Record.Resource]
// of the copy return one value without making another.
func (r *Record) Committed(version int64, created, modified time.Time) *Record {
	c := *r
	c.Version, c.Created, c.Modified = version, created, modified
	if c.res != nil {
		c.res = c.res.WithMeta(c.meta())
	}
	return &c
}

// indexEntries makes the entries of the indexed attributes that are in the
// document. meta.created and meta.lastModified are fields of the record, which
// stores index as such.
func indexEntries(r *resource.Resource) []Entry {
	entries := make([]Entry, 0, len(r.Type().Indexed()))
	for _, p := range r.Type().Indexed() {
		if !p.InDocument() {
			continue
		}
		start := len(entries)
		if many := p.MultiValued(); many.IsZero() || many == p {
			for v := range r.All(p) {
				entries = appendEntry(entries, p, v, "")
			}
		} else {
			kind, _ := many.Lookup("type")
			for element := range r.Get(many).Elements() {
				qualifier := ""
				if !kind.IsZero() {
					qualifier, _ = filter.Key(element.Get(kind))
					qualifier, _ = IndexKey(qualifier)
				}
				entries = appendEntry(entries, p, element.Get(p), qualifier)
			}
		}
		if own := entries[start:]; len(own) > 1 {
			slices.SortFunc(own, func(a, b Entry) int {
				return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Qualifier, b.Qualifier))
			})
			entries = entries[:start+len(slices.Compact(own))]
		}
	}
	return entries
}

func appendEntry(entries []Entry, p schema.Path, v resource.Value, qualifier string) []Entry {
	if v.IsZero() {
		return entries
	}
	key, ok := filter.Key(v)
	if !ok {
		return entries
	}
	e := Entry{Attr: p.String(), Kind: keyKind(p), Qualifier: qualifier}
	e.Key, e.Truncated = IndexKey(key)
	return append(entries, e)
}

func keyKind(p schema.Path) KeyKind {
	switch p.Attribute().Type {
	case schema.Boolean:
		return BooleanKey
	case schema.Decimal, schema.Integer:
		return NumberKey
	case schema.DateTime:
		return TimeKey
	}
	return TextKey
}

// IndexKey returns the key under which a value with that filter.Key is found in
// an index: the key itself up to [MaxKeyLength] bytes, else as many of its
// characters as fit, which truncated tells. A store applies it to the operand
// of a comparison before it looks into its index.
func IndexKey(key string) (index string, truncated bool) {
	if len(key) <= MaxKeyLength {
		return key, false
	}
	n := MaxKeyLength
	for n > MaxKeyLength-utf8.UTFMax && !utf8.RuneStart(key[n]) {
		n--
	}
	return key[:n], true
}

// uniqueKeys makes the unique keys of a resource. An empty text claims nothing:
// clients send it where they mean no value.
func uniqueKeys(r *resource.Resource, connection string) []UniqueKey {
	var keys []UniqueKey
	for _, p := range r.Type().Unique() {
		v := r.Get(p)
		if v.IsZero() {
			continue
		}
		key, ok := filter.Key(v)
		if !ok || key == "" {
			continue
		}
		if p.Unique() == schema.UniqueInConnection {
			key = strconv.Itoa(len(connection)) + ":" + connection + key
		}
		keys = append(keys, UniqueKey{Attr: p.String(), Key: boundedKey(key)})
	}
	return keys
}

// boundedKey marks a key as itself or as its hash, so that no text can pass for
// the hash of another one.
func boundedKey(key string) string {
	if len(key) <= MaxKeyLength {
		return "=" + key
	}
	sum := sha256.Sum256([]byte(key))
	return "#" + hex.EncodeToString(sum[:])
}
