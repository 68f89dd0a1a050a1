package sqlplan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"

	"pgregory.net/rapid"
)

// plain is a dialect that is easy to read.
func plain() *Dialect {
	return &Dialect{
		Records: "records", Entries: "entries", Links: "links",
		Param:    func(n int) string { return fmt.Sprint("$", n) },
		Key:      func(key string) any { return "key " + key },
		Time:     func(t time.Time) any { return t.Format(time.RFC3339Nano) },
		NoKey:    "NONE",
		NoTime:   "NEVER",
		Contains: func(key, part string) string { return key + " has " + part },
		EndsWith: func(key, part string) string { return key + " ends with " + part },
	}
}

func types() (user, group *schema.Type) {
	u := schema.User()
	u.Indexed = []string{"name.familyName"}
	g := schema.Group()
	return schema.MustCompile(u, g), schema.MustCompile(g, u)
}

func compile(t testing.TB, typ *schema.Type, text string) *filter.Plan {
	t.Helper()
	e, err := filter.Parse(text, filter.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Compile(typ, e, filter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func all(schema.Path) bool { return true }

// translate translates a filter alone.
func translate(t testing.TB, typ *schema.Type, text string, complete func(schema.Path) bool) (condition, []any) {
	t.Helper()
	s := plain().statement(&storage.Query{Tenant: "t", Type: typ, Filter: compile(t, typ, text)}, complete)
	c := s.where(s.query.Filter.Root(), above)
	return c, s.args[2:] // behind tenant and type
}

func TestConditions(t *testing.T) {
	t.Parallel()
	user, group := types()
	entry := func(attr int, condition string) string {
		return fmt.Sprintf("r.id IN (SELECT e.id FROM entries e WHERE e.tenant = $1 AND e.type = $2 AND e.attr = $%d AND %s)", attr, condition)
	}
	for _, c := range []struct {
		typ   *schema.Type
		text  string
		sql   string
		args  string
		exact bool
	}{
		{user, `userName eq "BJ"`, `(r.user_name = $3)`, `[key bj]`, true},
		{user, `userName ne "BJ"`, `NOT (r.user_name = $3)`, `[key bj]`, true},
		{user, `userName sw "bj"`, `(r.user_name >= $3 AND r.user_name < $4)`, `[key bj key bk]`, true},
		{user, `userName sw ""`, `(r.user_name >= $3 AND r.user_name < NONE)`, `[key ]`, true},
		{user, `userName gt "bj"`, `(r.user_name > $3 AND r.user_name < NONE)`, `[key bj]`, true},
		{user, `userName ge "bj"`, `(r.user_name >= $3 AND r.user_name < NONE)`, `[key bj]`, true},
		{user, `userName lt "bj"`, `(r.user_name < $3)`, `[key bj]`, true},
		{user, `userName le "bj"`, `(r.user_name <= $3)`, `[key bj]`, true},
		{user, `userName pr`, `(r.user_name <> '' AND r.user_name < NONE)`, `[]`, true},
		{user, `userName co "bj"`, `(r.user_name < NONE AND ((r.user_name has $3) OR (octet_length(r.user_name) > 1020)))`, `[key bj]`, false},
		{user, `not (userName co "bj")`, `NOT (r.user_name < NONE AND (r.user_name has $3))`, `[key bj]`, false},
		{user, `not (userName ew "bj")`, `NOT (r.user_name < NONE AND ((r.user_name ends with $3) AND NOT (octet_length(r.user_name) > 1020)))`, `[key bj]`, false},
		{user, `active eq true`, `(r.active = $3)`, `[key 1]`, true},
		{user, `id eq "A"`, `(r.id = $3)`, `[A]`, true},
		{user, `id pr`, `TRUE`, `[]`, true},
		{user, `meta.created gt "2026-01-01T01:00:00+01:00"`, `(r.created > $3 AND r.created < NEVER)`, `[2026-01-01T00:00:00Z]`, true},
		{user, `meta.created eq "2026-01-01T00:00:00.0000001Z"`, `FALSE`, `[]`, true},
		{user, `meta.created ge "2026-01-01T00:00:00.0000001Z"`, `(r.created > $3 AND r.created < NEVER)`, `[2026-01-01T00:00:00Z]`, true},
		{user, `meta.created lt "2026-01-01T00:00:00.0000001Z"`, `(r.created <= $3 AND r.created < NEVER)`, `[2026-01-01T00:00:00Z]`, true},
		{user, `meta.created lt "9999-12-31T23:59:59Z"`, `TRUE`, `[]`, false},
		{user, `title eq "x"`, `TRUE`, `[]`, false},
		{user, `not (title eq "x")`, `TRUE`, `[]`, false},
		{user, `userName eq "a" and title eq "x"`, `((r.user_name = $3))`, `[key a]`, false},
		{user, `userName eq "a" or title eq "x"`, `TRUE`, `[]`, false},
		{user, `not (userName eq "a" and title eq "x")`, `TRUE`, `[]`, false},
		{user, `not (userName eq "a" or title eq "x")`, `NOT ((r.user_name = $3))`, `[key a]`, false},
		{user, `emails.value eq "A@x"`, entry(3, `(e.key = $4)`), `[emails.value key a@x]`, true},
		{user, `emails eq "A@x"`, entry(3, `(e.key = $4)`), `[emails.value key a@x]`, true},
		{user, `emails ne "A@x"`, `NOT ` + entry(3, `(e.key = $4)`), `[emails.value key a@x]`, true},
		{user, `emails.value pr`, entry(3, `e.key <> ''`), `[emails.value]`, true},
		{user, `emails pr`, `TRUE`, `[]`, false},
		{user, `emails[type eq "Work" and value sw "a"]`, entry(3, `((e.qualifier = $4) AND (e.key >= $5 AND e.key < $6))`), `[emails.value key work key a key b]`, true},
		{user, `emails[type eq "" and value eq "a"]`, entry(3, `((e.key = $4))`), `[emails.value key a]`, false},
		{user, `emails[value eq "a" and not (type eq "work")]`, entry(3, `((e.key = $4) AND NOT (e.qualifier = $5))`), `[emails.value key a key work]`, true},
		{user, `emails[value eq "a" and primary eq true]`, entry(3, `((e.key = $4))`), `[emails.value key a]`, false},
		{user, `not (emails[value eq "a" and primary eq true])`, `TRUE`, `[]`, false},
		{user, `emails[type eq "work"]`, `TRUE`, `[]`, false},
		{user, `emails[not (value eq "a")]`, `TRUE`, `[]`, false},
		{user, `emails[type pr and value eq "a"]`, entry(3, `((e.qualifier <> '') AND (e.key = $4))`), `[emails.value key a]`, true},
		{user, `name.familyName eq "x"`, entry(3, `(e.key = $4)`), `[name.familyName key x]`, true},
		{user, `name[familyName eq "x" and givenName eq "y"]`, `(` + entry(3, `(e.key = $4)`) + `)`, `[name.familyName key x]`, false},
		{user, `name[not (familyName eq "x")]`, `TRUE`, `[]`, false},
		{user, `groups.value eq "g"`, `r.id IN (SELECT l.target_id FROM links l WHERE l.tenant = $1 AND l.owner_type = $3 AND l.relation = $4 AND l.target_type = $2 AND l.owner_id = $5)`, `[Group members g]`, true},
		{user, `groups pr`, `EXISTS (SELECT 1 FROM links l WHERE l.tenant = $1 AND l.owner_type = $3 AND l.relation = $4 AND l.target_type = $2 AND l.target_id = r.id)`, `[Group members]`, true},
		{group, `members[value eq "u" and type eq "User"]`, `r.id IN (SELECT l.owner_id FROM links l WHERE l.tenant = $1 AND l.owner_type = $2 AND l.relation = $3 AND l.target_type IN ($4) AND l.target_id = $5)`, `[members User u]`, true},
		{group, `members.value eq "u"`, `r.id IN (SELECT l.owner_id FROM links l WHERE l.tenant = $1 AND l.owner_type = $2 AND l.relation = $3 AND l.target_type IN ($4, $5) AND l.target_id = $6)`, `[members User Group u]`, true},
		{group, `members pr`, `EXISTS (SELECT 1 FROM links l WHERE l.tenant = $1 AND l.owner_type = $2 AND l.relation = $3 AND l.owner_id = r.id)`, `[members]`, true},
	} {
		got, args := translate(t, c.typ, c.text, all)
		if got.sql != c.sql || fmt.Sprint(args) != c.args || got.exact != c.exact {
			t.Errorf("%s\n got  %s %v exact %v\n want %s %s exact %v", c.text, got.sql, args, got.exact, c.sql, c.args, c.exact)
		}
	}
}

func TestIncompleteIndexIsNotUsed(t *testing.T) {
	t.Parallel()
	user, _ := types()
	for _, text := range []string{`userName eq "a"`, `emails.value eq "a"`, `emails[type eq "work" and value eq "a"]`, `userName pr`, `not (active eq true)`} {
		got, args := translate(t, user, text, func(schema.Path) bool { return false })
		if got.sql != "TRUE" || got.exact || len(args) > 0 {
			t.Errorf("%s: %s %v, exact %v; want a condition that says nothing", text, got.sql, args, got.exact)
		}
	}
}

// Whatever the values are, the statement is the same.
func TestValuesAreNeverPartOfAStatement(t *testing.T) {
	t.Parallel()
	user, _ := types()
	hostile := rapid.OneOf(rapid.SampledFrom([]string{`'; DROP TABLE records; --`, `" OR 1=1`, `$1`, `?1`, `\`, `%`, `_`, `x'00'`, `NONE`, `FALSE`, "a\n--"}),
		rapid.StringN(1, 30, -1).Filter(func(s string) bool {
			return !strings.ContainsRune(s, 0) && !strings.HasSuffix(s, string(rune(0x10FFFF)))
		}))
	templates := []string{
		`userName eq %s`, `userName sw %s`, `displayName co %s or externalId ew %s`, `emails.value eq %s`, `emails[type eq %s and value gt %s]`,
		`id eq %s`, `groups.value eq %s`, `not (externalId le %s)`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		template := rapid.SampledFrom(templates).Draw(rt, "template")
		fill := func(value string) string {
			var b strings.Builder
			for i, part := range strings.Split(template, "%s") {
				if i > 0 {
					b.WriteString(quoted(value))
				}
				b.WriteString(part)
			}
			return b.String()
		}
		want, _ := translate(t, user, fill("a"), all)
		value := hostile.Draw(rt, "value")
		got, args := translate(t, user, fill(value), all)
		if got.sql != want.sql {
			rt.Fatalf("with %q the condition is\n%s\ninstead of\n%s", value, got.sql, want.sql)
		}
		if n := strings.Count(want.sql, "$"); len(args) > n {
			rt.Fatalf("%d values for %q", len(args), want.sql)
		}
	})
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r < 0x20 || r == '"' || r == '\\' {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Every parameter that has a value stands in the statement: databases refuse
// others, since they cannot tell their type.
func TestEveryValueIsUsed(t *testing.T) {
	t.Parallel()
	user, _ := types()
	for _, text := range []string{
		`userName eq "a" or title eq "x"`, `(userName eq "a" or title eq "b") and externalId eq "c"`, `not (userName eq "a" and title eq "b") and active eq true`,
		`emails[value eq "a" and primary eq true] and not (emails[value eq "b" and primary eq true])`,
	} {
		got, args := translate(t, user, text, all)
		for i := range args {
			if !strings.Contains(got.sql+" ", fmt.Sprintf("$%d", i+3)) {
				t.Errorf("%s: %s does not use $%d of %v", text, got.sql, i+3, args)
			}
		}
	}
}

func TestSuccessorIsTheLeastTextBehindAllWithAPrefix(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix, want string
		ok           bool
	}{
		{"a", "b", true},
		{"az", "a{", true},
		{"\x7f", "\u0080", true},
		{"\u07ff", "\u0800", true},
		{"\ud7ff", "\ue000", true}, // there is nothing in between
		{"\uffff", "\U00010000", true},
		{"a\U0010ffff", "b", true},
		{"\U0010ffff\U0010ffff", "", false},
		{"", "", false},
	} {
		if got, ok := successor(c.prefix); got != c.want || ok != c.ok {
			t.Errorf("successor(%+q) = %+q, %v; want %+q, %v", c.prefix, got, ok, c.want, c.ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		prefix, s := rapid.String().Draw(t, "prefix"), rapid.String().Draw(t, "s")
		if rapid.Bool().Draw(t, "extend") {
			s = prefix + s
		}
		next, ok := successor(prefix)
		inRange := s >= prefix && (!ok || s < next)
		if inRange != strings.HasPrefix(s, prefix) {
			t.Fatalf("%+q begins with %+q is %v, and is in the range up to %+q is %v", s, prefix, !inRange, next, inRange)
		}
	})
}

// A key that was cut off compares with an operand as SQL does it like the whole
// key does, or SQL finds more and says so.
func TestKeysThatAreCutOff(t *testing.T) {
	t.Parallel()
	id := func(s string) any { return s }
	ops := []filter.Op{filter.Eq, filter.Sw, filter.Gt, filter.Ge, filter.Lt, filter.Le}
	text := rapid.Custom(func(t *rapid.T) string {
		head := strings.Repeat("a", rapid.IntRange(1015, 1026).Draw(t, "length"))
		return head + rapid.StringOf(rapid.SampledFrom([]rune{'a', 'b', 'é', '€', '😀'})).Draw(t, "tail")
	})
	user, _ := types()
	rapid.Check(t, func(rt *rapid.T) {
		whole, operand := text.Draw(rt, "key"), text.Draw(rt, "operand")
		op := rapid.SampledFrom(ops).Draw(rt, "op")
		err := side(rapid.Bool().Draw(rt, "above"))
		s := plain().statement(&storage.Query{Type: user}, all)
		c := s.compareKey(key{sql: "key", value: id}, filter.Compare{Op: op, Operand: filter.Operand{Key: operand}}, err)
		kept, _ := storage.IndexKey(whole)
		got, want := evaluate(c.sql, kept, s.args), holds(op, whole, operand)
		switch {
		case c.exact && got != want, err == above && want && !got, err == below && got && !want:
			rt.Fatalf("key of %d bytes %v operand of %d bytes: SQL %v, truth %v, exact %v, above %v\n%s", len(whole), op, len(operand), got, want, c.exact, err, c.sql)
		}
	})
}

func holds(op filter.Op, s, operand string) bool {
	switch op {
	case filter.Eq:
		return s == operand
	case filter.Sw:
		return strings.HasPrefix(s, operand)
	case filter.Gt:
		return s > operand
	case filter.Ge:
		return s >= operand
	case filter.Lt:
		return s < operand
	}
	return s <= operand
}

// evaluate does a conjunction of comparisons of a key with parameters.
func evaluate(sql, key string, args []any) bool {
	switch sql {
	case "TRUE":
		return true
	case "FALSE":
		return false
	}
	for _, term := range strings.Split(strings.Trim(sql, "()"), " AND ") {
		var op string
		var n int
		if _, err := fmt.Sscanf(term, "key %s $%d", &op, &n); err != nil {
			panic(fmt.Sprintf("%s: %v", term, err))
		}
		arg := args[n-1].(string)
		if !map[string]bool{"=": key == arg, ">": key > arg, ">=": key >= arg, "<": key < arg, "<=": key <= arg}[op] {
			return false
		}
	}
	return true
}

// Where links lead, a page of a group's members is read along its links. Other
// orders and other tests start from the records.
func TestLinksLead(t *testing.T) {
	t.Parallel()
	user, group := types()
	const links = `links l CROSS JOIN records r WHERE l.tenant = $1 AND l.owner_type = $3 AND l.relation = $4 AND l.target_type = $2 AND l.owner_id = $5` +
		` AND r.id = l.target_id AND r.tenant = $1 AND r.type = $2 AND NOT r.hidden`
	for _, c := range []struct {
		typ        *schema.Type
		text, sort string
		want       string // behind FROM; "" when it starts from the records
	}{
		{user, `groups.value eq "g1"`, "", links + ` AND l.target_id > $6 ORDER BY l.target_id`},
		{user, `groups.value eq "g1"`, "id", links + ` AND l.target_id > $6 ORDER BY l.target_id`},
		{user, `groups.value eq "g1" and userName eq "a"`, "", links + ` AND ((r.user_name = $6)) AND l.target_id > $7 ORDER BY l.target_id`},
		{user, `groups.value eq "g1" and not (groups.value eq "g1")`, "", links + ` AND FALSE AND l.target_id > $6 ORDER BY l.target_id`},
		{user, `groups.value eq "g1"`, "userName", ""},
		{user, `groups.value eq "g1" or userName eq "a"`, "", ""},
		{user, `not (groups.value eq "g1")`, "", ""},
		{user, `groups pr`, "", ""},
		{group, `members.value eq "u1"`, "", ""},
	} {
		d := plain()
		d.LinksLead = true
		q := &storage.Query{Tenant: "t", Type: c.typ, Filter: compile(t, c.typ, c.text), After: &storage.Position{ID: "u7", Absent: true}}
		if c.sort != "" {
			q.Sort.Path = c.typ.MustResolve(c.sort)
		}
		s := d.statement(q, all)
		where := s.where(q.Filter.Root(), above)
		o, ok := s.order()
		if !ok || !where.exact {
			t.Fatalf("%s: not in SQL alone", c.text)
		}
		sql, _ := s.selection(where, &o)
		_, from, _ := strings.Cut(sql, " FROM ")
		if c.want == "" {
			if !strings.HasPrefix(from, "records r WHERE ") {
				t.Errorf("%s, by %s: from %s; want the records", c.text, c.sort, from)
			}
		} else if from != c.want {
			t.Errorf("%s, by %s:\n  from %s\n  want %s", c.text, c.sort, from, c.want)
		}
	}
}

func TestOffsetsAreSkippedInTheIndexOfIDs(t *testing.T) {
	t.Parallel()
	user, _ := types()
	const whole = "SELECT " + RecordColumns + " FROM records r WHERE r.tenant = $1 AND r.type = $2 AND "
	for _, c := range []struct {
		sort   string
		offset int
		want   string
	}{
		{"", 0, whole + "NOT r.hidden ORDER BY r.id LIMIT $3"},
		{"", 50, whole + "r.id IN (SELECT r.id FROM records r WHERE r.tenant = $1 AND r.type = $2 AND NOT r.hidden ORDER BY r.id LIMIT $3 OFFSET $4) ORDER BY r.id"},
		{"meta.created", 50, whole + "NOT r.hidden ORDER BY r.created, r.id LIMIT $3 OFFSET $4"},
	} {
		d := plain()
		d.SkipInIndex = true
		q := &storage.Query{Tenant: "t", Type: user, Offset: c.offset, Limit: 10}
		if c.sort != "" {
			q.Sort.Path = user.MustResolve(c.sort)
		}
		s := d.statement(q, all)
		where := s.where(q.Filter.Root(), above)
		o, _ := s.order()
		if sql, _ := s.page(where, &o); sql != c.want {
			t.Errorf("offset %d by %q:\n     %s\nwant %s", c.offset, c.sort, sql, c.want)
		}
	}
}
