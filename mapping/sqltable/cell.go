package sqltable

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim/schema"
)

// cell is a column with the attribute that it keeps.
type cell struct {
	Column
	path   string // as declared
	target mapping.Target
	attr   *schema.Attribute // whose values it has
	info   *columnInfo
	unique bool // a unique index is about it
}

// A value of an attribute is nil when it is unassigned, else a string, a bool, an
// int64, a float64 or a time.Time, by the attribute's type. A value of a column is
// what a Tx gives and takes.

// errRequired is for an attribute without which a row cannot be.
var errRequired = errors.New("a value is required here")

// errUnfit is for a value that the column cannot hold.
var errUnfit = errors.New("the column cannot hold the value")

// errOmit says that the database gives the value.
var errOmit = errors.New("the column is left to the database")

// scimValue is what an attribute says when its column says host.
func (c *cell) scimValue(host any) any {
	host = c.plain(host)
	if !c.As.isZero() {
		v, err := c.As.toSCIM(host)
		if err != nil {
			return nil
		}
		return v
	}
	switch v := host.(type) {
	case string:
		if v == "" || c.attr.Type == schema.Boolean {
			return nil
		}
		return strings.ToValidUTF8(v, "\uFFFD")
	case int64:
		switch c.attr.Type {
		case schema.Boolean:
			return v != 0
		case schema.Integer:
			return v
		case schema.Decimal:
			return float64(v)
		}
		return strconv.FormatInt(v, 10)
	case float64:
		if c.attr.Type == schema.Decimal {
			return v
		}
		return nil
	}
	return host
}

// plain is a column's value as the column's kind has it: databases differ in what
// they hand out.
func (c *cell) plain(host any) any { return plainValue(c.info.kind, host) }

func plainValue(k kind, host any) any {
	if b, ok := host.([]byte); ok {
		host = string(b)
	}
	switch k {
	case kindBoolean:
		switch v := host.(type) {
		case int64:
			return v != 0
		case string:
			return strings.EqualFold(v, "true") || strings.EqualFold(v, "t") || v == "1"
		}
	case kindTime:
		switch v := host.(type) {
		case int64:
			return time.Unix(v, 0).UTC()
		case string:
			return parseTime(v)
		case time.Time:
			return v.UTC()
		}
	case kindNumber:
		switch v := host.(type) {
		case int64:
			return float64(v)
		case string:
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				return f
			}
			return nil
		}
	case kindInteger:
		if v, ok := host.(string); ok {
			if i, err := strconv.ParseInt(v, 10, 64); err == nil {
				return i
			}
			return nil
		}
	}
	return host
}

// timeForms are how texts in SQLite say a time (section "Time Values" of the page on
// its date functions), and RFC 3339.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700 MST",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// parseTime reads a time as texts in SQLite say it, nil when it is none.
func parseTime(s string) any {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return nil
}

// hostValue is what to write so that the column says v. host is what it says now,
// when the row is there already. errOmit leaves the column alone.
func (c *cell) hostValue(d Dialect, v, host any, exists bool, at time.Time) (any, error) {
	if !c.As.isZero() {
		if exists && c.As.keep(c.plain(host), v) {
			return nil, errOmit
		}
		made, err := c.As.toHost(v)
		if err != nil {
			return nil, err
		}
		if made != nil {
			return encode(d, c.info, made, at), nil
		}
		v = nil
	}
	if v == nil {
		return c.unassigned(d, exists, at)
	}
	return c.fit(d, v, at)
}

// unassigned is what the column says when the attribute has no value.
func (c *cell) unassigned(d Dialect, exists bool, at time.Time) (any, error) {
	switch {
	case c.Default != nil:
		return encode(d, c.info, c.Default, at), nil
	case !c.info.required:
		return nil, nil
	case !exists && c.info.made:
		return nil, errOmit
	case c.info.kind == kindText && len(c.info.labels) == 0 && !c.unique:
		return "", nil
	case c.attr.Type == schema.Boolean && c.As.isZero():
		return encode(d, c.info, false, at), nil
	}
	return nil, errRequired
}

// fit checks a value against the column, so that a client reads which attribute is
// at fault, and not what the database says.
func (c *cell) fit(d Dialect, v any, at time.Time) (any, error) {
	switch v := v.(type) {
	case string:
		switch c.info.kind {
		case kindInteger:
			i, ok := parseInteger(v, c.info.bits)
			if !ok {
				return nil, errUnfit
			}
			return i, nil
		case kindUUID:
			if !isUUID(v) {
				return nil, errUnfit
			}
			return v, nil
		}
		if c.info.max > 0 && utf8.RuneCountInString(v) > c.info.max {
			return nil, errTooLong
		}
		if len(c.info.labels) > 0 && !slices.Contains(c.info.labels, v) {
			return nil, errUnfit
		}
	case int64:
		if _, ok := parseInteger(strconv.FormatInt(v, 10), c.info.bits); !ok {
			return nil, errUnfit
		}
	}
	return encode(d, c.info, v, at), nil
}

// errTooLong is for a text that is longer than its column.
var errTooLong = errors.New("the text is too long for the column")

// encode is a value in the form in which the database keeps it in a column.
func encode(d Dialect, info *columnInfo, v any, at time.Time) any {
	switch value := v.(type) {
	case now:
		return encode(d, info, at, at)
	case time.Time:
		value = value.UTC().Truncate(time.Microsecond)
		switch {
		case info.kind == kindInteger:
			return value.Unix()
		case d == DialectSQLite:
			return value.Format("2006-01-02 15:04:05.999999")
		}
		return value
	case bool:
		if d == DialectSQLite || info.kind == kindInteger {
			if value {
				return int64(1)
			}
			return int64(0)
		}
	case int:
		return int64(value)
	}
	return v
}

// parseInteger reads an integer of so many bits that is written as we write it:
// "07" and "+7" are not 7.
func parseInteger(s string, bits int) (int64, bool) {
	i, err := strconv.ParseInt(s, 10, bits)
	return i, err == nil && strconv.FormatInt(i, 10) == s
}

// isUUID reports whether s is a UUID in the form of RFC 9562 section 4, in small
// letters.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// keyValue reads the id of a resource, or the name of a tenant, as a value of its
// column. ok is false when the column holds no such value.
func keyValue(info *columnInfo, s string) (v any, ok bool) {
	switch info.kind {
	case kindInteger:
		return parseInteger(s, info.bits)
	case kindUUID:
		return s, isUUID(s)
	}
	return s, utf8.ValidString(s) && !strings.Contains(s, "\x00")
}

// keyText is a key as an id.
func keyText(v any) string {
	if i, ok := v.(int64); ok {
		return strconv.FormatInt(i, 10)
	}
	return textOf(v)
}
