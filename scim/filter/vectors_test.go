package filter_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const vectorDir = "../../testdata/vectors"

// vectorUsers returns the user type of the vectors and their users.
func vectorUsers(t testing.TB) (*schema.Type, []*resource.Resource) {
	t.Helper()
	file, err := vectors.LoadFilterUsers(os.DirFS(vectorDir))
	if err != nil {
		t.Fatal(err)
	}
	custom, err := schema.ParseSchema(file.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	decl := schema.User()
	decl.Extensions = append(decl.Extensions, schema.Extension{Schema: custom})
	typ := schema.MustCompile(decl, schema.Group())
	var users []*resource.Resource
	for _, body := range file.Users {
		users = append(users, decodeUser(t, typ, body))
	}
	return typ, users
}

// decodeUser reads a user with the id and the meta that clients cannot set.
func decodeUser(t testing.TB, typ *schema.Type, body []byte) *resource.Resource {
	t.Helper()
	d, err := resource.Decode(typ, body, resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		ID   string
		Meta struct{ Created, LastModified time.Time }
	}
	if err := json.Unmarshal(body, &kept); err != nil {
		t.Fatal(err)
	}
	return d.Resource.WithMeta(resource.Meta{ID: kept.ID, Version: "1", Created: kept.Meta.Created, LastModified: kept.Meta.LastModified})
}

func tolerant() (filter.ParseOptions, filter.Options) {
	return filter.ParseOptions{BareWords: true, BooleanCase: true, ValuePathSub: true},
		filter.Options{BooleanText: true, ComplexValue: true, DottedURN: true}
}

func noLinks(string, filter.Linked) bool { return false }

func TestVectors(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	rows, err := vectors.LoadFilter(os.DirFS(vectorDir))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 180 {
		t.Fatalf("only %d vectors", len(rows))
	}
	for _, strict := range []bool{true, false} {
		mode, parse, plan := "strict", filter.ParseOptions{}, filter.Options{}
		if !strict {
			mode = "tolerant"
			parse, plan = tolerant()
		}
		for _, row := range rows {
			// White space beyond the grammar's is accepted in either mode.
			if !row.Applies(strict) {
				continue
			}
			t.Run(mode+"/"+row.ID, func(t *testing.T) {
				t.Parallel()
				p, err := compile(typ, row.Filter, parse, plan)
				if !row.Valid {
					var e *filter.Error
					if !errors.As(err, &e) {
						t.Errorf("%s: error %v, want an *Error (%s)", row.Filter, err, row.Why)
					}
					return
				}
				if err != nil {
					t.Fatalf("%s: %v (%s)", row.Filter, err, row.Why)
				}
				got := []string{}
				for _, u := range users {
					if p.Match(u, noLinks) {
						got = append(got, u.ID())
					}
				}
				if !slices.Equal(got, row.Matches) {
					t.Errorf("%s: matches %v, want %v (%s)", row.Filter, got, row.Matches, row.Why)
				}
			})
		}
	}
}

func compile(typ *schema.Type, text string, parse filter.ParseOptions, o filter.Options) (*filter.Plan, error) {
	x, err := filter.Parse(text, parse)
	if err != nil {
		return nil, err
	}
	return filter.Compile(typ, x, o)
}

// mustCompile compiles a strict filter.
func mustCompile(t testing.TB, typ *schema.Type, text string) *filter.Plan {
	t.Helper()
	p, err := compile(typ, text, filter.ParseOptions{}, filter.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}
