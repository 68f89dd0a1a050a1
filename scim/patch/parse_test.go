package patch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

const enterprise = schema.EnterpriseUserURN

// opsText prints operations: name, target, value.
func opsText(ops []patch.Operation) string {
	var out []string
	for _, op := range ops {
		s := op.Op.String() + " " + op.Target.String()
		switch {
		case op.Members != nil:
			s += " = " + membersText(op.Members)
		case !op.Value.IsZero():
			s += " = " + string(op.Value.JSON())
		case op.Given:
			s += " = nothing"
		}
		for _, p := range op.Cleared {
			s += " -" + p.Name()
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"keys in any case, extra keys", `{"SCHEMAS":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"id":{"a":[1]},"operations":[{"OP":"aDD","Path":"title","name":"title","VALUE":"x"}]}`, `add title = "x"`},
		{"operations before schemas", `{"Operations":[{"value":"x","path":"title","op":"add"}],"schemas":["URN:IETF:PARAMS:SCIM:API:MESSAGES:2.0:PATCHOP"]}`, `add title = "x"`},
		{"escaped keys", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Patch\u004fp"],"Operations":[{"\u006fp":"\u0061dd","path":"\u0074itle","value":"x"}]}`, `add title = "x"`},
		{"further schemas", `{"schemas":["urn:x","urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"title"}]}`, `remove title`},
		{"null path", string(body(`[{"op":"add","path":null,"value":{"title":"x"}}]`)), `add title = "x"`},
		{"null value", string(body(`[{"op":"replace","path":"title","value":null}]`)), `replace title`},
		{"path-less keeps the order", string(body(`[{"op":"replace","value":{"title":"x","name":{"givenName":"g","middleName":null},"` + enterprise + `":{"division":"d","manager":null},"nickName":null}}]`)),
			`replace title = "x"; replace name = {"givenName":"g"} -middleName; replace ` + enterprise + `:division = "d"; replace ` + enterprise + `:manager; replace nickName`},
		{"a filter is not printed", string(body(`[{"op":"replace","path":"emails[value eq \"secret@x.example\"].type","value":"home"}]`)), `replace emails[…].type = "home"`},
		{"one object for many", string(body(`[{"op":"add","path":"emails","value":{"value":"a"}}]`)), `add emails = [{"value":"a"}]`},
		{"one value for many", string(body(`[{"op":"add","path":"` + testURN + `:tags","value":"a"}]`)), `add ` + testURN + `:tags = ["a"]`},
		{"one element for a filter", string(body(`[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"a"}}]`)), `replace emails[…] = {"value":"a"}`},
		{"read-only parts of a value", string(body(`[{"op":"replace","path":"` + enterprise + `:manager","value":{"displayName":"x"}}]`)), `replace ` + enterprise + `:manager = nothing`},
		{"schemas has no effect", string(body(`[{"op":"add","path":"schemas","value":["urn:x"]},{"op":"replace","value":{"schemas":[]}},{"op":"remove","path":"schemas"}]`)), ``},
		{"active as nothing", string(body(`[{"op":"replace","path":"active","value":""}]`)), `replace active`},
		{"an empty array", string(body(`[{"op":"replace","path":"emails","value":[]}]`)), `replace emails = nothing`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, err := patch.Parse(userType(), []byte(test.body), patch.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := opsText(req.Operations); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What a strict request is refused for, and where the error says it is.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	op := func(s string) string { return string(body(`[{"op":"add","path":"nickName","value":"n"},` + s + `]`)) }
	tests := []struct {
		name, body, scimType string
		index                int
		path                 string
	}{
		{"nothing", ``, "invalidSyntax", -1, ""},
		{"no object", `[]`, "invalidSyntax", -1, ""},
		{"cut off", `{"schemas":[`, "invalidSyntax", -1, ""},
		{"cut off in an operation", `{"Operations":[{"op":"add"`, "invalidSyntax", 0, ""},
		{"a second value", string(body(`[{"op":"remove","path":"title"}]`)) + `{}`, "invalidSyntax", -1, ""},
		{"no schemas", `{"Operations":[{"op":"remove","path":"title"}]}`, "invalidSyntax", -1, "schemas"},
		{"other schemas", `{"schemas":["urn:x"],"Operations":[{"op":"remove","path":"title"}]}`, "invalidSyntax", -1, "schemas"},
		{"schemas twice", `{"schemas":[],"Schemas":[]}`, "invalidSyntax", -1, "schemas"},
		{"no operations", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`, "invalidSyntax", -1, "Operations"},
		{"null operations", string(body(`null`)), "invalidSyntax", -1, "Operations"},
		{"operations as an object", string(body(`{"op":"remove","path":"title"}`)), "invalidSyntax", -1, "Operations"},
		{"an operation as text", op(`"remove"`), "invalidSyntax", 1, ""},
		{"a key twice", op(`{"op":"add","path":"title","value":"x","value":"y"}`), "invalidSyntax", 1, "value"},
		{"a key twice but for case", op(`{"op":"add","path":"title","value":"x","Value":"y"}`), "invalidSyntax", 1, "value"},
		{"a member twice but for case", op(`{"op":"add","value":{"title":"x","TITLE":"y"}}`), "invalidSyntax", 1, "title"},
		{"a deep member twice", op(`{"op":"add","path":"name","value":{"givenName":"x","GIVENNAME":"y"}}`), "invalidSyntax", 1, "name"},
		{"bad UTF-8", op("{\"op\":\"add\",\"path\":\"title\",\"value\":\"\xff\"}"), "invalidSyntax", 1, ""},
		{"no op", op(`{"path":"title","value":"x"}`), "invalidSyntax", 1, ""},
		{"an op that is no text", op(`{"op":["add"],"path":"title","value":"x"}`), "invalidSyntax", 1, ""},
		{"an empty path", op(`{"op":"add","path":"","value":{"title":"x"}}`), "invalidPath", 1, ""},
		{"a malformed path with an object", op(`{"op":"replace","path":"emails[broken!!!filter","value":{"displayName":"pwned"}}`), "invalidFilter", 1, "emails…"},
		{"a whole extension", op(`{"op":"remove","path":"` + enterprise + `"}`), "invalidPath", 1, enterprise},
		{"the core schema", op(`{"op":"remove","path":"` + schema.UserURN + `"}`), "invalidPath", 1, schema.UserURN},
		{"an unqualified extension attribute", op(`{"op":"replace","path":"department","value":"x"}`), "invalidPath", 1, "department"},
		{"a dot behind a URN", op(`{"op":"replace","path":"` + enterprise + `.department","value":"x"}`), "invalidPath", 1, enterprise + ".department"},
		{"remove without a path", op(`{"op":"remove"}`), "noTarget", 1, ""},
		{"a path-less array", op(`{"op":"add","value":[{"title":"x"}]}`), "invalidValue", 1, ""},
		{"an unknown member", op(`{"op":"add","value":{"nosuch":"x"}}`), "invalidPath", 1, "nosuch"},
		{"a dotted member", op(`{"op":"add","value":{"name.givenName":"x"}}`), "invalidPath", 1, "name.givenName"},
		{"an unknown member of an extension", op(`{"op":"add","value":{"` + enterprise + `":{"nosuch":1}}}`), "invalidPath", 1, enterprise + ":nosuch"},
		{"an extension as text", op(`{"op":"add","value":{"` + enterprise + `":"x"}}`), "invalidValue", 1, enterprise},
		{"groups", op(`{"op":"remove","path":"groups"}`), "mutability", 1, "groups"},
		{"a part of groups", op(`{"op":"add","path":"groups[value eq \"g\"].display","value":"x"}`), "mutability", 1, "groups[…].display"},
		{"groups in a value", op(`{"op":"add","value":{"groups":[{"value":"g"}]}}`), "mutability", 1, "groups"},
		{"the manager's name", op(`{"op":"add","path":"` + enterprise + `:manager.displayName","value":"x"}`), "mutability", 1, enterprise + ":manager.displayName"},
		{"a secret in a filter of a path", op(`{"op":"remove","path":"` + testURN + `:secret[value eq \"x\"]"}`), "invalidPath", 1, testURN + ":secret…"},
		{"an array for one value", op(`{"op":"replace","path":"title","value":["x"]}`), "invalidValue", 1, "title"},
		{"an array for a record", op(`{"op":"replace","path":"emails[type eq \"work\"]","value":[{"value":"x"}]}`), "invalidValue", 1, "emails[…]"},
		{"text for a boolean", op(`{"op":"replace","path":"active","value":"true"}`), "invalidValue", 1, "active"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := patch.Parse(userType(), []byte(test.body), patch.ParseOptions{})
			var e *patch.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.ScimType != test.scimType || e.Index != test.index || e.Path != test.path || e.Limit {
				t.Errorf("got %s, operation %d, path %q, limit %v: %v", e.ScimType, e.Index, e.Path, e.Limit, e)
			}
			if e.Index >= 0 && !strings.HasPrefix(e.Error(), fmt.Sprintf("operation %d", e.Index+1)) {
				t.Errorf("text %q", e)
			}
		})
	}
}

func TestParseMembersRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, ops, scimType string }{
		{"text", `[{"op":"add","path":"members","value":["a"]}]`, "invalidValue"},
		{"no id", `[{"op":"add","path":"members","value":[{"type":"User"}]}]`, "invalidValue"},
		{"an empty member", `[{"op":"replace","path":"members","value":[{}]}]`, "invalidValue"},
		{"text for a selected one", `[{"op":"replace","path":"members[value eq \"a\"]","value":"a"}]`, "invalidValue"},
		{"several for a selected one", `[{"op":"replace","path":"members[value eq \"a\"]","value":[{"value":"a"},{"value":"b"}]}]`, "invalidValue"},
		{"an unknown part", `[{"op":"replace","path":"members[value eq \"a\"].nosuch","value":"a"}]`, "invalidPath"},
		{"an unknown part in a filter", `[{"op":"remove","path":"members[nosuch eq \"a\"]"}]`, "invalidFilter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := patch.Parse(groupType(), body(test.ops), patch.ParseOptions{})
			var e *patch.Error
			if !errors.As(err, &e) || e.ScimType != test.scimType {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Each tolerance accepts what it says, is told of, and is needed.
func TestTolerances(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		set     func(*patch.Tolerance)
		body    string
		want    string
		ignored string
	}{
		{"MissingSchemas", func(o *patch.Tolerance) { o.MissingSchemas = true }, `{"Operations":[{"op":"remove","path":"title"}]}`, `remove title`, ""},
		{"EmptyOperations", func(o *patch.Tolerance) { o.EmptyOperations = true }, string(body(`[]`)), ``, ""},
		{"KeysAsPaths", func(o *patch.Tolerance) { o.KeysAsPaths = true }, string(body(`[{"op":"add","value":{"name.givenName":"x"}}]`)), `add name.givenName = "x"`, ""},
		{"KeysAsPaths", func(o *patch.Tolerance) { o.KeysAsPaths = true }, string(body(`[{"op":"add","value":{"` + enterprise + `":{"manager.value":"x"}}}]`)), `add ` + enterprise + `:manager.value = "x"`, ""},
		{"KeysAsPaths", func(o *patch.Tolerance) { o.KeysAsPaths = true }, string(body(`[{"op":"add","value":{"` + enterprise + `:division":"x"}}]`)), `add ` + enterprise + `:division = "x"`, ""},
		{"KeysAsPaths", func(o *patch.Tolerance) { o.KeysAsPaths = true }, string(body(`[{"op":"add","value":{"emails[type eq \"work\"].value":"x"}}]`)), `add emails[…].value = "x"`, ""},
		{"IgnoreReadOnly", func(o *patch.Tolerance) { o.IgnoreReadOnly = true }, string(body(`[{"op":"add","value":{"groups":[{"value":"g"}],"title":"x"}}]`)), `add title = "x"`, "groups"},
		{"IgnoreUnknown", func(o *patch.Tolerance) { o.IgnoreUnknown = true }, string(body(`[{"op":"add","value":{"nosuch":1,"a.b.c":2,"title":"x"}}]`)), `add title = "x"`, "nosuch a.b.c"},
		{"IgnoreUnknown", func(o *patch.Tolerance) { o.IgnoreUnknown = true }, string(body(`[{"op":"add","path":"emails","value":[{"value":"x","nosuch":1}]}]`)), `add emails = [{"value":"x"}]`, "emails[0].nosuch"},
		{"SkipUnknownSchema", func(o *patch.Tolerance) { o.SkipUnknownSchema = true }, string(body(`[{"op":"add","path":"urn:x:y:foo","value":1}]`)), ``, "urn:x:y:foo"},
		{"WholeExtension", func(o *patch.Tolerance) { o.WholeExtension = true }, string(body(`[{"op":"remove","path":"` + enterprise + `"}]`)), `remove ` + enterprise, ""},
		{"WholeExtension", func(o *patch.Tolerance) { o.WholeExtension = true }, string(body(`[{"op":"replace","path":"` + enterprise + `","value":{"division":"x"}}]`)), `replace ` + enterprise + `:division = "x"`, ""},
		{"WholeExtension", func(o *patch.Tolerance) { o.WholeExtension = true }, string(body(`[{"op":"remove","path":"` + enterprise + `","value":{"division":"x"}}]`)), `remove ` + enterprise + `:division = "x"`, ""},
		{"WholeExtension", func(o *patch.Tolerance) { o.WholeExtension = true }, string(body(`[{"op":"remove","path":"` + enterprise + `","value":{}}]`)), ``, enterprise},
		{"Unqualified", func(o *patch.Tolerance) { o.Names = schema.Unqualified }, string(body(`[{"op":"add","path":"manager.value","value":"x"}]`)), `add ` + enterprise + `:manager.value = "x"`, ""},
		{"Unqualified", func(o *patch.Tolerance) { o.Names = schema.Unqualified }, string(body(`[{"op":"add","value":{"division":"x"}}]`)), `add ` + enterprise + `:division = "x"`, ""},
		{"DottedURN", func(o *patch.Tolerance) { o.Names = schema.DottedURN }, string(body(`[{"op":"add","path":"` + enterprise + `.division","value":"x"}]`)), `add ` + enterprise + `:division = "x"`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var used []string
			o := patch.Tolerance{Used: func(option string) { used = append(used, option) }}
			if _, err := patch.Parse(userType(), []byte(test.body), patch.ParseOptions{Tolerance: o}); err == nil {
				t.Error("accepted without the tolerance")
			}
			if len(used) > 0 {
				t.Errorf("used without any: %v", used)
			}
			test.set(&o)
			req, err := patch.Parse(userType(), []byte(test.body), patch.ParseOptions{Tolerance: o})
			if err != nil {
				t.Fatal(err)
			}
			if got := opsText(req.Operations); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := strings.Join(req.Ignored, " "); got != test.ignored {
				t.Errorf("ignored %q, want %q", got, test.ignored)
			}
			if used = slices.Compact(used); len(used) != 1 || used[0] != test.name {
				t.Errorf("used %v", used)
			}
		})
	}
}

// No tolerance makes a malformed path something else.
func TestAMalformedPathIsAlwaysAnError(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", " ", "name..givenName", "emails[", `emails[type eq "work"`, "a.b.c", "/title", "urn:x:y[", "urn:x y:z", "urn:", "emails[0]", `emails[type eq "x"].a.b`} {
		for _, ops := range []string{
			fmt.Sprintf(`[{"op":"replace","path":%q,"value":{"title":"x"}}]`, path),
			fmt.Sprintf(`[{"op":"remove","path":%q}]`, path),
		} {
			o, _ := tolerant()
			_, err := patch.Parse(userType(), body(ops), o)
			var e *patch.Error
			if !errors.As(err, &e) || e.ScimType != "invalidPath" && e.ScimType != "invalidFilter" {
				t.Errorf("%s: %v", ops, err)
			}
		}
	}
	o, _ := tolerant()
	if _, err := patch.Parse(userType(), body(`[{"op":"add","value":{"emails[type eq":"x"}}]`), o); err == nil {
		t.Error("a malformed path as a key is skipped")
	}
}

func TestAPathAsAKeyStandsOnce(t *testing.T) {
	t.Parallel()
	o, _ := tolerant()
	_, err := patch.Parse(userType(), body(`[{"op":"add","value":{"name.givenName":"x","name.givenName":"y"}}]`), o)
	var e *patch.Error
	if !errors.As(err, &e) || e.ScimType != "invalidSyntax" {
		t.Errorf("got %v", err)
	}
}

func TestErrorsDoNotRepeatValues(t *testing.T) {
	t.Parallel()
	r, rel := parts(t, []byte(`{"userName":"lee"}`))
	for _, ops := range []string{
		`[{"op":"add","path":"active","value":"SECRET"}]`,
		`[{"op":"add","path":"emails[value eq \"SECRET\"].type","value":"x"}]`,
		`[{"op":"add","path":"emails[value eq \"SECRET\"","value":"x"}]`,
		`[{"op":"add","path":"emails[value zz \"SECRET\"]","value":"x"}]`,
		`[{"op":"add","path":"emails eq \"SECRET\"","value":"x"}]`,
		`[{"op":"add","path":"emails","value":[{"primary":"SECRET"}]}]`,
		`[{"op":"add","path":"` + testURN + `:hired","value":"SECRET"}]`,
		`[{"op":"replace","value":{"id":"SECRET"}}]`,
		`[{"op":"add","path":"title","value":"SECRET`,
	} {
		_, _, err := do(r.Type(), r, rel, body(ops), patch.ParseOptions{}, patch.ApplyOptions{})
		var e *patch.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", ops, err)
		} else if strings.Contains(e.Error()+e.Path+e.Detail, "SECRET") {
			t.Errorf("%s: %v", ops, e)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	repeat := func(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	removes := func(n int) string { return "[" + repeat(`{"op":"remove","path":"title"}`, n) + "]" }
	list := func(from, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"value":"m%d"},`, from+i)
		}
		return "[" + strings.TrimSuffix(b.String(), ",") + "]"
	}
	kinds := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"value":"m","type":"T%d"},`, i)
		}
		return "[" + strings.TrimSuffix(b.String(), ",") + "]"
	}
	// The message, Operations, an operation, and the value make four levels.
	deep := func(n int) string {
		return `[{"op":"add","path":"title","value":"x","extra":` + strings.Repeat("[", n-3) + strings.Repeat("]", n-3) + `}]`
	}
	user, group := userType(), groupType()
	tests := []struct {
		name string
		typ  *schema.Type
		ops  string
		o    patch.ParseOptions
		over bool
	}{
		{"operations", user, removes(3), patch.ParseOptions{MaxOperations: 3}, false},
		{"operations over", user, removes(4), patch.ParseOptions{MaxOperations: 3}, true},
		{"operations by default", user, removes(10_000), patch.ParseOptions{}, false},
		{"operations by default over", user, removes(10_001), patch.ParseOptions{MaxOperations: -1}, true},
		{"members of a value", user, `[{"op":"add","value":{"title":"x","nickName":"y"}}]`, patch.ParseOptions{MaxOperations: 2}, false},
		{"members of a value over", user, `[{"op":"add","value":{"title":"x","nickName":"y","active":true}}]`, patch.ParseOptions{MaxOperations: 2}, true},
		{"members", group, `[{"op":"add","path":"members","value":` + list(0, 2) + `},{"op":"remove","path":"members","value":` + list(2, 1) + `}]`, patch.ParseOptions{MaxMembers: 3}, false},
		{"members over", group, `[{"op":"add","path":"members","value":` + list(0, 2) + `},{"op":"remove","path":"members","value":` + list(2, 2) + `}]`, patch.ParseOptions{MaxMembers: 3}, true},
		{"members by default", group, `[{"op":"add","path":"members","value":` + list(0, 100_000) + `}]`, patch.ParseOptions{}, false},
		{"members by default over", group, `[{"op":"add","path":"members","value":` + list(0, 100_001) + `}]`, patch.ParseOptions{}, true},
		{"member types", group, `[{"op":"add","path":"members","value":` + kinds(32) + `}]`, patch.ParseOptions{}, false},
		{"member types over", group, `[{"op":"add","path":"members","value":` + kinds(33) + `}]`, patch.ParseOptions{}, true},
		{"selections", group, "[" + repeat(`{"op":"remove","path":"members[type eq \"User\"]"}`, 2) + `,{"op":"remove","path":"members[value eq \"a\"]"}]`, patch.ParseOptions{MaxSelections: 2}, false},
		{"selections over", group, "[" + repeat(`{"op":"remove","path":"members[type eq \"User\"]"}`, 2) + `,{"op":"replace","path":"members[value eq \"a\"].type","value":"User"}]`, patch.ParseOptions{MaxSelections: 2}, true},
		{"selections by default", group, "[" + repeat(`{"op":"remove","path":"members[type eq \"User\"]"}`, 100) + "]", patch.ParseOptions{}, false},
		{"selections by default over", group, "[" + repeat(`{"op":"remove","path":"members[type eq \"User\"]"}`, 101) + "]", patch.ParseOptions{}, true},
		{"depth", user, deep(5), patch.ParseOptions{MaxDepth: 5}, false},
		{"depth over", user, deep(6), patch.ParseOptions{MaxDepth: 5}, true},
		{"depth by default", user, deep(32), patch.ParseOptions{}, false},
		{"depth by default over", user, deep(33), patch.ParseOptions{}, true},
		{"brackets in text are no depth", user, `[{"op":"add","path":"title","value":"` + strings.Repeat(`[{\"`, 100) + `"}]`, patch.ParseOptions{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := patch.Parse(test.typ, body(test.ops), test.o)
			var e *patch.Error
			switch {
			case !test.over && err != nil:
				t.Error(err)
			case test.over && (!errors.As(err, &e) || !e.Limit):
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestIgnoredIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `"%s%d":1,`, strings.Repeat("é", 200), i)
	}
	o, _ := tolerant()
	req, err := patch.Parse(userType(), body(`[{"op":"add","value":{`+strings.TrimSuffix(b.String(), ",")+`}}]`), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(req.Ignored); n != 20 {
		t.Errorf("%d names", n)
	}
	for _, name := range req.Ignored {
		if len(name) > 140 || !strings.HasPrefix(name, "éé") || strings.ContainsRune(name, '\uFFFD') {
			t.Errorf("name %q", name)
		}
	}
}

// A remove that names nothing does nothing, and is reported.
func TestARemoveThatNamesNothingIsReported(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`[]`, `{}`, `""`, `[{}]`, `[null]`, `[""]`, `[[]]`, `{"value":""}`, `[{"value":null,"type":""},{}]`} {
		for _, path := range []string{"members", "displayName", `members[value eq \"a\"]`, "externalId"} {
			req, err := patch.Parse(groupType(), body(`[{"op":"remove","path":"`+path+`","value":`+value+`}]`), patch.ParseOptions{})
			if err != nil {
				t.Errorf("%s %s: %v", path, value, err)
				continue
			}
			if len(req.Operations) != 0 || len(req.Ignored) != 1 || !strings.HasPrefix(path, strings.TrimSuffix(req.Ignored[0], "[…]")) {
				t.Errorf("%s %s: %s, ignored %v", path, value, opsText(req.Operations), req.Ignored)
			}
		}
	}
	for _, value := range []string{`[{"value":"a"},{}]`, `["a"]`, `0`, `false`, `{"value":0}`} {
		req, err := patch.Parse(groupType(), body(`[{"op":"remove","path":"members","value":`+value+`}]`), patch.ParseOptions{})
		if err == nil && len(req.Operations) == 0 {
			t.Errorf("%s is taken for nothing", value)
		}
	}
}

func TestRequestDividesOperations(t *testing.T) {
	t.Parallel()
	req, err := patch.Parse(groupType(), body(`[{"op":"replace","path":"displayName","value":"x"},{"op":"add","path":"members","value":[{"value":"a"}]},
		{"op":"replace","path":"externalId","value":"y"},{"op":"replace","path":"members[value eq \"a\"].type","value":"User"}]`), patch.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := opsText(req.Document()); got != `replace displayName = "x"; replace externalId = "y"` {
		t.Error(got)
	}
	links := req.Links()
	if got := opsText(links["members"]); len(links) != 1 || got != `add members = a; replace members[…].type = "User"` {
		t.Error(got, links)
	}
	for name, want := range map[string]bool{"displayName": true, "members": true, "members.type": true, "members.value": false, "externalId": true, "id": false} {
		if got := req.Touches(groupType().MustResolve(name)); got != want {
			t.Errorf("Touches %s: %v", name, got)
		}
	}
	req, err = patch.Parse(groupType(), body(`[{"op":"replace","path":"displayName","value":"x"}]`), patch.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if req.Links() != nil || len(req.Document()) != 1 {
		t.Error(req.Links(), req.Document())
	}
}

func TestRewriteChangesOperations(t *testing.T) {
	t.Parallel()
	o := patch.ParseOptions{Tolerance: patch.Tolerance{Rewrite: func(t *schema.Type, ops []patch.Operation) []patch.Operation {
		ops[0].Value = resource.Text(t.MustResolve("title"), "rewritten")
		return ops[:1]
	}}}
	req, err := patch.Parse(userType(), body(`[{"op":"add","path":"title","value":"x"},{"op":"remove","path":"title"}]`), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := opsText(req.Operations); got != `add title = "rewritten"` {
		t.Error(got)
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	_, err := patch.Parse(userType(), body(`[{"op":"remove","path":"emails[type xx \"a\"]"}]`), patch.ParseOptions{})
	var f *filter.Error
	if !errors.As(err, &f) {
		t.Errorf("%v", err)
	}
}
