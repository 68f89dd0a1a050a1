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

// Statements look up one row, or a few of one record, by parameters: so the
// database finds the same plan for them whatever it knows of its tables, and
// keeps it. Only rows that are new come as arrays when they are many: they need no
// looking up.
const (
	// insert makes a new record. Like update, it fails when the list of indexes has
	// another generation than the writer knows, who then may have the wrong keys.
	insertSQL = `
INSERT INTO {records} (tenant, type, id, connection, version, created, modified, hidden, label, doc, user_name, external_id, display_name, active)
SELECT $1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13
FROM {generation} g
WHERE 1 / (CASE WHEN g.generation = $14 THEN 1 ELSE 0 END) = 1`

	insertManySQL = `
INSERT INTO {records} (tenant, type, id, connection, version, created, modified, hidden, label, doc, user_name, external_id, display_name, active)
SELECT $1, n.type, n.id, n.connection, 1, n.created, n.modified, n.hidden, n.label, n.doc, n.user_name, n.external_id, n.display_name, n.active
FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[], $8::text[], $9::bytea[],
	$10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[])
	AS n(type, id, connection, created, modified, hidden, label, doc, user_name, external_id, display_name, active)
WHERE (SELECT 1 / (CASE WHEN g.generation = $14 THEN 1 ELSE 0 END) FROM {generation} g) = 1`

	// update writes a record that has the version $12, or it fails.
	updateSQL = `
WITH written AS (
	UPDATE {records} r
	SET connection = $4, version = r.version + 1, modified = $5, hidden = $6, label = $7, doc = $8,
		user_name = $9, external_id = $10, display_name = $11, active = $13
	WHERE r.tenant = $1 AND r.type = $2 AND r.id = $3 AND r.version = $12
		AND (SELECT 1 / (CASE WHEN g.generation = $14 THEN 1 ELSE 0 END) FROM {generation} g) = 1
	RETURNING 1
)
SELECT 1 / count(*) FROM written`

	removeSQL      = `DELETE FROM {records} WHERE tenant = $1 AND type = $2 AND id = $3`
	freeUniquesSQL = `DELETE FROM {uniques} WHERE tenant = $1 AND type = $2 AND id = $3`
	freeEntriesSQL = `DELETE FROM {entries} WHERE tenant = $1 AND type = $2 AND id = $3`

	// dropUniques and dropEntries take away what a record has and is not to have any
	// more; what it keeps is not written again.
	dropUniquesSQL = `
DELETE FROM {uniques}
WHERE tenant = $1 AND type = $2 AND id = $3 AND (attr, key) NOT IN (SELECT k.attr, k.key FROM unnest($4::text[], $5::text[]) AS k(attr, key))`

	dropEntriesSQL = `
DELETE FROM {entries}
WHERE tenant = $1 AND type = $2 AND id = $3 AND (n, attr, key, qualifier) NOT IN (
	SELECT k.n, k.attr, k.key, k.qualifier FROM unnest($4::integer[], $5::text[], $6::bytea[], $7::bytea[]) AS k(n, attr, key, qualifier))`

	// addUnique gives a record a key, unless it has it. It fails where another one
	// does.
	addUniqueSQL = `
INSERT INTO {uniques} (tenant, type, id, attr, key)
SELECT $1, $2, $3, $4, $5
WHERE NOT EXISTS (SELECT 1 FROM {uniques} WHERE tenant = $1 AND type = $2 AND attr = $4 AND key = $5 AND id = $3)`

	newUniqueSQL  = `INSERT INTO {uniques} (tenant, type, id, attr, key) VALUES ($1, $2, $3, $4, $5)`
	newUniquesSQL = `
INSERT INTO {uniques} (tenant, type, attr, key, id)
SELECT $1, k.type, k.attr, k.key, k.id
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS k(type, id, attr, key)`

	newEntrySQL   = `INSERT INTO {entries} (tenant, type, id, n, attr, key, qualifier) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	newEntriesSQL = `
INSERT INTO {entries} (tenant, type, id, n, attr, key, qualifier)
SELECT $1, k.type, k.id, k.n, k.attr, k.key, k.qualifier
FROM unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::bytea[], $7::bytea[]) AS k(type, id, n, attr, key, qualifier)`

	// addEntry and addEntries leave alone what dropEntries left.
	unlessThere   = ` ON CONFLICT (tenant, type, id, n) DO NOTHING`
	addEntrySQL   = newEntrySQL + unlessThere
	addEntriesSQL = newEntriesSQL + unlessThere
)

// queue collects statements that go to the database in one round trip, with
// what to do with the rows of each.
type queue struct {
	*pgx.Batch
	names  *names
	tenant string
}

// add queues a statement, whose first parameter is the tenant.
func (q *queue) add(sql string, args ...any) *pgx.QueuedQuery {
	return q.Queue(q.names.sql(sql), append([]any{q.tenant}, args...)...)
}

// write is one record to be put: at is when, version what it must have had, 0
// for a new one.
type write struct {
	*storage.Record
	at      time.Time
	version int64
}

// row is a record as columns of its tables.
type row struct {
	*storage.Record
	columns [4][]byte // keys, in the order of columnOrder
	entries []storage.Entry
}

// columnOrder is the order in which statements name the columns of keys.
var columnOrder = map[string]int{"user_name": 0, "external_id": 1, "display_name": 2, "active": 3}

func rowOf(r *storage.Record) row {
	w := row{Record: r}
	for i := range w.columns {
		w.columns[i] = []byte(noKey)
	}
	for _, e := range r.Index {
		if c := sqlplan.Column(e.Attr); c != "" {
			w.columns[columnOrder[c]] = []byte(e.Key)
		} else {
			w.entries = append(w.entries, e)
		}
	}
	return w
}

// newRows are new records as arrays of columns.
type newRows struct {
	refs
	connections       []string
	created, modified []instant
	hidden            []bool
	labels            []string
	docs              [][]byte
	columns           [4][][]byte
}

func (n *newRows) add(r row, at time.Time) {
	n.refs.add(r.Ref)
	n.connections = append(n.connections, r.Connection)
	n.created = append(n.created, instant{r.Created})
	n.modified = append(n.modified, instant{at})
	n.hidden = append(n.hidden, r.Hidden)
	n.labels = append(n.labels, r.Label)
	n.docs = append(n.docs, r.Doc)
	for i := range n.columns {
		n.columns[i] = append(n.columns[i], r.columns[i])
	}
}

// uniqueRows are unique keys as arrays of columns.
type uniqueRows struct {
	refs
	attrs, keys []string
}

func (u *uniqueRows) add(r row) {
	for _, k := range r.Unique {
		u.refs.add(r.Ref)
		u.attrs, u.keys = append(u.attrs, k.Attr), append(u.keys, k.Key)
	}
}

// entryRows are entries as arrays of columns. n tells the entries of a record
// apart.
type entryRows struct {
	refs
	ns               []int32
	attrs            []string
	keys, qualifiers [][]byte
}

func (e *entryRows) add(r row) {
	for i, k := range r.entries {
		e.refs.add(r.Ref)
		e.ns, e.attrs = append(e.ns, int32(i)), append(e.attrs, k.Attr)
		e.keys, e.qualifiers = append(e.keys, []byte(k.Key)), append(e.qualifiers, []byte(k.Qualifier))
	}
}

// few is how many rows of a kind are written one by one, by statements whose
// plans are kept.
const few = 8

// put queues the writes of records with their keys, in the order of their
// references. Keys that are given up go before any is taken, so that records may
// swap them.
func (q *queue) put(records []write, generation int64) {
	records = slices.SortedFunc(slices.Values(records), func(a, b write) int { return a.Ref.Compare(b.Ref) })
	var fresh newRows
	var newKeys, keys uniqueRows
	var newEntries, entries entryRows
	for _, w := range records {
		r := rowOf(w.Record)
		switch {
		case w.version != 0:
			keys.add(r)
			entries.add(r)
			q.add(updateSQL, r.Type, r.ID, r.Connection, instant{w.at}, r.Hidden, r.Label, r.Doc,
				r.columns[0], r.columns[1], r.columns[2], w.version, r.columns[3], generation)
			q.dropKeys(r)
			q.dropEntries(r)
		case len(records) <= few:
			newKeys.add(r)
			newEntries.add(r)
			q.add(insertSQL, r.Type, r.ID, r.Connection, instant{r.Created}, instant{w.at}, r.Hidden, r.Label, r.Doc,
				r.columns[0], r.columns[1], r.columns[2], r.columns[3], generation)
		default:
			newKeys.add(r)
			newEntries.add(r)
			fresh.add(r, w.at)
		}
	}
	if n := &fresh; len(n.ids) > 0 {
		q.add(insertManySQL, n.types, n.ids, n.connections, n.created, n.modified, n.hidden, n.labels, n.docs,
			n.columns[0], n.columns[1], n.columns[2], n.columns[3], generation)
	}
	if u := &newKeys; len(u.ids) > few {
		q.add(newUniquesSQL, u.types, u.ids, u.attrs, u.keys)
	} else {
		for i, id := range u.ids {
			q.add(newUniqueSQL, u.types[i], id, u.attrs[i], u.keys[i])
		}
	}
	for i, id := range keys.ids {
		q.add(addUniqueSQL, keys.types[i], id, keys.attrs[i], keys.keys[i])
	}
	q.addEntries(&newEntries, newEntrySQL, newEntriesSQL)
	q.addEntries(&entries, addEntrySQL, addEntriesSQL)
}

func (q *queue) dropKeys(r row) {
	var u uniqueRows
	u.add(r)
	q.add(dropUniquesSQL, r.Type, r.ID, u.attrs, u.keys)
}

func (q *queue) dropEntries(r row) {
	var e entryRows
	e.add(r)
	q.add(dropEntriesSQL, r.Type, r.ID, e.ns, e.attrs, e.keys, e.qualifiers)
}

// addEntries queues the writes of entries, one by one or many at once.
func (q *queue) addEntries(e *entryRows, one, many string) {
	if len(e.ids) > few {
		q.add(many, e.types, e.ids, e.ns, e.attrs, e.keys, e.qualifiers)
		return
	}
	for i, id := range e.ids {
		q.add(one, e.types[i], id, e.ns[i], e.attrs[i], e.keys[i], e.qualifiers[i])
	}
}

// remove queues the deletion of a record with its keys.
func (q *queue) remove(r storage.Ref) {
	q.add(freeUniquesSQL, r.Type, r.ID)
	q.add(freeEntriesSQL, r.Type, r.ID)
	q.add(removeSQL, r.Type, r.ID)
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
