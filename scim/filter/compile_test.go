package filter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const (
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	custom     = "urn:example:params:scim:schemas:extension:test:2.0:User"
)

func TestPlansAreFlatAndResolved(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct{ in, want string }{
		{`USERNAME Eq "x"`, `userName eq ?`},
		{`userName ne "x"`, `not (userName eq ?)`},
		{`not (userName ne "x")`, `userName eq ?`},
		{`title pr and (active eq true and (title co "x" and title sw "y"))`, `title pr and active eq ? and title co ? and title sw ?`},
		{`title pr or (active eq true or (title co "x"))`, `title pr or active eq ? or title co ?`},
		{`title pr or active eq true and title co "x"`, `title pr or (active eq ? and title co ?)`},
		{`emails eq "x"`, `emails.value eq ?`},
		{`emails[type eq "work"]`, `emails[emails.type eq ?]`},
		{`tags[value eq "red"]`, custom + `:tags[` + custom + `:tags eq ?]`},
		{`department eq "x"`, enterprise + `:department eq ?`},
		{`URN:ietf:params:scim:schemas:core:2.0:USER:name.FAMILYNAME pr`, `name.familyName pr`},
		{`manager.value eq "x"`, enterprise + `:manager.value eq ?`},
		{enterprise + ` pr`, enterprise + ` pr`},
		{`badge[color eq "red"]`, custom + `:badge[` + custom + `:badge.color eq ?]`},
		{`emails eq null`, `not (emails[true])`},
		{`emails ne null`, `emails[true]`},
		{`manager eq null`, `not (` + enterprise + `:manager[true])`},
		{`title eq null`, `not (title pr or title eq ?)`},
		{`active ne null`, `active pr`},
		{`emails[type eq null]`, `emails[not (emails.type pr or emails.type eq ?)]`},
		{`meta.resourceType eq "User" and title pr`, `title pr`},
		{`meta.resourceType eq "Group" and title pr`, `false`},
		{`meta.resourceType co "se"`, `true`},
		{`schemas pr and meta pr and meta.resourceType pr`, `true`},
		{`meta.location pr`, `id pr`},
		{`meta.created gt "2020-01-01T00:00:00Z"`, `meta.created gt ?`},
		// Names that the type does not have are unassigned.
		{`nosuch eq "x"`, `false`},
		{`nosuch gt 3`, `false`},
		{`nosuch pr`, `false`},
		{`nosuch ne "x"`, `true`},
		{`nosuch eq null`, `true`},
		{`nosuch ne null`, `false`},
		{`nosuch[type eq "x"]`, `false`},
		{`name.nosuch pr or title pr`, `title pr`},
		{`emails[nosuch eq "x" and type eq "work"]`, `false`},
		{`emails[nosuch eq "x" or type eq "work"]`, `emails[emails.type eq ?]`},
		{`emails[nosuch ne "x"]`, `emails[true]`},
		{`not (nosuch pr) and title pr`, `title pr`},
		{`urn:example:unknown:2.0:User:a.b[c pr]`, `false`},
		{enterprise + `.department eq "x"`, `false`},
	} {
		x, err := filter.Parse(c.in, filter.ParseOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		p, err := filter.Compile(typ, x, filter.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := p.String(); got != c.want {
			t.Errorf("%s is planned as %s, want %s", c.in, got, c.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct {
		in     string
		offset int
		detail string
	}{
		{`title pr and active gt false`, 13, `type boolean, which does not have the operator "gt"`},
		{`active co "t"`, 0, `type boolean`},
		{`level co 3`, 0, `type integer`},
		{`score sw 3`, 0, `type decimal`},
		{`hired ew "Z"`, 0, `type dateTime`},
		{`x509Certificates.value gt "MA=="`, 0, `type binary`},
		{`active eq "true"`, 10, `true or false`},
		{`active eq 1`, 10, `true or false`},
		{`level eq true`, 9, `number`},
		{`level eq "3"`, 9, `number`},
		{`userName eq 5`, 12, `double quotes`},
		{`userName eq true`, 12, `double quotes`},
		{`hired eq 5`, 9, `dateTime`},
		{`hired eq "2020-01-01"`, 9, `dateTime`},
		{`hired eq "2020-02-30T00:00:00Z"`, 9, `dateTime`},
		{`title gt null`, 9, `null`},
		{`nosuch gt null`, 10, `null`},
		{`name eq "x"`, 0, `complex`},
		{`addresses eq "x"`, 0, `complex`},
		{`manager eq "x"`, 0, `complex`},
		{enterprise + ` eq "x"`, 0, `complex`},
		{`title[value eq "x"]`, 0, `no elements`},
		{enterprise + `[department eq "x"]`, 0, `no elements`},
		{`emails.type[value eq "x"]`, 0, `no elements`},
		{`urn:ietf:params:scim:schemas:core:2.0:User pr`, 0, `does not name an attribute`},
		{`emails[type eq 5]`, 15, `double quotes`},
		{`emails[primary gt true]`, 7, `boolean`},
	} {
		_, err := compile(typ, c.in, filter.ParseOptions{}, filter.Options{})
		var e *filter.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an *Error", c.in, err)
			continue
		}
		if e.Offset != c.offset || !strings.Contains(e.Detail, c.detail) || e.Path || e.Limit || e.Unknown {
			t.Errorf("%s: %+v, want offset %d and %q", c.in, e, c.offset, c.detail)
		}
	}
}

// A name of 8 KB is not sent back.
func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	_, err := compile(typ, strings.Repeat("a", 8_000)+" pr", filter.ParseOptions{}, filter.Options{UnknownNames: true})
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("the error is %.400v", err)
	}
	if _, err := filter.Compile(typ, nil, filter.Options{}); err == nil {
		t.Error("no expression compiles")
	}
}

func TestUnknownNamesAreErrorsOnRequest(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct {
		in, name string
		offset   int
	}{
		{`title pr and nosuch eq "x"`, "nosuch", 13},
		{`name.nosuch pr`, "name.nosuch", 0},
		{`emails[type pr and nosuch pr]`, "nosuch", 19},
		{`nosuch[type pr]`, "nosuch", 0},
		{`urn:example:unknown:2.0:User:foo pr`, "urn:example:unknown:2.0:User:foo", 0},
		{enterprise + `:nosuch pr`, enterprise + ":nosuch", 0},
		{`members pr`, "members", 0},
	} {
		_, err := compile(typ, c.in, filter.ParseOptions{}, filter.Options{UnknownNames: true})
		var e *filter.Error
		if !errors.As(err, &e) || !e.Unknown || e.Offset != c.offset || !strings.Contains(e.Detail, c.name) {
			t.Errorf("%s: error %+v, want an unknown %s at %d", c.in, err, c.name, c.offset)
		}
		var ignored []string
		if _, err := compile(typ, c.in, filter.ParseOptions{}, filter.Options{Ignored: func(name string) { ignored = append(ignored, name) }}); err != nil {
			t.Errorf("%s without the option: %v", c.in, err)
		}
		if !slices.Equal(ignored, []string{c.name}) {
			t.Errorf("%s ignores %q, want %q", c.in, ignored, c.name)
		}
	}
}

func TestSecretsCannotBeAskedAbout(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	parse, plan := tolerant()
	for _, in := range []string{
		`password eq "x"`, `password pr`, `password eq null`, `password[value eq "x"]`, `secret eq "x"`, `PASSWORD sw "x"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:password pr`, custom + `:secret pr`,
		`title pr and not (password co "x")`, `nosuch pr and password pr`,
	} {
		_, err := compile(typ, in, parse, plan)
		var e *filter.Error
		if !errors.As(err, &e) || e.Unknown {
			t.Errorf("%s: error %v, want an *Error that does not call the name unknown", in, err)
			continue
		}
		for _, word := range []string{"password", "secret", "write", "never"} {
			if strings.Contains(strings.ToLower(e.Detail), word) {
				t.Errorf("%s: the error %q says more than the client knew", in, e.Detail)
			}
		}
	}
	if _, err := filter.CompileElement(typ.MustResolve("password"), &filter.Comparison{Name: "value", Op: filter.Pr}, filter.Options{}); err == nil {
		t.Error("a path filter on the password compiles")
	}
}

// An extension whose only value is a secret must not be seen to have one.
func TestPresenceDoesNotShowSecrets(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	d, err := resource.Decode(typ, []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","`+custom+`"],"userName":"a","`+custom+`":{"secret":"x"}}`), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if mustCompile(t, typ, custom+" pr").Match(d.Resource, nil) {
		t.Error("pr on the extension shows that its secret is set")
	}
}

func TestPlanTolerances(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	for _, c := range []struct {
		in      string
		o       filter.Options
		used    string
		matches []string
	}{
		{`active eq "False"`, filter.Options{BooleanText: true}, "BooleanText", []string{"u4", "u7"}},
		{`roles[primary eq "TRUE"]`, filter.Options{BooleanText: true}, "BooleanText", []string{"u1", "u11"}},
		{`manager eq "u1"`, filter.Options{ComplexValue: true}, "ComplexValue", []string{"u2", "u8"}},
		{enterprise + `.costCenter eq "4130"`, filter.Options{DottedURN: true}, "DottedURN", []string{"u1", "u11"}},
	} {
		used := []string(nil)
		c.o.Used = func(option string) { used = append(used, option) }
		p, err := compile(typ, c.in, filter.ParseOptions{}, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if !slices.Equal(used, []string{c.used}) {
			t.Errorf("%s relied on %q, want %q", c.in, used, c.used)
		}
		if got := matching(p, users); !slices.Equal(got, c.matches) {
			t.Errorf("%s matches %v, want %v", c.in, got, c.matches)
		}
	}
	parse, plan := tolerant()
	plan.Used = func(option string) { t.Errorf("a filter that needs no tolerance relied on %s", option) }
	if _, err := compile(typ, `active eq true and emails eq "x" and department pr and `+enterprise+`:manager.value pr`, parse, plan); err != nil {
		t.Error(err)
	}
	for _, in := range []string{`active eq "yes"`, `active eq ""`, `active eq "1"`, `active eq ja`, `name eq "x"`, `level eq x`, `hired eq x`} {
		if p, err := compile(typ, in, parse, plan); err == nil {
			t.Errorf("tolerance reads %s as %s", in, p)
		}
	}
}

func matching(p *filter.Plan, users []*resource.Resource) (ids []string) {
	for _, u := range users {
		if p.Match(u, noLinks) {
			ids = append(ids, u.ID())
		}
	}
	return ids
}

func TestElementsMatch(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	emails, tags := typ.MustResolve("emails"), typ.MustResolve(custom+":tags")
	for _, c := range []struct {
		attribute schema.Path
		path      string
		want      string // the matching elements of u1
	}{
		{emails, `emails[type eq "WORK"]`, `{"value":"bjensen@example.com","type":"work","primary":true}`},
		{emails, `emails[type ne "work"]`, `{"value":"babs@jensen.org","type":"home"}`},
		{emails, `emails[not (primary pr) and value ew ".org"]`, `{"value":"babs@jensen.org","type":"home"}`},
		{emails, `emails[value eq "x"]`, ``},
		{tags, `tags[value eq "RED"]`, `"red"`},
		{tags, `tags[value co "e"]`, `"red" "Blue"`},
	} {
		parsed, err := filter.ParsePath(c.path, filter.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := filter.CompileElement(c.attribute, parsed.Filter, filter.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		var got []string
		for e := range users[0].Get(c.attribute).Elements() {
			if p.MatchElement(e) {
				got = append(got, string(e.JSON()))
			}
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s matches %s, want %s", c.path, g, c.want)
		}
		if _, ok := p.Root().(filter.Any); !ok {
			t.Errorf("%s: the root is %T, want Any", c.path, p.Root())
		}
	}
}

func TestElementFiltersAreRefused(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct {
		path             string
		badPath, unknown bool
	}{
		{`name[familyName eq "x"]`, true, false},
		{`title[value eq "x"]`, true, false},
		{`emails[nosuch eq "x"]`, false, true},
		{`emails[primary gt true]`, false, false},
		{`emails[primary eq "true"]`, false, false},
		{`emails[emails.type eq "x"]`, false, true},
	} {
		parsed, err := filter.ParsePath(c.path, filter.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = filter.CompileElement(typ.MustResolve(parsed.Name), parsed.Filter, filter.Options{})
		var e *filter.Error
		if !errors.As(err, &e) || e.Path != c.badPath || e.Unknown != c.unknown {
			t.Errorf("%s: error %+v, want Path %v and Unknown %v", c.path, err, c.badPath, c.unknown)
		}
	}
}

func TestEqualitiesOfElements(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct{ path, want string }{
		{`emails[type eq "Work"]`, "emails.type=Work"},
		{`emails[type eq "Work" and (primary eq true and value eq "x")]`, "emails.type=Work emails.primary= emails.value=x"},
		{`emails[type eq "work" or value eq "x"]`, "-"},
		{`emails[type ne "work"]`, "-"},
		{`emails[type eq "work" and value co "x"]`, "-"},
		{`emails[type pr]`, "-"},
	} {
		parsed, err := filter.ParsePath(c.path, filter.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := filter.CompileElement(typ.MustResolve(parsed.Name), parsed.Filter, filter.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if terms, ok := p.Equalities(); ok {
			var list []string
			for _, term := range terms {
				list = append(list, term.Path.String()+"="+term.Text)
			}
			got = strings.Join(list, " ")
		}
		if got != c.want {
			t.Errorf("%s: equalities %s, want %s", c.path, got, c.want)
		}
	}
	if _, ok := mustCompile(t, typ, `title eq "x"`).Equalities(); ok {
		t.Error("the plan of a resource has equalities of an element")
	}
}

func TestEqualFindsWhatEveryMatchNeeds(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, c := range []struct{ in, path, key string }{
		{`userName eq "Ada"`, "userName", "ada"},
		{`title pr and userName eq "Ada"`, "userName", "ada"},
		{`externalId eq "Ada"`, "externalId", "Ada"},
		{`emails eq "A@x"`, "emails.value", "a@x"},
		{`emails[type eq "work" and value eq "A@x"] and title pr`, "emails.value", "a@x"},
		{`tags[value eq "Red"]`, custom + ":tags", "red"},
		{`level eq 3.0`, custom + ":level", "2b13"},
		{`active eq true`, "active", "1"},
		{`hired eq "2020-01-01T01:00:00+01:00"`, custom + ":hired", "2020-01-01T00:00:00.000000000Z"},
		{`userName eq "Ada"`, "title", "-"},
		{`userName ne "Ada"`, "userName", "-"},
		{`userName sw "Ada"`, "userName", "-"},
		{`userName eq "Ada" or title pr`, "userName", "-"},
		{`not (userName eq "Ada")`, "userName", "-"},
		{`emails[type eq "work" or value eq "A@x"]`, "emails.value", "-"},
		{`not (emails[value eq "A@x"])`, "emails.value", "-"},
	} {
		got := "-"
		if o, ok := mustCompile(t, typ, c.in).Equal(c.path); ok {
			got = o.Key
		}
		if got != c.key {
			t.Errorf("%s: Equal(%s) is %s, want %s", c.in, c.path, got, c.key)
		}
	}
}

func TestANilPlanMatchesEverything(t *testing.T) {
	t.Parallel()
	_, users := vectorUsers(t)
	p := filter.NewPlan(users[0].Type(), nil)
	push, rest := p.Split(func(filter.Node) bool { return true })
	_, equal := p.Equal("userName")
	_, equalities := p.Equalities()
	if p != nil || push != nil || rest != nil || equal || equalities || p.UsesLinks() || p.Root() != nil || p.Type() != nil || p.String() != "everything" {
		t.Error("a nil Plan asks for something")
	}
	if !p.Match(users[0], nil) || !p.MatchElement(users[0].Get(users[0].Type().MustResolve("title"))) {
		t.Error("a nil Plan does not match everything")
	}
}

func TestPlansPrintWithoutOperands(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	for _, in := range []string{`userName eq "Hidden"`, `emails[value co "Hidden"]`, `groups eq "Hidden"`, `meta.location ew "Hidden"`} {
		if s := mustCompile(t, typ, in).String(); strings.Contains(s, "Hidden") || strings.Contains(s, "hidden") {
			t.Errorf("%s prints its operand: %s", in, s)
		}
	}
}

func TestNodesAreVisitedBeforeWhatTheyHold(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	p := mustCompile(t, typ, `title pr and not (emails[type eq "a" or value eq "b"])`)
	kinds := func(limit int) (kinds []string) {
		for n := range filter.Nodes(p.Root()) {
			kinds = append(kinds, strings.TrimPrefix(typeName(n), "filter."))
			if len(kinds) == limit {
				break
			}
		}
		return kinds
	}
	want := []string{"And", "Present", "Negate", "Any", "Or", "Compare", "Compare"}
	for limit := 1; limit <= len(want); limit++ {
		if d := cmp.Diff(want[:limit], kinds(limit)); d != "" {
			t.Error(d)
		}
	}
}

func typeName(n filter.Node) string {
	switch n.(type) {
	case filter.And:
		return "And"
	case filter.Or:
		return "Or"
	case filter.Negate:
		return "Negate"
	case filter.Compare:
		return "Compare"
	case filter.Present:
		return "Present"
	case filter.Any:
		return "Any"
	case filter.Linked:
		return "Linked"
	}
	return "Const"
}

// What known clients send must compile with the tolerances on.
func TestFiltersOfClientsCompile(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	group := schema.MustCompile(schema.Group(), schema.User())
	parse, plan := tolerant()
	for _, c := range []struct {
		typ      *schema.Type
		in, want string
	}{
		{user, `emails[type eq "work"].value eq "maya@example.com"`, `emails[emails.type eq ? and emails.value eq ?]`},
		{user, `externalId eq iris-7`, `externalId eq ?`},
		{user, `userName eq ada+x@example.com`, `userName eq ?`},
		{user, `emails eq ada@example.com`, `emails.value eq ?`},
		{user, `id eq "U" and manager eq "M"`, `id eq ? and ` + enterprise + `:manager.value eq ?`},
		{group, `id eq "G" and members eq "U"`, `id eq ? and linked by Group.members with id ?`},
		{group, `members eq U`, `linked by Group.members with id ?`},
		{user, `groups.value eq "G"`, `linked by Group.members backwards with id ?`},
		{user, `(ActiVe eq true) and (meta.lastModified ge "2001-01-03T00:00:00.0000000Z" and userName eq "iris@example.com")`, `active eq ? and meta.lastModified ge ? and userName eq ?`},
		{user, `DisplayName eq "Tomas" and userName eq "nora.o'brien+lab@example.com"`, `displayName eq ? and userName eq ?`},
		{group, `displayName eq "ws-R&D \"Küste\" / role-admin"`, `displayName eq ?`},
		{user, `active eq "True"`, `active eq ?`},
		{user, enterprise + `.department eq "Sales"`, enterprise + `:department eq ?`},
		{user, `randomField eq "x"`, `false`},
	} {
		p, err := compile(c.typ, c.in, parse, plan)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := p.String(); got != c.want {
			t.Errorf("%s is planned as %s, want %s", c.in, got, c.want)
		}
	}
}
