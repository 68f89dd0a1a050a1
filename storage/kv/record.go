package kv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/musterhq/muster/storage"
)

// A record's value is two lines of JSON and its document, whose bytes are kept
// as they are. The second line, the keys, is read by commits alone, which must
// take them away when the record changes.

// header is what is kept of a record besides its reference, document and keys.
type header struct {
	Connection string    `json:"connection,omitempty"`
	Version    int64     `json:"version"`
	Created    time.Time `json:"created"`
	Modified   time.Time `json:"modified"`
	Hidden     bool      `json:"hidden,omitempty"`
	Label      string    `json:"label,omitempty"`
}

// keys are the keys under which a record is found.
type keys struct {
	Index  []storage.Entry     `json:"index,omitempty"`
	Unique []storage.UniqueKey `json:"unique,omitempty"`
}

func encodeRecord(r *storage.Record) ([]byte, error) {
	head, err := json.Marshal(header{r.Connection, r.Version, r.Created.UTC(), r.Modified.UTC(), r.Hidden, r.Label})
	if err != nil {
		return nil, err
	}
	found, err := json.Marshal(keys{r.Index, r.Unique})
	if err != nil {
		return nil, err
	}
	return slices.Concat(head, []byte("\n"), found, []byte("\n"), r.Doc), nil
}

// decodeRecord copies what it needs of b. It leaves out the keys, which readers
// of a store do without.
func decodeRecord(ref storage.Ref, b []byte) (*storage.Record, error) {
	head, found, doc := lines(b)
	var h header
	if err := json.Unmarshal(head, &h); err != nil || found == nil {
		return nil, foreign(ref)
	}
	return &storage.Record{
		Ref: ref, Connection: h.Connection, Version: h.Version, Created: h.Created, Modified: h.Modified,
		Hidden: h.Hidden, Label: h.Label, Doc: bytes.Clone(doc),
	}, nil
}

// lines divides a value. The parts are nil when it is not one.
func lines(b []byte) (head, found, doc []byte) {
	head, rest, _ := bytes.Cut(b, []byte("\n"))
	found, doc, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return nil, nil, nil
	}
	return head, found, doc
}

func foreign(ref storage.Ref) error {
	return fmt.Errorf("kv: the value of record %s/%s is not one that this package wrote", ref.Type, ref.ID)
}

// load returns a record without its keys, or nil when there is none.
func load(tx Tx, tenant string, ref storage.Ref) (*storage.Record, error) {
	b, err := tx.Get(recordKey(tenant, ref))
	if err != nil || b == nil {
		return nil, err
	}
	return decodeRecord(ref, b)
}

// loadWhole returns a record with its keys, or nil when there is none.
func loadWhole(tx Tx, tenant string, ref storage.Ref) (*storage.Record, error) {
	b, err := tx.Get(recordKey(tenant, ref))
	if err != nil || b == nil {
		return nil, err
	}
	r, err := decodeRecord(ref, b)
	if err != nil {
		return nil, err
	}
	_, found, _ := lines(b)
	var k keys
	if err := json.Unmarshal(found, &k); err != nil {
		return nil, foreign(ref)
	}
	r.Index, r.Unique = k.Index, k.Unique
	return r, nil
}
