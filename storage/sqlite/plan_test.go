package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// explainer is a reader that notes how SQLite would run each statement.
type explainer struct {
	reader
	plans []string
}

func (e *explainer) Select(sql string, args []any, flags int) iter.Seq2[sqlplan.Row, error] {
	e.explain(sql, args)
	return e.reader.Select(sql, args, flags)
}

func (e *explainer) Count(sql string, args []any) (int, error) {
	e.explain(sql, args)
	return e.reader.Count(sql, args)
}

func (e *explainer) explain(sql string, args []any) {
	err := e.conn.query(e.ctx, "EXPLAIN QUERY PLAN "+sql, args, func(row []driver.Value) bool {
		e.plans = append(e.plans, text(row[3]))
		return true
	})
	if err != nil {
		e.plans = append(e.plans, err.Error())
	}
}

// directory100k is a store with so many users, made by SQL since only the tables
// matter here.
func directory100k(t *testing.T, user, group *schema.Type) *Store {
	s, err := Open(filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.write(t.Context(), func(_ context.Context, c *conn) error {
		if _, err := agree(c, user, 0); err != nil {
			return err
		}
		if _, err := agree(c, group, 0); err != nil {
			return err
		}
		return c.script(`
			CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) SELECT i FROM n;
			INSERT INTO muster_records SELECT 't', 'User', printf('u%06d', i), 'okta', 1, i, i, 0, '',
				printf('name%06d', i), printf('e%d', i), printf('d%05d', i / 2), iif(i % 100 > 0, '1', '0'), x'0000',
				CAST(printf('{"userName":"Name%06d","externalId":"e%d","displayName":"D%05d","emails":[{"value":"M%06d@example.com","type":"work"}],"active":%s,"title":"t"}',
					i, i, i / 2, i, iif(i % 100 > 0, 'true', 'false')) AS BLOB) FROM n;
			INSERT INTO muster_entries SELECT 't', 'User', 'emails.value', printf('m%06d@example.com', i), 'work', printf('u%06d', i) FROM n;
			INSERT INTO muster_records SELECT 't', 'User', printf('h%02d', i), 'okta', 1, i, i, 1, '', printf('gone%02d', i), x'', x'', x'', x'0000',
				CAST(printf('{"userName":"Gone%02d"}', i) AS BLOB) FROM n WHERE i < 20;
			INSERT INTO muster_populations VALUES ('t', 'User', 'okta', 0, 100000), ('t', 'User', 'okta', 1, 20), ('t', 'Group', 'okta', 0, 1);
			INSERT INTO muster_records VALUES ('t', 'Group', 'g1', 'okta', 1, 0, 0, 0, '', x'', x'', 'g', x'', x'0000', CAST('{"displayName":"G"}' AS BLOB));
			INSERT INTO muster_links SELECT 't', 'Group', 'g1', 'members', 'User', printf('u%06d', i) FROM n WHERE i % 1000 = 0`)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUsualQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	user, group := schema.MustCompile(schema.User(), schema.Group()), schema.MustCompile(schema.Group(), schema.User())
	s := directory100k(t, user, group)
	since := time.UnixMicro(99_000).UTC().Format(time.RFC3339Nano)
	for _, c := range []struct {
		name  string
		typ   *schema.Type
		text  string
		sort  string
		after *storage.Position
		total storage.Total
		want  int // matches on a page of 10
	}{
		{"all", user, "", "", nil, storage.TotalExact, 10},
		{"behind an id", user, "", "", &storage.Position{ID: "u099994"}, storage.TotalNever, 5},
		{"hidden", user, "", "", &storage.Position{ID: "h05"}, storage.TotalExact, 10},
		{"id", user, `id eq "u000001"`, "", nil, storage.TotalExact, 1},
		{"userName", user, `userName eq "NAME000001"`, "", nil, storage.TotalExact, 1},
		{"userName in lists", user, `userName eq "name000001" or userName eq "name000002"`, "", nil, storage.TotalExact, 2},
		{"beginning of userName", user, `userName sw "name00000"`, "userName", nil, storage.TotalExact, 10},
		{"userName behind another", user, `userName gt "name099994"`, "userName", nil, storage.TotalExact, 5},
		{"externalId", user, `externalId eq "e5"`, "", nil, storage.TotalExact, 1},
		{"displayName", user, `displayName eq "d00001"`, "", nil, storage.TotalExact, 2},
		{"e-mail", user, `emails.value eq "m000001@EXAMPLE.com"`, "", nil, storage.TotalExact, 1},
		{"e-mail of a type", user, `emails[type eq "work" and value eq "m000001@example.com"]`, "", nil, storage.TotalExact, 1},
		{"one of two", user, `userName eq "name000001" or emails.value eq "m000002@example.com"`, "", nil, storage.TotalExact, 2},
		{"inactive", user, `active eq false`, "", nil, storage.TotalNever, 10},
		{"not active", user, `active eq false and userName sw "name00000"`, "", nil, storage.TotalNever, 1},
		{"name and something not indexed", user, `userName eq "name000001" and title eq "T"`, "", nil, storage.TotalExact, 1},
		{"changed since", user, `meta.lastModified ge "` + since + `"`, "meta.lastModified", nil, storage.TotalNever, 10},
		{"created since", user, `meta.created gt "` + since + `"`, "", nil, storage.TotalNever, 10},
		{"sorted", user, "", "userName", nil, storage.TotalNever, 10},
		{"sorted behind", user, "", "displayName", &storage.Position{Key: "d49998", ID: "u099997"}, storage.TotalNever, 2},
		{"sorted by time behind", user, "", "meta.created", &storage.Position{Key: "1970-01-01T00:00:00.099994000Z", ID: "u099994"}, storage.TotalNever, 5},
		{"members of a group", user, `groups.value eq "g1"`, "", nil, storage.TotalNever, 10},
		{"members of a group behind one", user, `groups.value eq "g1" and active eq false`, "", &storage.Position{ID: "u091000"}, storage.TotalNever, 8},
		{"groups of a user", group, `members.value eq "u001000"`, "", nil, storage.TotalExact, 1},
		{"groups of nobody", group, `members.value eq "u001001"`, "", nil, storage.TotalExact, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := &storage.Query{Tenant: "t", Type: c.typ, Limit: 10, After: c.after, Total: c.total, OnlyHidden: c.name == "hidden"}
			if c.text != "" {
				e, err := filter.Parse(c.text, filter.ParseOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if q.Filter, err = filter.Compile(c.typ, e, filter.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			if c.sort != "" {
				q.Sort.Path = c.typ.MustResolve(c.sort)
			}
			var plans []string
			err := s.view(t.Context(), func(conn *conn) error {
				known, err := s.indexes.of(conn, c.typ)
				if err != nil {
					return err
				}
				e := &explainer{reader: reader{s, t.Context(), conn, q}}
				page, err := dialect().Answer(q, func(p schema.Path) bool { return known.complete[p] }, e)
				if err != nil {
					return err
				}
				if len(page.Records) != c.want {
					return fmt.Errorf("%d records; want %d", len(page.Records), c.want)
				}
				plans = e.plans
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(strings.Join(plans, "\n"))
			for _, p := range plans {
				switch {
				case strings.HasPrefix(p, "SCAN"):
					t.Errorf("a table is scanned: %s", p)
				case c.text != "" && strings.HasSuffix(p, "(tenant=? AND type=?)"):
					t.Errorf("all records of the type are looked at: %s", p)
				case strings.HasPrefix(c.name, "members of a group") && !strings.HasPrefix(p, "SEARCH"):
					t.Errorf("all members are gathered: %s", p)
				case q.OnlyHidden && !strings.Contains(p, "muster_records_hidden"):
					t.Errorf("those that are not hidden are looked at too: %s", p)
				case c.text == "" && strings.Contains(p, "TEMP B-TREE"):
					t.Errorf("all records of the type are sorted: %s", p)
				}
			}
		})
	}
}
