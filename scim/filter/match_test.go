package filter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// genTerm draws a comparison or value path that suits the vectors' users, whose
// values its operands often hit.
func genTerm(t *rapid.T) string {
	text := rapid.SampledFrom([]string{"", "a", "admin", "Employee", "intern", "tour guide", "work", "home", "Jensen", "éclair", "red", "@example", "u1", "z", `\u00c9`, "É"})
	textOp := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
	orderOp := rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"})
	name := rapid.SampledFrom([]string{"userName", "title", "userType", "displayName", "nickName", "name.familyName", "externalId", "id", "emails", "emails.type", "roles.value", "department", "code", "tags", "meta.location", "nosuch"})
	switch rapid.IntRange(0, 6).Draw(t, "term") {
	case 0:
		return rapid.SampledFrom([]string{"title", "name", "nickName", "emails", "emails.primary", "badge", "active", "level", "phoneNumbers.type", "schemas", enterprise, "nosuch", "groups"}).Draw(t, "name") + " pr"
	case 1:
		return fmt.Sprintf("%s %s null", rapid.SampledFrom([]string{"title", "nickName", "emails", "name", "manager", "active", "tags", "emails.display", "nosuch", "groups"}).Draw(t, "name"), rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "op"))
	case 2:
		return fmt.Sprintf("%s %s %s", rapid.SampledFrom([]string{"active", "flag", "emails.primary"}).Draw(t, "name"), rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "op"), rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool"))
	case 3:
		return fmt.Sprintf("%s %s %s", rapid.SampledFrom([]string{"level", "score", "badge.number"}).Draw(t, "name"), orderOp.Draw(t, "op"), rapid.SampledFrom([]string{"0", "3", "1.5", "1.50", "-1", "1e2", "7.0"}).Draw(t, "number"))
	case 4:
		return fmt.Sprintf(`%s %s "%s"`, rapid.SampledFrom([]string{"meta.created", "meta.lastModified", "hired"}).Draw(t, "name"), orderOp.Draw(t, "op"), rapid.SampledFrom([]string{"2012-01-01T00:00:00Z", "2011-12-31T22:00:00Z", "2020-01-01T00:00:00+00:00", "2024-02-29T12:00:00.123456Z"}).Draw(t, "time"))
	case 5:
		return fmt.Sprintf(`%s[%s]`, rapid.SampledFrom([]string{"emails", "phoneNumbers", "roles"}).Draw(t, "name"), rapid.SampledFrom([]string{`type eq "work"`, `primary eq true`, `not (type eq "work")`, `type eq "work" and value co "example"`, `value ew ".org" or type eq null`, `nosuch ne "x"`, `value pr`}).Draw(t, "element"))
	}
	return fmt.Sprintf(`%s %s "%s"`, name.Draw(t, "name"), textOp.Draw(t, "op"), text.Draw(t, "text"))
}

// genFilter draws a filter of some terms.
func genFilter(t *rapid.T, depth int) string {
	if depth == 0 {
		return genTerm(t)
	}
	switch rapid.IntRange(0, 3).Draw(t, "join") {
	case 0:
		return genFilter(t, depth-1) + " and " + genFilter(t, depth-1)
	case 1:
		return genFilter(t, depth-1) + " or " + genFilter(t, depth-1)
	case 2:
		return "not (" + genFilter(t, depth-1) + ")"
	}
	return "(" + genFilter(t, depth-1) + ")"
}

// evenLinks answers link tests so that some users have links.
func evenLinks(id string, _ filter.Linked) bool { return strings.ContainsAny(id, "2468") }

func checkUsers(t *rapid.T, typ *schema.Type, text string) *filter.Plan {
	p, err := compile(typ, text, filter.ParseOptions{}, filter.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func TestLogicFollowsDeMorgan(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := genFilter(t, 2), genFilter(t, 1)
		pa, pb := checkUsers(t, typ, a), checkUsers(t, typ, b)
		and := checkUsers(t, typ, fmt.Sprintf("(%s) and (%s)", a, b))
		or := checkUsers(t, typ, fmt.Sprintf("(%s) or (%s)", a, b))
		notAnd := checkUsers(t, typ, fmt.Sprintf("not ((%s) and (%s))", a, b))
		orNots := checkUsers(t, typ, fmt.Sprintf("not (%s) or not (%s)", a, b))
		notOr := checkUsers(t, typ, fmt.Sprintf("not ((%s) or (%s))", a, b))
		for _, u := range users {
			x, y := pa.Match(u, evenLinks), pb.Match(u, evenLinks)
			for _, c := range []struct {
				p    *filter.Plan
				want bool
			}{{and, x && y}, {or, x || y}, {notAnd, !(x && y)}, {orNots, !(x && y)}, {notOr, !(x || y)}} {
				if got := c.p.Match(u, evenLinks); got != c.want {
					t.Errorf("%s: %v is %v, want %v, where %s is %v and %s is %v", u.ID(), c.p, got, c.want, a, x, b, y)
				}
			}
		}
	})
}

func TestNotEqualIsTheNegationOfEqual(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	rapid.Check(t, func(t *rapid.T) {
		term := rapid.Custom(genTerm).Filter(func(s string) bool { return strings.Contains(s, " eq ") && !strings.Contains(s, "[") }).Draw(t, "term")
		eq, ne := checkUsers(t, typ, term), checkUsers(t, typ, strings.Replace(term, " eq ", " ne ", 1))
		for _, u := range users {
			if eq.Match(u, evenLinks) == ne.Match(u, evenLinks) {
				t.Errorf("%s and its ne agree on %s", term, u.ID())
			}
		}
	})
}

func TestSplitLosesNothing(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	rapid.Check(t, func(t *rapid.T) {
		p := checkUsers(t, typ, genFilter(t, 3))
		salt := rapid.IntRange(0, 5).Draw(t, "salt")
		can := func(n filter.Node) bool { return (len(filter.NewPlan(typ, n).String())+salt)%2 == 0 }
		push, rest := p.Split(can)
		for _, u := range users {
			if got, want := push.Match(u, evenLinks) && rest.Match(u, evenLinks), p.Match(u, evenLinks); got != want {
				t.Errorf("%s: %v and %v give %v, the whole %v gives %v", u.ID(), push, rest, got, p, want)
			}
		}
		if _, ok := push.Root().(filter.And); !ok && push != nil && !can(push.Root()) {
			t.Errorf("%v was pushed without leave", push)
		}
		if push.UsesLinks() || rest.UsesLinks() {
			if !p.UsesLinks() {
				t.Errorf("the parts of %v use links", p)
			}
		} else if p.UsesLinks() {
			t.Errorf("the parts of %v use no links", p)
		}
	})
}

func TestEveryMatchMeetsWhatEqualDemands(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	paths := []string{"userName", "title", "userType", "externalId", "emails.value", "emails.type", "active", custom + ":level", custom + ":tags", custom + ":hired"}
	rapid.Check(t, func(t *rapid.T) {
		p := checkUsers(t, typ, genFilter(t, 2))
		for _, path := range paths {
			o, ok := p.Equal(path)
			if !ok {
				continue
			}
			for _, u := range users {
				if p.Match(u, evenLinks) && !slices.Contains(keys(u, typ.MustResolve(path)), o.Key) {
					t.Errorf("%v matches %s, which has no %s with the key that Equal gives", p, u.ID(), path)
				}
			}
		}
	})
}

func keys(r *resource.Resource, p schema.Path) (keys []string) {
	for v := range r.All(p) {
		if k, ok := filter.Key(v); ok {
			keys = append(keys, k)
		}
	}
	return keys
}

// An index that holds keys must answer a comparison as Match does.
func TestKeysAgreeWithOperators(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	rapid.Check(t, func(t *rapid.T) {
		p := checkUsers(t, typ, genTerm(t))
		c, ok := p.Root().(filter.Compare)
		if !ok || c.Path.IsCommon() && !c.Path.InDocument() {
			return
		}
		for _, u := range users {
			want := slices.ContainsFunc(keys(u, c.Path), func(k string) bool {
				switch c.Op {
				case filter.Eq:
					return k == c.Key
				case filter.Co:
					return strings.Contains(k, c.Key)
				case filter.Sw:
					return strings.HasPrefix(k, c.Key)
				case filter.Ew:
					return strings.HasSuffix(k, c.Key)
				case filter.Gt:
					return k > c.Key
				case filter.Ge:
					return k >= c.Key
				case filter.Lt:
					return k < c.Key
				}
				return k <= c.Key
			})
			if got := p.Match(u, nil); got != want {
				t.Errorf("%v on %s is %v, by keys it is %v", p, u.ID(), got, want)
			}
		}
	})
}

func TestTextComparesByItsFoldedForm(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User())
	folds := func(op filter.Op, s, operand string) bool {
		s, operand = schema.Fold(s), schema.Fold(operand)
		switch op {
		case filter.Eq:
			return s == operand
		case filter.Co:
			return strings.Contains(s, operand)
		case filter.Sw:
			return strings.HasPrefix(s, operand)
		case filter.Ew:
			return strings.HasSuffix(s, operand)
		case filter.Gt:
			return s > operand
		case filter.Ge:
			return s >= operand
		case filter.Lt:
			return s < operand
		}
		return s <= operand
	}
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aAbBzZ@-eEéÉ\u0301ＡｚKkſs\u212aßİıI")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		s, operand := text.Draw(t, "value"), text.Draw(t, "operand")
		r := resource.New(typ).Set("displayName", s).Resource()
		for op := filter.Eq; op <= filter.Le; op++ {
			if op == filter.Ne {
				continue
			}
			p, err := filter.Compile(typ, &filter.Comparison{Name: "displayName", Op: op, Literal: filter.Literal{Kind: filter.StringLiteral, Text: operand}}, filter.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := p.Match(r, nil), folds(op, s, operand); got != want {
				t.Errorf("%q %v %q is %v, want %v", s, op, operand, got, want)
			}
		}
	})
}

func TestLocationIsAbsoluteWithABaseURL(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	base := filter.Options{BaseURL: "https://example.com/tenants/a%20b/scim/v2"}
	for _, c := range []struct {
		in   string
		o    filter.Options
		want []string
	}{
		{`meta.location eq "https://example.com/tenants/a%20b/scim/v2/Users/u3"`, base, []string{"u3"}},
		{`meta.location eq "https://example.com/tenants/a b/scim/v2/Users/u3"`, base, []string{"u3"}},
		{`meta.location eq "https://example.com/tenants/a%20b/scim/v2/Users/%75%33"`, base, []string{"u3"}},
		{`meta.location eq "https://example.com/scim/v2/Users/u3"`, base, nil},
		{`meta.location eq "/Users/u3"`, base, nil},
		{`meta.location ew "/Users/u3"`, base, []string{"u3"}},
		{`meta.location ew "/u3"`, base, []string{"u3"}},
		{`meta.location sw "https://example.com/" and id eq "u3"`, base, []string{"u3"}},
		{`meta.location co "/Users/u1"`, base, []string{"u1", "u10", "u11", "u12"}},
		{`meta.location eq "/Users/u3"`, filter.Options{}, []string{"u3"}},
		{`meta.location eq null`, filter.Options{}, nil},
		{`meta.location ne "/Users/u3" and id sw "u3"`, filter.Options{}, nil},
	} {
		p, err := compile(typ, c.in, filter.ParseOptions{}, c.o)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := matching(p, users); !slices.Equal(got, c.want) {
			t.Errorf("%s matches %v, want %v", c.in, got, c.want)
		}
	}
	p, err := compile(typ, `title pr and meta.location eq "https://example.com/tenants/a%20b/scim/v2/Users/u3"`, filter.ParseOptions{}, base)
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := p.Equal("id"); !ok || o.Key != "u3" {
		t.Errorf("a whole location does not lead to the id: %v, %v", o, ok)
	}
}

func TestCommonAttributesMatch(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	all := matching(nil, users)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{`id sw "u1"`, []string{"u1", "u10", "u11", "u12"}},
		{`id gt "u8"`, []string{"u9"}},
		{`id pr`, all},
		{`id eq null`, nil},
		{`meta.version eq "W/\"1\""`, all},
		{`meta.version eq "1"`, nil},
		{`meta.lastModified eq null`, nil},
		{`meta[resourceType eq "User" and created lt "2012-01-01T00:00:00Z"]`, []string{"u1", "u2"}},
		{`schemas eq "` + enterprise + `"`, []string{"u1", "u2", "u3", "u6", "u8", "u11"}},
		{`schemas eq "` + strings.ToLower(enterprise) + `"`, nil}, // a reference is case exact
		{`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`, all},
		{`schemas ne "` + enterprise + `"`, []string{"u4", "u5", "u7", "u9", "u10", "u12"}},
		{`schemas[value ew ":2.0:User" and value co "enterprise"]`, []string{"u1", "u2", "u3", "u6", "u8", "u11"}},
	} {
		if got := matching(mustCompile(t, typ, c.in), users); !slices.Equal(got, c.want) {
			t.Errorf("%s matches %v, want %v", c.in, got, c.want)
		}
	}
}

// Plans that code makes itself may ask for what Compile answers beforehand.
func TestPlansOfNodesMatch(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t)
	c := typ.Common()
	compare := func(p schema.Path, op filter.Op, s string) filter.Node {
		return filter.Compare{Path: p, Op: op, Operand: filter.Operand{Text: s, Key: s}}
	}
	for _, x := range []struct {
		root filter.Node
		want bool // for every user
	}{
		{compare(c.ResourceType, filter.Eq, "User"), true},
		{compare(c.ResourceType, filter.Eq, "Group"), false},
		{compare(c.Location, filter.Sw, "/Users/u"), true},
		{filter.Present{Path: c.Location}, true},
		{filter.Present{Path: c.Meta}, true},
		{filter.Present{Path: c.Schemas}, true},
		{filter.Or{Nodes: []filter.Node{filter.Const(false), filter.Present{Path: c.ID}}}, true},
		{filter.Any{Path: c.Schemas, X: filter.Const(true)}, true},
		{filter.Negate{X: filter.Const(true)}, false},
	} {
		p := filter.NewPlan(typ, x.root)
		for _, u := range users {
			if got := p.Match(u, nil); got != x.want {
				t.Errorf("%v is %v for %s, want %v", p, got, u.ID(), x.want)
			}
		}
	}
	bare := resource.New(typ).Set("userName", "a").Set(custom+":tags", []string{"", "x"}).Resource()
	for _, x := range []struct {
		in   string
		want bool
	}{
		{custom + ` pr`, true}, // through an array
		{custom + `:tags pr`, true},
		{enterprise + ` pr`, false},
		{`id pr`, false}, // not created yet
		{`meta.created pr`, false},
		{`meta.version pr or meta.version co ""`, false},
		{`meta.lastModified le "9999-12-31T23:59:59Z"`, false},
	} {
		if got := mustCompile(t, typ, x.in).Match(bare, nil); got != x.want {
			t.Errorf("%s on a resource without metadata is %v, want %v", x.in, got, x.want)
		}
	}
}

func TestNullsAndEmptyTextsAreToldApart(t *testing.T) {
	t.Parallel()
	typ, users := vectorUsers(t) // u6 has the nickName "", u9 the name {}
	for _, c := range []struct {
		in   string
		want []string
	}{
		{`nickName pr`, []string{"u1", "u4"}},
		{`nickName ne null`, []string{"u1", "u4", "u6"}},
		{`nickName eq ""`, []string{"u6"}},
		{`name eq null`, []string{"u7", "u9", "u10", "u11", "u12"}},
		{`badge ne null`, []string{"u1", "u3"}},
		{`tags eq null and active eq true and department eq null`, []string{"u5", "u11"}},
		{`level eq null`, []string{"u5", "u9", "u10", "u12"}},
		{`emails[type eq null]`, []string{"u7"}},
		{`emails[display ne null]`, []string{"u7"}},
		{`tags[value ne null]`, []string{"u1", "u3", "u6", "u10"}},
	} {
		if got := matching(mustCompile(t, typ, c.in), users); !slices.Equal(got, c.want) {
			t.Errorf("%s matches %v, want %v", c.in, got, c.want)
		}
	}
}

func TestBigNumbersCompareExactly(t *testing.T) {
	t.Parallel()
	typ, _ := vectorUsers(t)
	r := resource.New(typ).Set("userName", "a").Set(custom+":level", int64(9007199254740993)).Resource()
	for _, c := range []struct {
		in   string
		want bool
	}{
		{`level eq 9007199254740993`, true},
		{`level eq 9007199254740992`, false}, // the same float64
		{`level gt 9007199254740992`, true},
		{`level gt 9007199254740992.9999`, true},
		{`level le 9007199254740993.000`, true},
		{`level lt 1e400`, true},
		{`level gt -1e400`, true},
	} {
		if got := mustCompile(t, typ, c.in).Match(r, nil); got != c.want {
			t.Errorf("%s is %v, want %v", c.in, got, c.want)
		}
	}
}

// The time of a plain search would grow with the product of the lengths.
func TestLongSubstringsAreFoundInLinearTime(t *testing.T) {
	t.Parallel()
	typ := schema.MustCompile(schema.User())
	a := strings.Repeat("A", 4_000)
	r := resource.New(typ).Set("userName", "a").Set("displayName", strings.Repeat(a, 250)+"b").Resource()
	start := time.Now()
	for _, c := range []struct {
		text string
		want bool
	}{{a + "b", true}, {a + "c", false}, {"b" + a, false}} {
		if got := mustCompile(t, typ, `displayName co "`+c.text+`"`).Match(r, nil); got != c.want {
			t.Errorf("%.1s…%.1s is found: %v, want %v", c.text, c.text[len(c.text)-1:], got, c.want)
		}
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("three searches in 1 MB took %v", took)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	typ := schema.MustCompile(schema.User(), schema.Group())
	d, err := resource.Decode(typ, body(1), resource.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	u := d.Resource.WithMeta(resource.Meta{ID: strings.Repeat("i", 100), Version: "1"})
	for _, text := range []string{
		`emails[type eq "work" and value co "@x"]`,
		`emails.value ew "@X.example" or userName eq "nobody@contoso.example"`,
		`displayName gt "zzz" or title lt "A" or externalId sw "x" or id co "u"`,
		`not (active eq true) or roles[primary eq false and value eq "` + strings.Repeat("r", 200) + `"]`,
		`department eq "Marketing" or manager.value co "x" or employeeNumber eq null`,
		`meta.created gt "2020-01-01T00:00:00Z" or meta.resourceType eq "Group" or schemas eq "urn:x:y"`,
		`groups eq "g" or ims pr or photos.type eq "x" or addresses[postalCode eq "1" or not (country pr)]`,
	} {
		p := mustCompile(t, typ, text)
		if p.Match(u, noLinks) {
			t.Errorf("%s matches", text)
		}
		if n := testing.AllocsPerRun(100, func() { p.Match(u, noLinks) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestParseAllocatesLittle(t *testing.T) {
	for _, c := range []struct {
		text string
		most float64
	}{
		{`userName eq "bjensen@example.com"`, 1},
		{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org") and not (active eq false)`, 8},
		{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, 9},
	} {
		if n := testing.AllocsPerRun(100, func() { _, _ = filter.Parse(c.text, filter.ParseOptions{}) }); n > c.most {
			t.Errorf("%s: %v allocations, at most %v were agreed", c.text, n, c.most)
		}
	}
}
