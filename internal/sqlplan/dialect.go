package sqlplan

import "time"

// Dialect is how one database spells what queries need. Its functions get and
// return SQL expressions.
type Dialect struct {
	// Records, Entries and Links are the names of the tables, quoted and qualified
	// as they stand in a statement.
	Records, Entries, Links string
	// Param is the n-th parameter, from 1. A statement may use one several times.
	Param func(n int) string
	// Key is the parameter value of a key. Keys are columns user_name, external_id,
	// display_name, active, attr's key and qualifier; ids and names are texts.
	Key func(key string) any
	// Time is the parameter value of a time of whole microseconds.
	Time func(time.Time) any
	// NoKey and NoTime are constants that are greater than every key and time. A
	// column holds one where a record has no value, which so comes last.
	NoKey, NoTime string
	// LinksLead lets a statement about the members of one group, in the order of ids,
	// start from its links. It is for a database that would gather the ids of all
	// members first.
	LinksLead bool
	// SkipInIndex lets a page in the order of ids find the ids of its records first,
	// so that those before it are skipped in the index. It is for a database whose
	// index of ids has all that makes a record visible.
	SkipInIndex bool
	// Contains tests that a key has another one in it, EndsWith that it ends with
	// one. Neither is asked about an empty one.
	Contains, EndsWith func(key, part string) string
}

// Column returns the column of records that holds the key of an attribute, by
// its canonical full name; "" when its entries are rows of the entries table.
func Column(attr string) string {
	switch attr {
	case "userName":
		return "user_name"
	case "externalId":
		return "external_id"
	case "displayName":
		return "display_name"
	case "active":
		return "active"
	}
	return ""
}

// RecordColumns are the columns of a selected row: those of a record, in this
// order. Behind them come the flags of [Row].
const RecordColumns = "r.id, r.connection, r.version, r.created, r.modified, r.hidden, r.label, r.doc"
