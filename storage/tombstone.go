package storage

// WithoutKeys returns a copy of a record that holds no unique keys: what is left
// of a tombstone when somebody else takes its name. What is put must still be what
// [NewRecord] made, not what a store returned, which may lack its index entries.
func (r *Record) WithoutKeys() *Record {
	c := *r
	c.Unique = nil
	return &c
}
