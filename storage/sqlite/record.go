package sqlite

import (
	"database/sql/driver"
	"time"

	"github.com/musterhq/muster/storage"
)

// get returns a record, nil when there is none.
func get(c *conn, tenant string, ref storage.Ref) (*storage.Record, error) {
	row, err := c.first(`SELECT id, connection, version, created, modified, hidden, label, doc
		FROM muster_records WHERE tenant = ? AND type = ? AND id = ?`, tenant, ref.Type, ref.ID)
	if err != nil || row == nil {
		return nil, err
	}
	return scanRecord(ref.Type, row), nil
}

// recordColumns is how many columns scanRecord reads: those of
// sqlplan.RecordColumns.
const recordColumns = 8

func scanRecord(typ string, row []driver.Value) *storage.Record {
	return &storage.Record{
		Ref:        storage.Ref{Type: typ, ID: text(row[0])},
		Connection: text(row[1]),
		Version:    integer(row[2]),
		Created:    moment(row[3]),
		Modified:   moment(row[4]),
		Hidden:     integer(row[5]) != 0,
		Label:      text(row[6]),
		Doc:        blob(row[7]),
	}
}

// micros is a time as a column holds it; nil, which statements turn into x”,
// when it is zero.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment is the time that a column holds.
func moment(v driver.Value) time.Time {
	us, ok := v.(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
