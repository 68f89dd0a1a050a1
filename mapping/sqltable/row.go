package sqltable

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

// row is a row of the host's table with everything that belongs to it, between the
// database and a resource.
type row struct {
	key    any
	values []any // of the cells, as the attributes say them
	host   []any // of the cells, as the columns say them; nil for a new row
	// created, modified and version are of the columns that say so, nil without.
	created, modified, version any
	side                       side
	children                   [][]element // by child table
}

// side is the row of the side table.
type side struct {
	there      bool
	connection string
	externalID string
	version    int64
	created    time.Time
	modified   time.Time
	document   []byte
}

// element is a row of a child table.
type element struct {
	at     any // its address, nil for a new one
	values []any
	host   []any
}

// clone copies what Assign replaces.
func (r *row) clone() *row {
	c := *r
	c.values, c.children = slices.Clone(r.values), slices.Clone(r.children)
	return &c
}

// fingerprint is the version of what was read: another one as soon as anything in
// it differs, whoever wrote it.
func (r *row) fingerprint() string {
	h := sha256.New()
	var buf []byte
	add := func(v any) {
		tag, text := byte('?'), ""
		switch v := v.(type) {
		case nil:
			tag = 'n'
		case string:
			tag, text = 's', v
		case []byte:
			tag, text = 's', string(v)
		case int64:
			tag, text = 'i', fmt.Sprint(v)
		case float64:
			tag, text = 'f', fmt.Sprint(math.Float64bits(v))
		case bool:
			tag, text = 'b', fmt.Sprint(v)
		case time.Time:
			tag, text = 't', v.UTC().Format(time.RFC3339Nano)
		}
		buf = append(binary.AppendUvarint(append(buf[:0], tag), uint64(len(text))), text...)
		_, _ = h.Write(buf)
	}
	for _, v := range r.host {
		add(v)
	}
	add(r.version)
	add(r.modified)
	add(r.side.externalID)
	add(r.side.version)
	add(r.side.document)
	for _, list := range r.children {
		add(int64(len(list)))
		for _, e := range list {
			for _, v := range e.host {
				add(v)
			}
		}
	}
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// meta is the resource's metadata.
func (r *row) meta() scim.Meta {
	m := scim.Meta{ID: keyText(r.key), Version: r.fingerprint(), Created: r.side.created, LastModified: r.side.modified}
	if t, ok := r.created.(time.Time); ok {
		m.Created = t
	}
	if t, ok := r.modified.(time.Time); ok {
		m.LastModified = t
	}
	return m
}

// fieldOf declares the cell at index i to the mapping.
func fieldOf(c *cell, i int) mapping.Field[row] {
	switch c.attr.Type {
	case schema.Boolean:
		return field[bool](c, i)
	case schema.Integer:
		return field[int64](c, i)
	case schema.Decimal:
		return field[float64](c, i)
	case schema.DateTime:
		return field[time.Time](c, i)
	}
	return field[string](c, i)
}

func field[V any](c *cell, i int) mapping.Field[row] {
	f := mapping.Func(c.path,
		func(r *row) (V, bool) {
			v, ok := r.values[i].(V)
			return v, ok
		},
		func(r *row, v V, ok bool) error {
			r.values[i] = nil
			if ok {
				r.values[i] = v
			}
			return nil
		}).Name(c.Name).Label(c.Label)
	if c.info.max > 0 && c.attr.Type.IsText() && c.As.isZero() {
		f.Max(c.info.max)
	}
	if c.ReadOnly || c.info.generated {
		f.ReadOnly()
	}
	if c.WriteOnce {
		f.WriteOnce()
	}
	return f
}

// externalID declares the side table's column of that name.
func externalID() mapping.Field[row] {
	return mapping.Func("externalId",
		func(r *row) (string, bool) { return r.side.externalID, r.side.externalID != "" },
		func(r *row, v string, _ bool) error {
			r.side.externalID = v
			return nil
		})
}

// elements declares a child table.
func (k *child) elements(i int) mapping.Field[row] {
	return mapping.Func(k.Attr,
		func(r *row) (scim.Value, bool) {
			v := k.value(r.children[i])
			return v, !v.IsZero()
		},
		func(r *row, v scim.Value, _ bool) error {
			r.children[i] = k.list(v)
			return nil
		})
}
