// Package sqlplan answers queries of package storage from SQL tables. The SQL
// adapters share it: they own their schema and their writes, and hand over a
// [Dialect], which says how their database spells things, and a [Reader], which
// runs a statement.
//
// # Tables
//
// It expects three tables whose columns have these names. Texts compare
// bytewise; the keys are those of storage.Entry, cut off where
// storage.IndexKey cuts them.
//
//	records  tenant, type, id, connection, version, created, modified, hidden,
//	         label, doc, user_name, external_id, display_name, active
//	entries  tenant, type, attr, key, qualifier, id
//	links    tenant, owner_type, owner_id, relation, target_type, target_id
//
// The last four columns of records hold the key of one single-valued attribute
// each ([Column]). Entries of all other attributes are rows of entries. created
// and modified are whole microseconds. In none of these columns is there a null:
// what a record does not have is a value greater than all others, which the
// dialect names. So logic has two values, absent sorts last, and one row
// comparison starts a page.
//
// # What SQL decides
//
// A plan is translated node by node. What a node means exactly becomes an
// expression; what SQL cannot tell is taken for true, or below a negation for
// false, so that the condition always finds a superset of the matches. Whether
// it is exact is known, and what is not is finished by storage.Evaluate. No part
// of a filter becomes part of a statement's text: values are parameters, and
// attributes select among columns or are parameters too. So the text depends on
// the shape of a query alone, and prepared statements can be kept.
//
// A key over [exactLength] bytes may be cut off. It still compares exactly with a
// shorter operand, since both differ within what was kept, or one is the
// beginning of the other. Only the order of two such keys, and whether one
// contains or ends with something, is left to storage.Evaluate.
package sqlplan
