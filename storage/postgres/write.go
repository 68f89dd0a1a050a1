package postgres

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/storage"
)

// All statements that write take $1 as the tenant and arrays as columns of what
// to write, so that a batch of any size is the same few statements.
const (
	// insert makes new records, in the order that they come in. Like update, it fails
	// when the list of indexes has another generation than $14, which says that the
	// records have the entries that they should.
	insertSQL = `
INSERT INTO {records} (tenant, type, id, connection, version, created, modified, hidden, label, doc, user_name, external_id, display_name, active)
SELECT $1, n.type, n.id, n.connection, 1, n.created, n.modified, n.hidden, n.label, n.doc, n.user_name, n.external_id, n.display_name, n.active
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[], $8::text[], $9::bytea[],
	$10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[])
	AS n(type, id, connection, created, modified, hidden, label, doc, user_name, external_id, display_name, active)
WHERE (SELECT 1 / (CASE WHEN g.generation = $14 THEN 1 ELSE 0 END) FROM {generation} g) = 1`

	// update writes records that have the versions $15, all of them or it fails.
	updateSQL = `
WITH written AS (
	UPDATE {records} r
	SET connection = n.connection, version = r.version + 1, modified = n.modified, hidden = n.hidden, label = n.label, doc = n.doc,
		user_name = n.user_name, external_id = n.external_id, display_name = n.display_name, active = n.active
	FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[], $8::text[], $9::bytea[],
		$10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[], $15::bigint[])
		AS n(type, id, connection, created, modified, hidden, label, doc, user_name, external_id, display_name, active, version)
	WHERE r.tenant = $1 AND r.type = n.type AND r.id = n.id AND r.version = n.version
		AND (SELECT 1 / (CASE WHEN g.generation = $14 THEN 1 ELSE 0 END) FROM {generation} g) = 1
	RETURNING 1
)
SELECT 1 / (CASE WHEN count(*) = cardinality($2::text[]) THEN 1 ELSE 0 END) FROM written`

	removeSQL = `
DELETE FROM {records} r
USING unnest($2::text[], $3::text[]) AS n(type, id)
WHERE r.tenant = $1 AND r.type = n.type AND r.id = n.id`

	freeUniquesSQL = `
DELETE FROM {uniques} u
USING unnest($2::text[], $3::text[]) AS n(type, id)
WHERE u.tenant = $1 AND u.type = n.type AND u.id = n.id`

	freeEntriesSQL = `
DELETE FROM {entries} e
USING unnest($2::text[], $3::text[]) AS n(type, id)
WHERE e.tenant = $1 AND e.type = n.type AND e.id = n.id`

	// dropUniques and dropEntries take away what the records $2 and $3 have and
	// are not to have any more; what they keep is not written again.
	dropUniquesSQL = `
DELETE FROM {uniques} u
USING unnest($2::text[], $3::text[]) AS n(type, id)
WHERE u.tenant = $1 AND u.type = n.type AND u.id = n.id AND NOT EXISTS (
	SELECT 1 FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS k(type, id, attr, key)
	WHERE k.type = u.type AND k.id = u.id AND k.attr = u.attr AND k.key = u.key)`

	dropEntriesSQL = `
DELETE FROM {entries} e
USING unnest($2::text[], $3::text[]) AS n(type, id)
WHERE e.tenant = $1 AND e.type = n.type AND e.id = n.id AND NOT EXISTS (
	SELECT 1 FROM unnest($4::text[], $5::text[], $6::integer[], $7::text[], $8::bytea[], $9::bytea[]) AS k(type, id, n, attr, key, qualifier)
	WHERE k.type = e.type AND k.id = e.id AND k.n = e.n AND k.attr = e.attr AND k.key = e.key AND k.qualifier = e.qualifier)`

	// addUniques fails where another record has a key.
	addUniquesSQL = `
INSERT INTO {uniques} (tenant, type, attr, key, id)
SELECT $1, k.type, k.attr, k.key, k.id
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS k(type, id, attr, key)
WHERE NOT EXISTS (
	SELECT 1 FROM {uniques} u
	WHERE u.tenant = $1 AND u.type = k.type AND u.attr = k.attr AND u.key = k.key AND u.id = k.id)`

	// addEntries leaves alone what dropEntries left.
	addEntriesSQL = `
INSERT INTO {entries} (tenant, type, id, n, attr, key, qualifier)
SELECT $1, k.type, k.id, k.n, k.attr, k.key, k.qualifier
FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::bytea[], $7::bytea[]) AS k(type, id, n, attr, key, qualifier)
ON CONFLICT (tenant, type, id, n) DO NOTHING`
)

// queue collects statements that go to the database in one round trip, with
// what to do with the rows of each.
type queue struct {
	*pgx.Batch
	names  *names
	tenant string
}

func (q *queue) add(sql string, args ...any) *pgx.QueuedQuery {
	return q.Queue(sql, append([]any{q.tenant}, args...)...)
}

// write is one record to be put: at is when, version what it must have had, 0
// for a new one.
type write struct {
	*storage.Record
	at      time.Time
	version int64
}

// writes are the puts of a commit as columns, in the order of their references.
type writes struct {
	refs
	connections       []string
	created, modified []instant
	hidden            []bool
	labels            []string
	docs              [][]byte
	columns           [4][][]byte // keys by sqlplan.Column
	versions          []int64

	uniques uniqueColumns
	entries entryColumns
}

type uniqueColumns struct {
	refs
	attrs, keys []string
}

type entryColumns struct {
	refs
	ns              []int32
	attrs           []string
	keys, qualifers [][]byte
}

// columnOrder is the order of the attributes with columns in the statements.
var columnOrder = map[string]int{"user_name": 0, "external_id": 1, "display_name": 2, "active": 3}

func (w *writes) add(r write) {
	w.refs.add(r.Ref)
	w.connections = append(w.connections, r.Connection)
	w.created = append(w.created, instant{r.Created})
	w.modified = append(w.modified, instant{r.at})
	w.hidden = append(w.hidden, r.Hidden)
	w.labels = append(w.labels, r.Label)
	w.docs = append(w.docs, r.Doc)
	w.versions = append(w.versions, r.version)
	for i := range w.columns {
		w.columns[i] = append(w.columns[i], []byte(noKey))
	}
	last, n := len(w.ids)-1, int32(0)
	for _, e := range r.Index {
		if c := sqlplan.Column(e.Attr); c != "" {
			w.columns[columnOrder[c]][last] = []byte(e.Key)
			continue
		}
		w.entries.refs.add(r.Ref)
		w.entries.ns = append(w.entries.ns, n)
		w.entries.attrs = append(w.entries.attrs, e.Attr)
		w.entries.keys = append(w.entries.keys, []byte(e.Key))
		w.entries.qualifers = append(w.entries.qualifers, []byte(e.Qualifier))
		n++
	}
	for _, u := range r.Unique {
		w.uniques.refs.add(r.Ref)
		w.uniques.attrs = append(w.uniques.attrs, u.Attr)
		w.uniques.keys = append(w.uniques.keys, u.Key)
	}
}

// put queues the writes of records with their keys. Keys that are given up go
// before any is taken, so that records may swap them.
func (q *queue) put(records []write, generation int64) {
	records = slices.SortedFunc(slices.Values(records), func(a, b write) int { return a.Ref.Compare(b.Ref) })
	var fresh, known, all writes
	for _, r := range records {
		if r.version == 0 {
			fresh.add(r)
		} else {
			known.add(r)
		}
		all.add(r)
	}
	if len(known.ids) > 0 {
		q.add(q.names.sql(updateSQL), append(known.arguments(generation), known.versions)...)
		u, e := &known.uniques, &known.entries
		q.add(q.names.sql(dropUniquesSQL), known.types, known.ids, u.types, u.ids, u.attrs, u.keys)
		q.add(q.names.sql(dropEntriesSQL), known.types, known.ids, e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifers)
	}
	if len(fresh.ids) > 0 {
		q.add(q.names.sql(insertSQL), fresh.arguments(generation)...)
	}
	if u := &all.uniques; len(u.ids) > 0 {
		q.add(q.names.sql(addUniquesSQL), u.types, u.ids, u.attrs, u.keys)
	}
	if e := &all.entries; len(e.ids) > 0 {
		q.add(q.names.sql(addEntriesSQL), e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifers)
	}
}

func (w *writes) arguments(generation int64) []any {
	return []any{w.types, w.ids, w.connections, w.created, w.modified, w.hidden, w.labels, w.docs,
		w.columns[0], w.columns[1], w.columns[2], w.columns[3], generation}
}

// remove queues the deletion of records with their keys.
func (q *queue) remove(gone refs) {
	if len(gone.ids) == 0 {
		return
	}
	q.add(q.names.sql(freeUniquesSQL), gone.types, gone.ids)
	q.add(q.names.sql(freeEntriesSQL), gone.types, gone.ids)
	q.add(q.names.sql(removeSQL), gone.types, gone.ids)
}

// token names a change before it has an id, so that its links can be written in
// the same round trip. It begins with the time, to keep neighbours together.
type token [16]byte

func newToken() (t token) {
	rand.Read(t[:]) // never fails
	binary.BigEndian.PutUint64(t[:8], uint64(time.Now().UnixMicro())<<8|uint64(t[7]))
	return t
}

// UUIDValue implements pgtype.UUIDValuer.
func (t token) UUIDValue() (pgtype.UUID, error) { return pgtype.UUID{Bytes: t, Valid: true}, nil }

// encodePaths makes one text of the paths of a change; "" for none.
func encodePaths(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	text, err := json.Marshal(paths)
	if err != nil {
		panic(err) // strings encode
	}
	return string(text)
}

func decodePaths(text string) (paths []string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &paths)
	}
	return paths, err
}
