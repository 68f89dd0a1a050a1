package postgres

// Statements that end a commit: owners step, and the log learns of everything.
const (
	// bump lets the owners $2 and $3 step for whose change, with the token $4, links
	// were noted.
	bumpSQL = `
UPDATE {records} r
SET version = r.version + 1, modified = n.time
FROM unnest($2::text[], $3::text[], $4::uuid[], $5::timestamptz[]) AS n(type, id, token, time)
WHERE r.tenant = $1 AND r.type = n.type AND r.id = n.id
	AND EXISTS (SELECT 1 FROM {change_links} c WHERE c.token = n.token)
RETURNING r.type, r.id, r.version`

	// logWrites appends the changes of records that there are, as they are now.
	logWritesSQL = `
INSERT INTO {changes} (tenant, type, record, connection, kind, paths, version, hidden, time, links_added, links_removed, token)
SELECT $1, n.type, n.id, n.connection, n.kind, n.paths, n.version, n.hidden, n.time, l.added, l.removed, n.token
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::boolean[], $9::timestamptz[], $10::uuid[])
	AS n(type, id, connection, kind, paths, version, hidden, time, token)
CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE c.added) AS added, count(*) FILTER (WHERE NOT c.added) AS removed
	FROM {change_links} c WHERE c.token = n.token
) l`
)

// changeColumns are changes to be appended, as columns.
type changeColumns struct {
	refs
	connections, kinds, paths []string
	versions                  []int64
	hidden                    []bool
	times                     []instant
	tokens                    []*token
}

func (c *changeColumns) add(s *step) {
	c.refs.add(s.ref)
	c.connections = append(c.connections, s.connection)
	c.kinds = append(c.kinds, s.change.Kind)
	c.paths = append(c.paths, encodePaths(s.change.Paths))
	c.versions = append(c.versions, s.version)
	c.hidden = append(c.hidden, s.hidden)
	c.times = append(c.times, instant{s.time})
	c.tokens = append(c.tokens, s.token)
}

// log queues the changes of steps.
func (q *queue) log(steps []*step) {
	if len(steps) == 0 {
		return
	}
	var c changeColumns
	for _, s := range steps {
		c.add(s)
	}
	q.add(q.names.sql(logWritesSQL), c.types, c.ids, c.connections, c.kinds, c.paths, c.versions, c.hidden, c.times, c.tokens)
}
