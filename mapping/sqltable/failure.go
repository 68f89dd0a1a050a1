package sqltable

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/scim"
)

// failure makes an error of the database one that the server answers. What the
// database says is for the host's log alone.
func (b *binding) failure(err error) error {
	var f *Failure
	if !errors.As(err, &f) {
		return err
	}
	paths := b.paths(f)
	about := "a value"
	if len(paths) > 0 {
		about = strings.Join(paths, " or ")
	}
	switch f.Trouble {
	case NotUniqueRow:
		if len(paths) > 0 {
			return scim.Errorf(http.StatusConflict, scim.Uniqueness, "%s is taken by another resource", about).WithCause(err)
		}
		return scim.Errorf(http.StatusConflict, scim.Uniqueness, "the application has an entry with the same values already").WithCause(err)
	case MissingValue:
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s is required by the application", about).WithCause(err)
	case UnknownReference:
		if len(paths) > 0 {
			return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s does not name anything that the application has", about).WithCause(err)
		}
		return scim.Errorf(http.StatusConflict, "", "other data of the application depends on the resource, or the resource on data that is not there").WithCause(err)
	case RefusedValue:
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s is not accepted by the application", about).WithCause(err)
	case Unavailable:
		e := scim.Errorf(http.StatusServiceUnavailable, "", "the application's database cannot be reached; try again later").WithCause(err)
		e.RetryAfter = 5 * time.Second
		return e
	}
	return err
}

// paths are the attributes that a failure is about, as far as the database told.
func (b *binding) paths(f *Failure) []string {
	var paths []string
	add := func(path string) {
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	tables := []*tableInfo{b.host}
	for i := range b.children {
		tables = append(tables, b.children[i].info)
	}
	columns := slices.Clone(f.Columns)
	for _, info := range tables {
		columns = append(columns, info.constraints[f.Constraint]...)
	}
	if len(columns) == 0 && f.Trouble == RefusedValue && b.db.Dialect() == DialectSQLite {
		// A check without a name is known by its text.
		for i := range b.cells {
			if mentions(f.Constraint, b.cells[i].info.name) {
				columns = append(columns, b.cells[i].info.name)
			}
		}
		for i := range b.children {
			for _, name := range names(b.children[i].cells) {
				if mentions(f.Constraint, name) {
					columns = append(columns, name)
				}
			}
		}
	}
	for i := range b.cells {
		if slices.Contains(columns, b.cells[i].info.name) {
			add(b.cells[i].path)
		}
	}
	for i := range b.children {
		k := &b.children[i]
		for j := range k.cells {
			if slices.Contains(columns, k.cells[j].info.name) {
				add(k.Attr)
			}
		}
	}
	return paths
}

// refuse is the answer to a value that a column cannot hold.
func refuse(path string, err error) error {
	switch {
	case errors.Is(err, errRequired):
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s is required by the application", path).WithCause(err)
	case errors.Is(err, errTooLong):
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s is longer than the application can keep", path).WithCause(err)
	}
	return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s has a value that the application does not accept", path).WithCause(fmt.Errorf("%s: %w", path, err))
}
