package scim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim/resource"
)

// query are the parameters of a URL, or of a search request's body. Unknown ones are
// ignored (RFC 7644 section 3.4.2): clients leave flags of their own in URLs.
type query struct {
	filter, sortBy, sortOrder string
	startIndex, count, cursor string
	has                       uint8
	attributes, excluded      []string
}

const (
	hasFilter = 1 << iota
	hasSortBy
	hasSortOrder
	hasStartIndex
	hasCount
	hasCursor
)

// parse reads a raw query, decoding each part once. Parameter names ignore case.
func (q *query) parse(raw string) error {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return Errorf(http.StatusBadRequest, InvalidValue, "the query of the URL is not percent-encoded correctly")
		}
		set := func(field *string, flag uint8) error {
			if q.has&flag != 0 {
				return Errorf(http.StatusBadRequest, InvalidValue, "the parameter %s stands twice in the URL", strings.ToLower(key))
			}
			q.has |= flag
			*field = value
			return nil
		}
		switch strings.ToLower(key) {
		case "filter":
			err = set(&q.filter, hasFilter)
		case "sortby":
			err = set(&q.sortBy, hasSortBy)
		case "sortorder":
			err = set(&q.sortOrder, hasSortOrder)
		case "startindex":
			err = set(&q.startIndex, hasStartIndex)
		case "count":
			err = set(&q.count, hasCount)
		case "cursor":
			err = set(&q.cursor, hasCursor)
		case "attributes":
			q.attributes = appendNames(q.attributes, value)
		case "excludedattributes":
			q.excluded = appendNames(q.excluded, value)
		}
		if err != nil {
			return err
		}
	}
	return q.check()
}

func (q *query) check() error {
	if q.attributes != nil && q.excluded != nil {
		return Errorf(http.StatusBadRequest, InvalidValue, "attributes and excludedAttributes exclude each other; send one of them")
	}
	return nil
}

func appendNames(names []string, list string) []string {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (q *query) projection(t *Type, sent ...Path) *resource.Projection {
	if q.attributes == nil && q.excluded == nil && len(sent) == 0 {
		return nil
	}
	return resource.NewProjection(t, q.attributes, q.excluded, sent...)
}

// list makes the options of a list of one type.
func (x *exchange) list(e *endpoint) (ListOptions, error) {
	q := &x.query
	o, err := x.paging()
	if err != nil {
		return o, err
	}
	if q.has&hasFilter != 0 {
		if o.Filter, err = x.s.parseFilter(&x.call, e.typ, q.filter, x.baseURL()); err != nil {
			return o, err
		}
	}
	if q.sortBy != "" {
		o.Sort.Path, err = sortPath(e.typ, q.sortBy)
	}
	return o, err
}

// paging makes the options of a list that do not depend on a type.
func (x *exchange) paging() (o ListOptions, err error) {
	q := &x.query
	if o.StartIndex, err = number(q.startIndex, "startIndex", 1); err != nil {
		return o, err
	}
	o.ByCursor, o.Cursor = q.has&hasCursor != 0, q.cursor
	if o.ByCursor && q.has&hasStartIndex != 0 {
		return o, Errorf(http.StatusBadRequest, InvalidValue, "startIndex and cursor are two ways of paging; send one of them")
	}
	o.sameCount = strings.TrimSpace(q.count) == ""
	if o.Count, err = number(q.count, "count", x.s.limits.PageSize); err != nil {
		return o, err
	}
	switch strings.ToLower(q.sortOrder) {
	case "", "ascending":
	case "descending":
		o.Sort.Descending = true
	default:
		return o, Errorf(http.StatusBadRequest, InvalidValue, "sortOrder must be \"ascending\" or \"descending\"")
	}
	return o, nil
}

// number reads a parameter; numbers too large for any page are as good as the
// largest.
func number(text, name string, absent int) (int, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if ne, ok := err.(*strconv.NumError); !ok || ne.Err != strconv.ErrRange {
			return 0, Errorf(http.StatusBadRequest, InvalidValue, "%s must be a whole number", name)
		}
	}
	const most = 1 << 31
	return int(max(min(n, most), -most)), nil
}

// sortPath resolves sortBy. A complex multi-valued attribute stands for its
// value, as it does in filters.
func sortPath(t *Type, name string) (Path, error) {
	p, err := t.Resolve(name)
	if err != nil {
		return Path{}, Errorf(http.StatusBadRequest, InvalidPath, "sortBy: %v", err)
	}
	if p.NumChildren() > 0 {
		value, ok := p.Lookup("value")
		if !ok || !p.Attribute().MultiValued {
			return Path{}, Errorf(http.StatusBadRequest, InvalidPath, "sortBy: %q has parts; name one of them", p)
		}
		p = value
	}
	if p.Secret() || !p.InDocument() && !p.IsCommon() {
		return Path{}, Errorf(http.StatusBadRequest, InvalidPath, "sortBy: %q cannot be sorted by", p)
	}
	return p, nil
}
