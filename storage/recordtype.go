package storage

import "github.com/musterhq/muster/scim/schema"

// IndexedFor returns the type whose indexed attributes r.Index has the values of,
// or nil for a record that [NewRecord] did not make. A store that keeps an index
// learns from it which attributes the index is complete for.
func (r *Record) IndexedFor() *schema.Type {
	if r.res == nil {
		return nil
	}
	return r.res.Type()
}
