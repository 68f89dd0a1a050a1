package postgres

// Statements that end a commit: owners step, and the log learns of everything.
const (
	// bump lets an owner step when links were noted for its change, which has the
	// token $4.
	bumpSQL = `
UPDATE {records}
SET version = version + 1, modified = $5
WHERE tenant = $1 AND type = $2 AND id = $3 AND EXISTS (SELECT 1 FROM {change_links} c WHERE c.token = $4)
RETURNING version`

	// logWrite appends a change that has no links.
	logWriteSQL = `
INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	logWritesSQL = `
INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time)
SELECT $1, n.type, n.id, n.connection, n.kind, n.paths, n.version, n.hidden, n.time
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::boolean[], $9::timestamptz[])
	AS n(type, id, connection, kind, paths, version, hidden, time)`

	// logLinks appends a change whose links were noted under the token $10.
	logLinksSQL = `
INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time, links_added, links_removed, token)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, count(*) FILTER (WHERE c.added), count(*) FILTER (WHERE NOT c.added), $10::uuid
FROM {change_links} c WHERE c.token = $10::uuid`
)

// changeColumns are changes to be appended, as columns.
type changeColumns struct {
	refs
	connections, kinds, paths []string
	versions                  []int64
	hidden                    []bool
	times                     []instant
}

func (c *changeColumns) add(s *step) {
	c.refs.add(s.ref)
	c.connections = append(c.connections, s.connection)
	c.kinds = append(c.kinds, s.change.Kind)
	c.paths = append(c.paths, encodePaths(s.change.Paths))
	c.versions = append(c.versions, s.version)
	c.hidden = append(c.hidden, s.hidden)
	c.times = append(c.times, instant{s.time})
}

// log queues the changes of steps.
func (q *queue) log(steps []*step) {
	var c changeColumns
	for _, s := range steps {
		args := []any{s.ref.Type, s.ref.ID, s.connection, s.change.Kind, encodePaths(s.change.Paths), s.version, s.hidden, instant{s.time}}
		switch {
		case s.token != nil:
			q.add(logLinksSQL, append(args, s.token)...)
		case len(steps) <= few:
			q.add(logWriteSQL, args...)
		default:
			c.add(s)
		}
	}
	if len(c.ids) > 0 {
		q.add(logWritesSQL, c.types, c.ids, c.connections, c.kinds, c.paths, c.versions, c.hidden, c.times)
	}
}
