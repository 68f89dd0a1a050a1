package sqlplan

import (
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// side says which way a condition may err: above the truth it may hold for more
// records, below it for fewer.
type side bool

const (
	above side = true
	below side = false
)

// unknown is the condition of what SQL cannot tell.
func (s side) unknown() condition {
	if s == above {
		return condition{sql: "TRUE"}
	}
	return condition{sql: "FALSE"}
}

// condition is a boolean expression, never null, and whether it is the truth.
type condition struct {
	sql   string
	exact bool
}

func (c condition) constant() bool { return c.sql == "TRUE" || c.sql == "FALSE" }

func (c condition) negated() condition {
	switch c.sql {
	case "TRUE":
		c.sql = "FALSE"
	case "FALSE":
		c.sql = "TRUE"
	default:
		c.sql = "NOT " + c.sql
	}
	return c
}

func exactly(sql string) condition { return condition{sql, true} }

// where translates a node. Parameters of what came to nothing are taken back:
// a database cannot tell their type.
func (s *statement) where(n filter.Node, err side) condition {
	args := len(s.args)
	c := s.translate(n, err)
	if c.constant() {
		s.args = s.args[:args]
	}
	return c
}

func (s *statement) translate(n filter.Node, err side) condition {
	switch n := n.(type) {
	case nil:
		return exactly("TRUE")
	case filter.And:
		return s.all(n.Nodes, err)
	case filter.Or:
		return s.any(n.Nodes, err)
	case filter.Negate:
		return s.where(n.X, !err).negated()
	case filter.Const:
		if n {
			return exactly("TRUE")
		}
		return exactly("FALSE")
	case filter.Compare:
		return s.compare(n, err)
	case filter.Present:
		return s.present(n, err)
	case filter.Any:
		return s.element(n, err)
	case filter.Linked:
		return exactly(s.linked(n))
	}
	return err.unknown()
}

func (s *statement) all(nodes []filter.Node, err side) condition {
	return s.join(nodes, " AND ", "TRUE", "FALSE", err)
}

func (s *statement) any(nodes []filter.Node, err side) condition {
	return s.join(nodes, " OR ", "FALSE", "TRUE", err)
}

// join joins conditions. One that is neutral is left out, and one that decides
// alone is all that is left.
func (s *statement) join(nodes []filter.Node, word, neutral, decides string, err side) condition {
	var terms []string
	exact := true
	for _, n := range nodes {
		c := s.where(n, err)
		exact = exact && c.exact
		switch c.sql {
		case neutral:
		case decides:
			return c
		default:
			terms = append(terms, c.sql)
		}
	}
	if len(terms) == 0 {
		return condition{neutral, exact}
	}
	return condition{"(" + strings.Join(terms, word) + ")", exact}
}

// indexed reports whether an attribute's keys are all in the tables, and in which
// column; "" when they are rows of entries.
func (s *statement) indexed(p schema.Path) (column string, ok bool) {
	if !p.IsIndexed() || !p.InDocument() || !s.complete(p) {
		return "", false
	}
	column = Column(p.String())
	if column == "" {
		return "", true
	}
	return "r." + column, p.MultiValued().IsZero()
}

// compare translates a comparison with an attribute of the whole resource.
func (s *statement) compare(n filter.Compare, err side) condition {
	common := s.query.Type.Common()
	switch n.Path {
	case common.ID:
		return s.compareID(n, err)
	case common.Created:
		return s.compareTime("r.created", n, err)
	case common.LastModified:
		return s.compareTime("r.modified", n, err)
	}
	column, ok := s.indexed(n.Path)
	switch {
	case !ok:
		return err.unknown()
	case column != "":
		return s.compareKey(key{column, s.Key, s.NoKey}, n, err)
	}
	return s.entry(n.Path, func() condition { return s.compareKey(s.entryKey(), n, err) })
}

func (s *statement) present(n filter.Present, err side) condition {
	common := s.query.Type.Common()
	switch n.Path {
	case common.ID:
		return exactly("TRUE")
	case common.Created, common.LastModified:
		return err.unknown() // asked by nobody, and always true
	}
	if n.Path.Attribute().Type == schema.Complex {
		return err.unknown()
	}
	column, ok := s.indexed(n.Path)
	switch {
	case !ok:
		return err.unknown()
	case column != "":
		return exactly("(" + column + " <> '' AND " + column + " < " + s.NoKey + ")")
	}
	return s.entry(n.Path, func() condition { return exactly("e.key <> ''") })
}

// entry selects the records that have an entry of an attribute which satisfies a
// condition.
func (s *statement) entry(p schema.Path, holds func() condition) condition {
	attr := s.param(p.String())
	c := holds()
	if c.sql == "FALSE" {
		return c
	}
	return condition{"r.id IN (SELECT e.id FROM " + s.Entries + " e WHERE e.tenant = " + s.tenant +
		" AND e.type = " + s.typ + " AND e.attr = " + attr + " AND " + c.sql + ")", c.exact}
}

// key is an expression whose value is a key.
type key struct {
	sql   string
	value func(string) any // of a parameter that it is compared with
	none  string           // its value where there is no key; "" when there always is one
}

// entryKey is the key of a row of entries.
func (s *statement) entryKey() key { return key{sql: "e.key", value: s.Key} }

// compareID translates a comparison with the id, which is never cut off. Ids are
// not searched.
func (s *statement) compareID(n filter.Compare, err side) condition {
	if n.Op == filter.Co || n.Op == filter.Ew {
		return err.unknown()
	}
	return s.compareKey(key{sql: "r.id", value: func(id string) any { return id }}, n, err)
}

// compareKey translates a comparison with a key. Where there is none, no
// comparison holds.
func (s *statement) compareKey(k key, n filter.Compare, err side) condition {
	operand, cut := n.Key, len(n.Key) > exactLength
	if cut {
		if err == below {
			return err.unknown()
		}
		operand = firstOf(operand)
	}
	if n.Op == filter.Co || n.Op == filter.Ew {
		return s.search(k, operand, n.Op, err)
	}
	var from, to string // where a range begins and ends: an operator and a parameter
	open := true        // whether the range may reach up to what stands for no key
	is := func(op, operand string) string { return op + " " + s.param(k.value(operand)) }
	next := func() {
		if text, ok := successor(operand); ok {
			to, open = is("<", text), false
		}
	}
	switch {
	case n.Op == filter.Sw || n.Op == filter.Eq && cut:
		from = is(">=", operand)
		next()
	case n.Op == filter.Eq:
		from, open = is("=", operand), false
	case n.Op == filter.Ge || n.Op == filter.Gt && cut:
		from = is(">=", operand)
	case n.Op == filter.Gt:
		from = is(">", operand)
	case (n.Op == filter.Le || n.Op == filter.Lt) && cut:
		next()
	case n.Op == filter.Le:
		to, open = is("<=", operand), false
	case n.Op == filter.Lt:
		to, open = is("<", operand), false
	default:
		return err.unknown()
	}
	if open && k.none != "" {
		to = "< " + k.none
	}
	var terms []string
	for _, limit := range []string{from, to} {
		if limit != "" {
			terms = append(terms, k.sql+" "+limit)
		}
	}
	if len(terms) == 0 {
		return condition{"TRUE", !cut}
	}
	return condition{"(" + strings.Join(terms, " AND ") + ")", !cut}
}

// search looks into keys. One that may be cut off is taken for a match above the
// truth, and for none below it.
func (s *statement) search(k key, part string, op filter.Op, err side) condition {
	holds := exactly("TRUE") // everything begins and ends with nothing
	if part != "" {
		found := s.Contains
		if op == filter.Ew {
			found = s.EndsWith
		}
		sql := "(" + found(k.sql, s.param(k.value(part))) + ")"
		if err == above {
			sql = "(" + sql + " OR " + long(k.sql) + ")"
		} else if op == filter.Ew {
			sql = "(" + sql + " AND NOT " + long(k.sql) + ")"
		}
		holds = condition{sql: sql}
	}
	if k.none != "" {
		holds.sql = "(" + k.sql + " < " + k.none + " AND " + holds.sql + ")"
	}
	return holds
}

// long tests that a key may be cut off.
func long(key string) string {
	return "(octet_length(" + key + ") > " + strconv.Itoa(exactLength) + ")"
}

// firstOf returns as many whole characters of a text as are in every key that
// was cut off from it.
func firstOf(text string) string {
	n := 0
	for i := range text {
		if i > exactLength {
			break
		}
		n = i
	}
	return text[:n]
}

// compareTime translates a comparison with a time of the record, which is whole
// microseconds, as its operand need not be.
func (s *statement) compareTime(column string, n filter.Compare, err side) condition {
	at := n.Time.Truncate(time.Microsecond)
	if !inYears(at) {
		return err.unknown()
	}
	whole := at.Equal(n.Time)
	op := ""
	switch n.Op {
	case filter.Eq:
		if op = "="; !whole {
			return exactly("FALSE")
		}
	case filter.Gt:
		op = ">"
	case filter.Ge:
		if op = ">="; !whole {
			op = ">"
		}
	case filter.Lt:
		if op = "<"; !whole {
			op = "<="
		}
	case filter.Le:
		op = "<="
	default:
		return err.unknown()
	}
	return exactly("(" + column + " " + op + " " + s.param(s.Time(at)) + " AND " + column + " < " + s.NoTime + ")")
}

// linked translates a test on a relation. A test that names the other end is
// answered from there, and so may come first.
func (s *statement) linked(l filter.Linked) string {
	from := " FROM " + s.Links + " l WHERE "
	switch {
	case s.lead != nil && l == *s.lead:
		return "TRUE"
	case l.Inverse && l.Type != "" && l.Type != l.Owner:
		return "FALSE"
	case l.Inverse && l.ID == "":
		return "EXISTS (SELECT 1" + from + s.linksTo(l) + " AND l.target_id = r.id)"
	case l.Inverse:
		return "r.id IN (SELECT l.target_id" + from + s.linksTo(l) + " AND l.owner_id = " + s.param(l.ID) + ")"
	}
	from += "l.tenant = " + s.tenant + " AND l.owner_type = " + s.typ + " AND l.relation = " + s.param(l.Relation)
	if l.ID == "" {
		if l.Type != "" {
			from += " AND l.target_type = " + s.param(l.Type)
		}
		return "EXISTS (SELECT 1" + from + " AND l.owner_id = r.id)"
	}
	var types []string
	for _, typ := range s.targets(l) {
		types = append(types, s.param(typ))
	}
	if len(types) == 0 {
		return "FALSE"
	}
	return "r.id IN (SELECT l.owner_id" + from + " AND l.target_type IN (" + strings.Join(types, ", ") + ") AND l.target_id = " + s.param(l.ID) + ")"
}

// linksTo selects the links to records of the type in a relation that others own.
func (s *statement) linksTo(l filter.Linked) string {
	return "l.tenant = " + s.tenant + " AND l.owner_type = " + s.param(l.Owner) + " AND l.relation = " + s.param(l.Relation) + " AND l.target_type = " + s.typ
}

// targets are the types that the other end of a link may have.
func (s *statement) targets(l filter.Linked) []string {
	if l.Type != "" {
		return []string{l.Type}
	}
	for _, rel := range s.query.Type.Relations() {
		if rel.Attribute == l.Relation {
			return rel.Targets
		}
	}
	return nil
}

// inYears reports whether no time that has no key of its own counts as this one.
func inYears(at time.Time) bool { y := at.UTC().Year(); return y > 0 && y < 9999 }
