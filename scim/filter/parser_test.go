package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// ignoreOffsets compares trees without the places they were parsed at.
var ignoreOffsets = cmpopts.IgnoreFields(Comparison{}, "Offset")
var ignoreMoreOffsets = cmp.Options{ignoreOffsets, cmpopts.IgnoreFields(ValuePath{}, "Offset"), cmpopts.IgnoreFields(Literal{}, "Offset")}

// allForms switches every tolerance of the parser on.
var allForms = ParseOptions{BareWords: true, BooleanCase: true, ValuePathSub: true}

func TestPrecedenceIsShownByPrinting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`a pr or b pr and c pr`, `a pr or b pr and c pr`},
		{`a pr or (b pr and c pr)`, `a pr or b pr and c pr`},
		{`(a pr or b pr) and c pr`, `(a pr or b pr) and c pr`},
		{`a pr and b pr or c pr and d pr`, `a pr and b pr or c pr and d pr`},
		{`((a pr and b pr) or (c pr and d pr))`, `a pr and b pr or c pr and d pr`},
		{`a pr and (b pr or c pr) and d pr`, `a pr and (b pr or c pr) and d pr`},
		{`(a pr or b pr) or c pr`, `a pr or b pr or c pr`},
		{`a pr or (b pr or c pr)`, `a pr or (b pr or c pr)`},
		{`a pr and (b pr and c pr)`, `a pr and (b pr and c pr)`},
		{`not (a pr) and b pr`, `not (a pr) and b pr`},
		{`not (a pr and b pr)`, `not (a pr and b pr)`},
		{`not(a pr)or b pr`, ``},
		{`not(a pr) or b pr`, `not (a pr) or b pr`},
		{`NOT (a PR) OR b Pr AnD c pr`, `not (a pr) or b pr and c pr`},
		{`not (not ((a pr)))`, `not (not (a pr))`},
		{`e[a pr or b pr and c pr]`, `e[a pr or b pr and c pr]`},
		{`e[(a pr or b pr) and not (c pr)]`, `e[(a pr or b pr) and not (c pr)]`},
		{"\t e[  a\teq   \"x\" ]\r\n and(b pr)", ``},
		{"\t e[  a\teq   \"x\" ]\r\n and (  b pr ) ", `e[a eq "x"] and b pr`},
		{`a eq "\u0041\/\"\\\n"`, `a eq "A/\"\\\n"`},
		{`a eq -0.50E+3 or b eq true or c ne null`, `a eq -0.50E+3 or b eq true or c ne null`},
		{`urn:ietf:params:scim:schemas:core:2.0:User:name.familyName sw "A"`, `urn:ietf:params:scim:schemas:core:2.0:User:name.familyName sw "A"`},
		{`URN:x:y:User:emails[value pr]`, `URN:x:y:User:emails[value pr]`},
		{`members.$ref pr and $ref pr and a-b_1$ pr`, `members.$ref pr and $ref pr and a-b_1$ pr`},
	} {
		x, err := Parse(c.in, ParseOptions{})
		if c.want == "" {
			if err == nil {
				t.Errorf("Parse(%q) = %s, want an error", c.in, x)
			}
			continue
		}
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
		} else if got := x.String(); got != c.want {
			t.Errorf("Parse(%q) prints %q, want %q", c.in, got, c.want)
		}
	}
}

func TestTreeHoldsNamesLiteralsAndOffsets(t *testing.T) {
	t.Parallel()
	got, err := Parse(` userName Eq "A\u00e9" and not (emails[type ne null] or Level ge 1.0)`, ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Logical{
		X: &Comparison{Name: "userName", Op: Eq, Literal: Literal{StringLiteral, "Aé", 13}, Offset: 1},
		Y: &Not{X: &Logical{
			Or: true,
			X:  &ValuePath{Name: "emails", Offset: 32, X: &Comparison{Name: "type", Op: Ne, Literal: Literal{NullLiteral, "", 47}, Offset: 39}},
			Y:  &Comparison{Name: "Level", Op: Ge, Literal: Literal{NumberLiteral, "1.0", 65}, Offset: 56},
		}},
	}
	if d := cmp.Diff(Expr(want), got); d != "" {
		t.Error(d)
	}
}

func TestTolerancesApplyOnlyWhenSwitchedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, used string }{
		{`userName eq ada@example.com`, `userName eq ada@example.com`, "BareWords"},
		{`userName sw a_b-c+d.e`, `userName sw a_b-c+d.e`, "BareWords"},
		{`userName ne 12ab`, `userName ne 12ab`, "BareWords"},
		{`userName co José`, `userName co José`, "BareWords"},
		{`active eq True`, `active eq true`, "BooleanCase"},
		{`title ne NULL`, `title ne null`, "BooleanCase"},
		{`emails[type eq "work"].value eq "x"`, `emails[type eq "work" and value eq "x"]`, "ValuePathSub"},
		{`emails[type eq "work" or primary eq true].value ne "x" and a pr`, `emails[(type eq "work" or primary eq true) and value ne "x"] and a pr`, "ValuePathSub"},
		{`emails[type eq "work"].value pr`, `emails[type eq "work" and value pr]`, "ValuePathSub"},
		{`members[value pr].$ref pr`, `members[value pr and $ref pr]`, "ValuePathSub"},
	} {
		if x, err := Parse(c.in, ParseOptions{}); err == nil {
			t.Errorf("strict Parse(%q) = %s, want an error", c.in, x)
		}
		o, used := allForms, []string(nil)
		o.Used = func(s string) { used = append(used, s) }
		x, err := Parse(c.in, o)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := x.String(); got != c.want {
			t.Errorf("Parse(%q) prints %q, want %q", c.in, got, c.want)
		}
		if d := cmp.Diff([]string{c.used}, used); d != "" {
			t.Errorf("Parse(%q) relied on: %s", c.in, d)
		}
	}
}

func TestTolerancesHaveLimits(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`userName gt ada`,                     // order of a bare word
		`userName eq ada lovelace`,            // two words
		`userName eq ada;lovelace`,            // other characters
		`userName eq 'ada'`,                   // quotes of another language
		`userName eq and`,                     // a keyword
		`userName eq or or userName eq "x"`,   // a keyword
		`emails[type eq "work"] .value pr`,    // space before the dot
		`emails[type eq "work"].value.x pr`,   // too deep
		`emails[type eq "work"].[value pr]`,   // no name
		`emails[type eq "work"].value[x pr]`,  // nested
		`emails[a[b pr].c pr]`,                // nested
		`emails[type eq "work"].value`,        // no operator
		`emails[type eq "work"]value eq "x"`,  // no dot
		`userName eq "x".value`,               // no value path
		`(emails[type eq "work"]).value eq 1`, // behind a group
	} {
		if x, err := Parse(in, allForms); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", in, x)
		}
	}
	var used []string
	o := allForms
	o.Used = func(s string) { used = append(used, s) }
	if _, err := Parse(`active eq true and n eq 3 and userName eq "Ada" and t eq null and emails[type eq "work"]`, o); err != nil || used != nil {
		t.Errorf("a filter of the RFC's grammar: error %v, tolerances used %v", err, used)
	}
}

func TestErrorsPointAtTheFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		offset int
		detail string
	}{
		{``, 0, "empty"},
		{`   `, 3, "empty"},
		{`userName`, 8, "operator must follow"},
		{`userName eq`, 11, `value must follow "eq"`},
		{`userName eq `, 12, `value must follow "eq"`},
		{`userName xx "x"`, 9, `unknown operator "xx"; use eq, ne, co, sw, ew, gt, ge, lt, le or pr`},
		{`userName == "x"`, 9, `unknown operator "=="`},
		{`userName "x"`, 9, "operator must stand here"},
		{`userName eq"a"`, 11, "space"},
		{`userName eq (a)`, 12, "value must follow"},
		{`userName eq ["a"]`, 12, "value must follow"},
		{`userName eq {"a":1}`, 12, "not a value"},
		{`userName eq 'jsmith'`, 12, "double quotes"},
		{`userName eq "a`, 12, "closing quote"},
		{`userName eq "a\`, 12, "closing quote"},
		{`userName eq "a\"`, 12, "closing quote"},
		{`userName eq "\x"`, 12, "JSON string"},
		{`userName eq "\ud800"`, 12, "JSON string"},
		{"userName eq \"a\tb\"", 12, "JSON string"},
		{`userName eq "a\u0000"`, 12, "U+0000"},
		{`active eq True`, 10, "lower case"},
		{`level eq 03`, 9, "number"},
		{`level eq +3`, 9, "number"},
		{`level eq 3.`, 9, "number"},
		{`level eq 3e`, 9, "number"},
		{`userName pr "x"`, 12, `"and" or "or"`},
		{`userName eq "a" and`, 19, "breaks off"},
		{`userName eq "a"and b pr`, 15, `space before "and"`},
		{`userName eq "a" or(b pr)`, 18, `space after "or"`},
		{`and userName eq "a"`, 0, `before "and"`},
		{`a pr or or b pr`, 8, `before "or"`},
		{`a pr && b pr`, 5, `"and" or "or"`},
		{`(a pr`, 5, "opened at position 1 is not closed"},
		{`a pr)`, 4, "closes nothing"},
		{`()`, 1, "nothing between"},
		{`(a pr) (b pr)`, 7, `"and" or "or"`},
		{`not a pr`, 4, "parentheses"},
		{`not`, 3, "parentheses"},
		{`a not eq 1`, 2, "unknown operator"},
		{`emails [a pr]`, 7, "no space"},
		{`emails[a pr`, 11, "opened at position 7 is not closed"},
		{`emails[a pr)`, 11, "closes nothing"},
		{`emails[a pr x pr]`, 12, "closing bracket"},
		{`(a pr b pr)`, 6, "closing parenthesis"},
		{`emails[]`, 7, "no filter"},
		{`[a pr]`, 0, "before \"[\""},
		{`emails[a pr]]`, 12, "closes nothing"},
		{`emails[a pr].b pr`, 12, "inside the brackets"},
		{`emails[a[b pr]]`, 8, "inside another"},
		{`"userName" eq "a"`, 0, "without quotes"},
		{`.userName eq "x"`, 0, "not the name"},
		{`a.b.c eq "x"`, 0, "not the name"},
		{`a pr and a..b pr`, 9, "not the name"},
		{`urn::x:a pr`, 0, "not the name"},
		{`urn:x:a: pr`, 0, "not the name"},
		{`1a eq "x"`, 0, "not the name"},
		{`ünal eq "x"`, 0, "not the name"},
		{"a eq \"\xff\"", 6, "UTF-8"},
		{"a eq \"\uFFFD\xff\"", 9, "UTF-8"},
		{`"a`, 0, "closing quote"},
		{`a pr "x`, 5, "closing quote"},
		{`(a pr "x`, 6, "closing quote"},
		{`a pr and )`, 9, "must stand here"},
		{`a ]`, 2, "operator must stand here"},
		{`urn:x:<a> pr`, 0, "not the name"},
	} {
		_, err := Parse(c.in, ParseOptions{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q): error %v, want an *Error", c.in, err)
			continue
		}
		if e.Offset != c.offset || !strings.Contains(e.Detail, c.detail) {
			t.Errorf("Parse(%q): offset %d, %q; want offset %d and %q", c.in, e.Offset, e.Detail, c.offset, c.detail)
		}
		if e.Path || e.Limit || e.Unknown {
			t.Errorf("Parse(%q): flags of %+v are not those of a malformed filter", c.in, e)
		}
	}
}

func TestErrorCountsPositionsFromOne(t *testing.T) {
	t.Parallel()
	_, err := Parse(`userName xx "x"`, ParseOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "at position 10: ") {
		t.Errorf("error %v does not begin with the position", err)
	}
}

func TestErrorsDoNotRepeatValues(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`userName eq secret-name`, `userName eq 'secret-name'`, `userName eq "secret-name`, `userName eq "secret-name\x"`,
		`userName eq "a" secret-name`, `userName pr secret-name`, `userName eq "a"secret-name`, `secret-name@x eq "a"`,
		`emails[secret-name@example eq "a"]`, `userName secret-name@x`, `(a pr secret-name)`, `e[a pr "secret-name"]`, `"secret-name" eq userName`,
		`active eq secret-name`, `userName eq {secret-name}`, `userName eq "\u0000secret-name"`,
	} {
		_, err := Parse(in, ParseOptions{})
		if err == nil {
			t.Errorf("Parse(%q) gives no error", in)
		} else if strings.Contains(err.Error(), "secret-name") {
			t.Errorf("Parse(%q): the error %q repeats the value", in, err)
		}
	}
}

func TestLimitsHoldAtTheirEdges(t *testing.T) {
	t.Parallel()
	ors := func(n int) string { return strings.TrimSuffix(strings.Repeat("a pr or ", n), " or ") }
	nest := func(n int) string { return strings.Repeat("(", n) + "a pr" + strings.Repeat(")", n) }
	nots := func(n int) string { return strings.Repeat("not(", n) + "a pr" + strings.Repeat(")", n) }
	long := func(n int) string { return `a eq "` + strings.Repeat("x", n-7) + `"` }
	for _, c := range []struct {
		name string
		in   string
		o    ParseOptions
		ok   bool
	}{
		{"length at the default", long(8192), ParseOptions{}, true},
		{"length over the default", long(8193), ParseOptions{}, false},
		{"length at an option", long(20), ParseOptions{MaxLength: 20}, true},
		{"length over an option", long(21), ParseOptions{MaxLength: 20}, false},
		{"nodes at the default", ors(100), ParseOptions{}, true}, // 100 comparisons, 99 "or"
		{"nodes over the default", ors(101), ParseOptions{}, false},
		{"nodes at an option", `e[a pr and not (b pr)]`, ParseOptions{MaxNodes: 5}, true},
		{"nodes over an option", `e[a pr and not (b pr)]`, ParseOptions{MaxNodes: 4}, false},
		{"nodes of a sub-comparison", `e[a pr].b pr`, ParseOptions{ValuePathSub: true, MaxNodes: 4}, true},
		{"nodes over by a sub-comparison", `e[a pr].b pr`, ParseOptions{ValuePathSub: true, MaxNodes: 3}, false},
		{"depth at the default", nest(50), ParseOptions{}, true},
		{"depth over the default", nest(51), ParseOptions{}, false},
		{"negations count as one level", nots(50), ParseOptions{}, true},
		{"negations over the depth", nots(51), ParseOptions{}, false},
		{"brackets count as a level", `(e[(a pr)])`, ParseOptions{MaxDepth: 3}, true},
		{"brackets over the depth", `(e[(a pr)])`, ParseOptions{MaxDepth: 2}, false},
		{"groups side by side are one level", strings.TrimSuffix(strings.Repeat("(e[a pr]) and ", 40), " and "), ParseOptions{MaxDepth: 2}, true},
		{"a negative limit is the default", nest(50), ParseOptions{MaxDepth: -1, MaxNodes: -1, MaxLength: -1}, true},
		{"100,000 parentheses", strings.Repeat("(", 100_000), ParseOptions{}, false},
		{"100,000 brackets in a long text", strings.Repeat("(", 100_000), ParseOptions{MaxLength: 1 << 20}, false},
		{"10,000 terms", ors(10_000), ParseOptions{MaxLength: 1 << 20}, false},
	} {
		_, err := Parse(c.in, c.o)
		var e *Error
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !c.ok && !(errors.As(err, &e) && e.Limit):
			t.Errorf("%s: error %v, want one that names a limit", c.name, err)
		}
	}
}

func TestLongChainsNeedNoStack(t *testing.T) {
	t.Parallel()
	text := strings.TrimSuffix(strings.Repeat("a pr or ", 300_000), " or ")
	x, err := Parse(text, ParseOptions{MaxLength: 1 << 30, MaxNodes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if x.String() != text {
		t.Error("a long chain does not print as it was written")
	}
}

func TestPatchPathsParse(t *testing.T) {
	t.Parallel()
	work := &Comparison{Name: "type", Op: Eq, Literal: Literal{Kind: StringLiteral, Text: "work"}}
	for _, c := range []struct {
		in   string
		want PatchPath
	}{
		{`title`, PatchPath{Name: "title"}},
		{`name.familyName`, PatchPath{Name: "name.familyName"}},
		{`emails[type eq "work"]`, PatchPath{Name: "emails", Filter: work}},
		{`emails[ type EQ "work" ].value`, PatchPath{Name: "emails", Filter: work, Sub: "value"}},
		{`members[type eq "work"].$ref`, PatchPath{Name: "members", Filter: work, Sub: "$ref"}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`, PatchPath{Name: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`}},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`, PatchPath{Name: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value`}},
		{`urn:x:core:2.0:User:emails[type eq "work"].value`, PatchPath{Name: `urn:x:core:2.0:User:emails`, Filter: work, Sub: "value"}},
		{`roles[value eq "a]b[c.d:\"e"]`, PatchPath{Name: "roles", Filter: &Comparison{Name: "value", Op: Eq, Literal: Literal{Kind: StringLiteral, Text: `a]b[c.d:"e`}}}},
		{`roles[not (primary pr)]`, PatchPath{Name: "roles", Filter: &Not{X: &Comparison{Name: "primary", Op: Pr}}}},
	} {
		got, err := ParsePath(c.in, ParseOptions{})
		if err != nil {
			t.Errorf("ParsePath(%q): %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got, ignoreMoreOffsets); d != "" {
			t.Errorf("ParsePath(%q): %s", c.in, d)
		}
		again, err := ParsePath(got.String(), ParseOptions{})
		if d := cmp.Diff(got, again, ignoreMoreOffsets); err != nil || d != "" {
			t.Errorf("ParsePath(%q) printed %q: %v %s", c.in, got, err, d)
		}
	}
}

func TestPathErrorsTellThePathFromItsFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		offset int
		path   bool
	}{
		{``, 0, true},
		{` title`, 0, true},
		{`title `, 0, true},
		{`na me`, 0, true},
		{`name..familyName`, 0, true},
		{`.name`, 0, true},
		{`name.`, 0, true},
		{`a.b.c`, 0, true},
		{`/title`, 0, true},
		{`emails/0`, 0, true},
		{`1title`, 0, true},
		{`$..title`, 0, true},
		{`[type eq "work"]`, 0, true},
		{`emails [type eq "work"]`, 0, true},
		{`emails type eq "work"]`, 0, true},
		{`emails.type[value eq "x"]`, 6, true},
		{`emails[`, 7, true},
		{`emails[]`, 7, true},
		{`emails[ ]`, 8, true},
		{`emails[type eq "work"`, 21, true},
		{`emails[(type eq "work"`, 22, true},
		{`emails[type eq "work"]value`, 22, true},
		{`emails[type eq "work"].`, 22, true},
		{`emails[type eq "work"]. value`, 22, true},
		{`emails[type eq "work"] `, 23, true},
		{`emails[type eq "work"].value.x`, 22, true},
		{`emails[type eq "work"].value x`, 22, true},
		{`emails[type eq "work"][primary eq true]`, 22, true},
		{`emails[type eq "work"]]`, 22, true},
		{`emails[0]`, 7, false},
		{`emails[type xx "a"]`, 12, false},
		{`emails[type eq "work" and]`, 25, false},
		{`emails[not type eq "work"]`, 11, false},
		{`emails[type eq work]`, 15, false},
		{`emails[a[b pr]]`, 8, false},
		{`emails[type eq "work]`, 15, false},
		{`emails[(type eq "work"]`, 22, false},
	} {
		got, err := ParsePath(c.in, ParseOptions{BareWords: true, ValuePathSub: true})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("ParsePath(%q) = %v, %v; want an *Error", c.in, got, err)
			continue
		}
		if e.Path != c.path || e.Offset != c.offset {
			t.Errorf("ParsePath(%q): Path %v at offset %d (%s), want %v at %d", c.in, e.Path, e.Offset, e.Detail, c.path, c.offset)
		}
		if d := cmp.Diff(PatchPath{}, got); d != "" {
			t.Errorf("ParsePath(%q) gives a path beside the error: %s", c.in, d)
		}
	}
}

func TestPathsObeyTheLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in string
		o  ParseOptions
	}{
		{`emails[` + strings.Repeat("(", 100_000), ParseOptions{MaxLength: 1 << 20}},
		{`emails[a pr or b pr]`, ParseOptions{MaxNodes: 3}},
		{`emails[(a pr)]`, ParseOptions{MaxDepth: 1}},
		{`emails[a pr]`, ParseOptions{MaxLength: 11}},
	} {
		_, err := ParsePath(c.in, c.o)
		var e *Error
		if !errors.As(err, &e) || !e.Limit {
			t.Errorf("ParsePath(%.30q): %v, want an error that names a limit", c.in, err)
		}
	}
}
