package filter_test

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/scim/filter"
)

var sameTree = cmp.Options{
	cmpopts.IgnoreFields(filter.Comparison{}, "Offset"),
	cmpopts.IgnoreFields(filter.ValuePath{}, "Offset"),
	cmpopts.IgnoreFields(filter.Literal{}, "Offset"),
}

// checkError holds an error to its promises.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *filter.Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: error %v is no *Error", text, err)
	}
	if e.Offset < 0 || e.Offset > len(text) || e.Detail == "" {
		t.Fatalf("%q: error %+v points outside the text or says nothing", text, e)
	}
}

// longer lets a printed tree be longer than the text it came from.
func longer(o filter.ParseOptions) filter.ParseOptions {
	o.MaxLength = 1 << 20
	return o
}

// FuzzParse parses strictly and tolerantly, prints and parses again, and
// evaluates what compiles.
func FuzzParse(f *testing.F) {
	rows, err := vectors.LoadFilter(os.DirFS(vectorDir))
	if err != nil {
		f.Fatal(err)
	}
	for _, row := range rows {
		f.Add(row.Filter)
	}
	typ, users := vectorUsers(f)
	loose, plan := tolerant()
	f.Fuzz(func(t *testing.T, text string) {
		strict, strictErr := filter.Parse(text, filter.ParseOptions{})
		tolerated, err := filter.Parse(text, loose)
		if err != nil {
			checkError(t, text, err)
			if strictErr == nil {
				t.Fatalf("%q is fine but for tolerance: %v", text, err)
			}
			checkError(t, text, strictErr)
			return
		}
		if strictErr == nil {
			if d := cmp.Diff(strict, tolerated); d != "" {
				t.Fatalf("tolerance reads %q in another way: %s", text, d)
			}
		}
		again, err := filter.Parse(tolerated.String(), longer(loose))
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, tolerated, err)
		}
		if d := cmp.Diff(tolerated, again, sameTree); d != "" {
			t.Fatalf("%q printed as %q: %s", text, tolerated, d)
		}
		p, err := filter.Compile(typ, tolerated, plan)
		if err != nil {
			checkError(t, text, err)
			return
		}
		negated, err := filter.Compile(typ, &filter.Not{X: tolerated}, plan)
		if err != nil {
			t.Fatalf("%q compiles, its negation does not: %v", text, err)
		}
		for _, u := range users {
			if p.Match(u, noLinks) == negated.Match(u, noLinks) {
				t.Fatalf("%q and its negation agree on %s", text, u.ID())
			}
		}
	})
}

// FuzzParsePath parses paths of PATCH operations, prints and parses again, and
// evaluates their filters on the elements that they address.
func FuzzParsePath(f *testing.F) {
	for _, path := range []string{
		`emails[type eq "work"].value`, `name.familyName`, enterprise + `:manager.value`, `members[value eq "a]b"]`,
		`emails[`, `emails[]`, `emails[type eq "work"]value`, `emails.type[value eq "x"]`, `$..title`, ``,
	} {
		f.Add(path)
	}
	typ, users := vectorUsers(f)
	_, plan := tolerant()
	f.Fuzz(func(t *testing.T, text string) {
		p, err := filter.ParsePath(text, filter.ParseOptions{})
		if err != nil {
			checkError(t, text, err)
			return
		}
		again, err := filter.ParsePath(p.String(), longer(filter.ParseOptions{}))
		if err != nil {
			t.Fatalf("%q printed as %q: %v", text, p, err)
		}
		if d := cmp.Diff(p, again, sameTree); d != "" {
			t.Fatalf("%q printed as %q: %s", text, p, d)
		}
		attribute, err := typ.Resolve(p.Name)
		if err != nil || p.Filter == nil {
			return
		}
		where, err := filter.CompileElement(attribute, p.Filter, plan)
		if err != nil {
			checkError(t, text, err)
			return
		}
		if _, ok := where.Root().(filter.Any); !ok {
			t.Fatalf("%q: the root is %T", text, where.Root())
		}
		for _, u := range users {
			for e := range u.Get(attribute).Elements() {
				where.MatchElement(e)
			}
		}
	})
}
