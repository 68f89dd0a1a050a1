package sqlplan

import "time"

// order is an order that SQL can bring records into, by an index.
type order struct {
	by string // the order's SQL
	// behind selects the records behind the position of the query; "" when it has
	// none.
	behind string
	// long tests that a record is sorted by a key that may be cut off, so that its
	// place among others like it is not known; "" when there are none.
	long string
}

// order translates the order of the query. ok is false when SQL cannot tell it.
func (s *statement) order() (o order, ok bool) {
	common, p := s.query.Type.Common(), s.query.Sort.Path
	switch {
	case s.byID():
		return s.orderByID(), true
	case p == common.Created:
		return s.orderBy("r.created", s.NoTime, s.timeOf)
	case p == common.LastModified:
		return s.orderBy("r.modified", s.NoTime, s.timeOf)
	}
	column, ok := s.indexed(p)
	if !ok || column == "" {
		return order{}, false
	}
	o, ok = s.orderBy(column, s.NoKey, s.keyOf)
	o.long = long(column)
	return o, ok
}

// byID reports whether the order is that of ids.
func (s *statement) byID() bool {
	p := s.query.Sort.Path
	return p.IsZero() || p == s.query.Type.Common().ID
}

func (s *statement) orderByID() order {
	than, direction := s.direction()
	o := order{by: s.id() + direction}
	if a := s.query.After; a != nil {
		o.behind = s.id() + than + s.param(a.ID)
	}
	return o
}

// orderBy is the order by a column, then by id. value is the parameter value of
// a position's key, if it is one that a column can hold.
func (s *statement) orderBy(column, none string, value func(string) (any, bool)) (o order, ok bool) {
	than, direction := s.direction()
	o.by = column + direction + ", r.id" + direction
	if a := s.query.After; a != nil {
		at := none
		if !a.Absent {
			v, ok := value(a.Key)
			if !ok {
				return o, false
			}
			at = s.param(v)
		}
		o.behind = "(" + column + ", r.id)" + than + "(" + at + ", " + s.param(a.ID) + ")"
	}
	return o, true
}

func (s *statement) direction() (than, direction string) {
	if s.query.Sort.Descending {
		return " < ", " DESC"
	}
	return " > ", ""
}

func (s *statement) keyOf(key string) (any, bool) { return s.Key(key), len(key) <= exactLength }

// timeOf reads the key of a time.
func (s *statement) timeOf(key string) (any, bool) {
	at, err := time.Parse(time.RFC3339Nano, key)
	if err != nil || !at.Equal(at.Truncate(time.Microsecond)) || !inYears(at) {
		return nil, false
	}
	return s.Time(at.UTC()), true
}
