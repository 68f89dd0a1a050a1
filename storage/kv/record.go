package kv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

// header is what is kept of a record besides its key and document: one line of
// JSON in front of the document, whose bytes are kept as they are.
type header struct {
	Connection string              `json:"connection,omitempty"`
	Version    int64               `json:"version"`
	Created    time.Time           `json:"created"`
	Modified   time.Time           `json:"modified"`
	Hidden     bool                `json:"hidden,omitempty"`
	Label      string              `json:"label,omitempty"`
	Index      []storage.Entry     `json:"index,omitempty"`
	Unique     []storage.UniqueKey `json:"unique,omitempty"`
}

func encodeRecord(r *storage.Record) ([]byte, error) {
	line, err := json.Marshal(header{r.Connection, r.Version, r.Created.UTC(), r.Modified.UTC(), r.Hidden, r.Label, r.Index, r.Unique})
	if err != nil {
		return nil, err
	}
	return slices.Concat(line, []byte("\n"), r.Doc), nil
}

// decodeRecord copies what it needs of b.
func decodeRecord(ref storage.Ref, b []byte) (*storage.Record, error) {
	line, doc, ok := bytes.Cut(b, []byte("\n"))
	var h header
	if err := json.Unmarshal(line, &h); err != nil || !ok {
		return nil, fmt.Errorf("kv: the value of record %s/%s is not one that this package wrote: %w", ref.Type, ref.ID, err)
	}
	return &storage.Record{
		Ref: ref, Connection: h.Connection, Version: h.Version, Created: h.Created, Modified: h.Modified,
		Hidden: h.Hidden, Label: h.Label, Doc: bytes.Clone(doc), Index: h.Index, Unique: h.Unique,
	}, nil
}

// load returns a record, or nil when there is none.
func load(tx Tx, tenant string, ref storage.Ref) (*storage.Record, error) {
	b, err := tx.Get(recordKey(tenant, ref))
	if err != nil || b == nil {
		return nil, err
	}
	return decodeRecord(ref, b)
}
