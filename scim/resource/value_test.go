package resource_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestZeroValueAnswersEverything(t *testing.T) {
	t.Parallel()
	var v resource.Value
	_, isInt := v.Int()
	_, isFloat := v.Float()
	_, isTime := v.Time()
	if !v.IsZero() || v.Kind() != resource.KindNone || !v.Path().IsZero() || v.Text() != "" || v.Bytes() != nil || v.Bool() ||
		isInt || isFloat || isTime || v.JSON() != nil || v.Len() != 0 || !v.Get(deviceType.MustResolve("badge.color")).IsZero() ||
		!v.Equal(resource.Value{}) || !v.Same(resource.Value{}) {
		t.Error("the zero Value is not unassigned")
	}
	for range v.Elements() {
		t.Error("it has elements")
	}
	for range v.Members() {
		t.Error("it has members")
	}
	for range v.All(deviceType.MustResolve("text")) {
		t.Error("it holds values")
	}
}

func TestValuesOfAResource(t *testing.T) {
	t.Parallel()
	r := document(t, deviceType, `{"text":"a \"q\" \n","flag":true,"decimal":2.50,"integer":-7,"time":"2024-02-29T12:00:00+01:00","tags":["x","y"],
		"badge":{"number":"1","color":"red"},"ports":[{"type":"t"},{"value":"1","labels":["l","m"]},{"value":"2"}],"`+extraURN+`":{"rack":{"unit":4},"links":[{"value":"v"}]}}`)
	for _, c := range []struct {
		name, json string
		kind       resource.Kind
		text       string
		len        int
		all        string // texts of All
	}{
		{"text", `"a \"q\" \n"`, resource.KindText, "a \"q\" \n", 0, "a \"q\" \n"},
		{"flag", `true`, resource.KindBool, "true", 0, "true"},
		{"decimal", `2.50`, resource.KindNumber, "2.50", 0, "2.50"},
		{"integer", `-7`, resource.KindNumber, "-7", 0, "-7"},
		{"tags", `["x","y"]`, resource.KindArray, "", 2, "x|y"},
		{"badge", `{"number":"1","color":"red"}`, resource.KindObject, "", 2, ""},
		{"badge.color", `"red"`, resource.KindText, "red", 0, "red"},
		{"ports", `[{"type":"t"},{"value":"1","labels":["l","m"]},{"value":"2"}]`, resource.KindArray, "", 3, ""},
		{"ports.value", `"1"`, resource.KindText, "1", 0, "1|2"},
		{"ports.labels", `["l","m"]`, resource.KindArray, "", 2, "l|m"},
		{extraURN, `{"rack":{"unit":4},"links":[{"value":"v"}]}`, resource.KindObject, "", 2, ""},
		{extraURN + ":rack.unit", `4`, resource.KindNumber, "4", 0, "4"},
		{extraURN + ":links.value", `"v"`, resource.KindText, "v", 0, "v"},
		{extraURN + ":site", ``, resource.KindNone, "", 0, ""},
		{"exact", ``, resource.KindNone, "", 0, ""},
		{"badge.issued", ``, resource.KindNone, "", 0, ""},
		{"owners", ``, resource.KindNone, "", 0, ""},
		{"owners.value", ``, resource.KindNone, "", 0, ""},
	} {
		p := deviceType.MustResolve(c.name)
		v := r.Get(p)
		if string(v.JSON()) != c.json || v.Kind() != c.kind || v.Text() != c.text || v.Len() != c.len || r.String(c.name) != c.text {
			t.Errorf("%s: %s %v %q %d", c.name, v.JSON(), v.Kind(), v.Text(), v.Len())
		}
		if !v.IsZero() && v.Path() != p {
			t.Errorf("%s: path %s", c.name, v.Path())
		}
		if got := strings.Join(r.Strings(c.name), "|"); got != c.all {
			t.Errorf("%s: Strings %q, want %q", c.name, got, c.all)
		}
	}
	if f, ok := r.Lookup("decimal").Float(); !ok || f != 2.5 {
		t.Errorf("decimal %v", f)
	}
	if i, ok := r.Int("integer"); !ok || i != -7 {
		t.Errorf("integer %v", i)
	}
	if _, ok := r.Int("decimal"); ok {
		t.Error("2.50 is no integer")
	}
	if got, ok := r.Time("time"); !ok || !got.Equal(time.Date(2024, 2, 29, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("time %v", got)
	}
	if _, ok := r.Time("text"); ok {
		t.Error("text is no time")
	}
	if b, ok := r.Bool("flag"); !b || !ok {
		t.Error("flag")
	}
	if b, ok := r.Bool("nosuch"); b || ok {
		t.Error("nosuch")
	}
	var tops []string
	for v := range r.Values() {
		tops = append(tops, v.Path().Name())
	}
	if d := cmp.Diff([]string{"text", "flag", "decimal", "integer", "time", "tags", "badge", "ports", extraURN}, tops); d != "" {
		t.Error(d)
	}
	ports := r.Lookup("ports")
	n := 0
	for v := range ports.All(deviceType.MustResolve("ports.value")) {
		n++
		if v.Text() != "1" {
			t.Errorf("got %s", v.JSON())
		}
		break
	}
	if n != 1 || slices.Collect(ports.All(deviceType.MustResolve("badge.color"))) != nil {
		t.Error("All")
	}
}

func TestKindsHaveNames(t *testing.T) {
	t.Parallel()
	for k, want := range []string{"none", "text", "number", "bool", "object", "array", "unknown"} {
		if got := resource.Kind(k).String(); got != want {
			t.Errorf("%d is %q, want %q", k, got, want)
		}
	}
	if document(t, deviceType, `{}`).Type() != deviceType {
		t.Error("a resource knows its type")
	}
}

func TestDateTimesAreInstants(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2024-02-29T12:00:00Z":                "2024-02-29T12:00:00Z",
		"2024-02-29T12:00:00":                 "2024-02-29T12:00:00Z",
		"2024-02-29T12:00:00.5-05:30":         "2024-02-29T17:30:00.5Z",
		"2024-12-31T24:00:00+00:00":           "2025-01-01T00:00:00Z",
		"2024-02-29T12:00:00.123456789999Z":   "2024-02-29T12:00:00.123456789Z",
		"0001-01-01T00:00:00+14:00":           "0000-12-31T10:00:00Z",
		"2024-02-29T00:30:00.000000000+01:00": "2024-02-28T23:30:00Z",
	} {
		got, ok := document(t, deviceType, `{"time":"`+text+`"}`).Time("time")
		if s := got.Format(time.RFC3339Nano); !ok || s != want || got.Location() != time.UTC {
			t.Errorf("%s is %s, want %s", text, s, want)
		}
	}
}

func TestValuesCompare(t *testing.T) {
	t.Parallel()
	long := func(f func(i int) string, n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = f(i)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	quoted := func(s string) func(int) string {
		return func(i int) string { return `"` + s + strings.Repeat("x", i) + `"` }
	}
	backwards := func(i int) string { return `"a` + strings.Repeat("x", 29-i) + `"` }
	for _, c := range []struct {
		name, a, b  string
		equal, same bool
	}{
		{"text", `"a"`, `"a"`, true, true},
		{"text", `"a"`, `"A"`, false, true},
		{"text", `"ﬀ"`, `"ff"`, false, false},
		{"text", `"ÅSE"`, `"åse"`, false, true},
		{"text", `"a\n"`, `"A\n"`, false, true},
		{"text", `""`, `"a"`, false, false},
		{"exact", `"a"`, `"A"`, false, false},
		{"ref", `"a"`, `"A"`, false, false},
		{"binary", `"aaaa"`, `"AAAA"`, false, false},
		{"flag", `true`, `true`, true, true},
		{"flag", `true`, `false`, false, false},
		{"integer", `0`, `-0`, true, true},
		{"integer", `10`, `1`, false, false},
		{"integer", `-1`, `1`, false, false},
		{"integer", `9223372036854775807`, `9223372036854775806`, false, false},
		{"decimal", `1`, `1.0`, true, true},
		{"decimal", `100`, `1E2`, true, true},
		{"decimal", `0.00120`, `1.2e-3`, true, true},
		{"decimal", `120.5`, `1.205e+2`, true, true},
		{"decimal", `-0.0`, `0e5`, true, true},
		{"decimal", `0.1`, `0.10000000000000000001`, false, false},
		{"decimal", `1e2`, `1e-2`, false, false},
		{"decimal", `10`, `1`, false, false},
		{"time", `"2024-02-29T12:00:00Z"`, `"2024-02-29T13:00:00.0+01:00"`, false, true},
		{"time", `"2024-02-29T12:00:00Z"`, `"2024-02-29T12:00:01Z"`, false, false},
		{"badge", `{"number":"1","color":"r"}`, `{"color":"r","number":"1"}`, true, true},
		{"badge", `{"number":"1","color":"r"}`, `{"color":"R","number":"1"}`, false, true},
		{"badge", `{"number":"1","color":"r"}`, `{"number":"1"}`, false, false},
		{"badge", `{"number":"1"}`, `{"number":"1","color":"r"}`, false, false},
		{"ports", `[{"value":"1"}]`, `[{"value":"1","primary":false}]`, false, true},
		{"ports", `[{"value":"1"}]`, `[{"value":"1","primary":true}]`, false, false},
		{"ports", `[{"value":"1","primary":false}]`, `[{"value":"1"}]`, false, true},
		{"ports", `[{"value":"1"},{"value":"2"}]`, `[{"value":"2"},{"value":"1"}]`, true, true},
		{"ports", `[{"value":"1"},{"value":"2"}]`, `[{"value":"1"}]`, false, false},
		{"ports", `[{"value":"1"},{"value":"2"}]`, `[{"value":"1"},{"value":"3"}]`, false, false},
		{"ports", `[{"labels":["a","b"]}]`, `[{"labels":["b","A"]}]`, false, true},
		{"codes", `["a","b"]`, `["b","a"]`, true, true},
		{"tags", long(quoted("a"), 30), long(backwards, 30), true, true},
		{"tags", long(quoted("A"), 30), long(backwards, 30), false, true},
		{"tags", long(quoted("a"), 30), long(quoted("b"), 30), false, false},
	} {
		p := deviceType.MustResolve(c.name)
		v := must[resource.Value](t)(resource.DecodeValue(p, []byte(c.a), false, partial))
		w := must[resource.Value](t)(resource.DecodeValue(p, []byte(c.b), false, partial))
		for range 2 {
			if v.Equal(w) != c.equal || v.Same(w) != c.same {
				t.Errorf("%s and %s: Equal %v, Same %v", v.JSON(), w.JSON(), v.Equal(w), v.Same(w))
			}
			v, w = w, v
		}
		if v.Equal(resource.Value{}) || (resource.Value{}).Same(v) {
			t.Errorf("%s equals nothing", v.JSON())
		}
	}
	text, exact := deviceType.MustResolve("text"), deviceType.MustResolve("exact")
	if resource.Text(text, "1").Equal(resource.Integer(text, 1)) {
		t.Error("text equals a number")
	}
	// The attribute is where a value stands, not what it is.
	if !resource.Text(text, "1").Equal(resource.Text(exact, "1")) {
		t.Error("equal texts of two attributes differ")
	}
}

func TestConstructors(t *testing.T) {
	t.Parallel()
	path := deviceType.MustResolve
	at := time.Date(2024, 2, 29, 12, 0, 0, 5000, time.FixedZone("", 3600))
	for _, c := range []struct {
		v    resource.Value
		want string
	}{
		{resource.Text(path("text"), "a\"\\\x01é"), `"a\"\\\u0001é"`},
		{resource.Text(path("text"), "a\xffb"), `"a�b"`},
		{resource.Text(path("text"), ""), `""`},
		{resource.Boolean(path("flag"), true), `true`},
		{resource.Integer(path("integer"), -5), `-5`},
		{resource.Decimal(path("decimal"), 0.1), `0.1`},
		{resource.Decimal(path("decimal"), 1e30), `1e+30`},
		{resource.Decimal(path("decimal"), math.Inf(-1)), ``},
		{resource.DateTime(path("time"), at), `"2024-02-29T11:00:00.000005Z"`},
		{resource.Binary(path("binary"), []byte("hello")), `"aGVsbG8="`},
		{resource.Array(path("tags"), resource.Text(path("tags"), "a"), resource.Value{}, resource.Text(path("text"), "b")), `["a","b"]`},
		{resource.Array(path("tags")), ``},
		{resource.Array(path("tags"), resource.Value{}), ``},
		{resource.Object(path("badge"), resource.Text(path("badge.color"), "red"), resource.Value{}, resource.Text(path("badge.number"), "1")), `{"color":"red","number":"1"}`},
		{resource.Object(path("badge")), ``},
	} {
		if got := string(c.v.JSON()); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if v := resource.Array(path("tags"), resource.Text(path("text"), "b")); v.Path() != path("tags") || slices.Collect(v.Elements())[0].Path() != path("tags") {
		t.Error("an element keeps the path it had")
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	number, color, text := deviceType.MustResolve("badge.number"), deviceType.MustResolve("badge.color"), deviceType.MustResolve("text")
	v := resource.Value{}.With(color, resource.Text(color, "red"))
	if string(v.JSON()) != `{"color":"red"}` || v.Path() != color.Parent() {
		t.Fatalf("got %s of %s", v.JSON(), v.Path())
	}
	w := v.With(number, resource.Text(text, "1")).With(color, resource.Text(color, "blue\n"))
	if string(w.JSON()) != `{"color":"blue\n","number":"1"}` || w.Get(color).Text() != "blue\n" || w.Get(number).Path() != number {
		t.Errorf("got %s", w.JSON())
	}
	if string(v.JSON()) != `{"color":"red"}` {
		t.Error("the original changed")
	}
	if got := w.With(color, resource.Value{}); string(got.JSON()) != `{"number":"1"}` {
		t.Errorf("got %s", got.JSON())
	}
	if got := v.With(color, resource.Value{}); !got.IsZero() {
		t.Errorf("got %s", got.JSON())
	}
	if got := (resource.Value{}).With(color, resource.Value{}); !got.IsZero() {
		t.Errorf("got %s", got.JSON())
	}
	r := document(t, deviceType, `{"text":"a","ports":[{"value":"1"}]}`)
	value, kind := deviceType.MustResolve("ports.value"), deviceType.MustResolve("ports.type")
	for e := range r.Lookup("ports").Elements() {
		if got := e.With(kind, resource.Text(kind, "t")); string(got.JSON()) != `{"value":"1","type":"t"}` || got.Get(value).Text() != "1" || got.Path() != value.Parent() {
			t.Errorf("got %s", got.JSON())
		}
	}
}

func TestComplexValuesDoNotChangeTheirAttribute(t *testing.T) {
	t.Parallel()
	badge, ports := deviceType.MustResolve("badge"), deviceType.MustResolve("ports")
	v := resource.Object(badge, resource.Text(badge.Child(0), "1"))
	for name, f := range map[string]func(){
		"an element":    func() { resource.New(deviceType).SetValue(deviceType.MustResolve("tags"), resource.Text(badge, "x")) },
		"another kind":  func() { resource.Object(badge).With(badge.Child(0), resource.Integer(badge.Child(0), 1)) },
		"Array":         func() { resource.Array(ports, v) },
		"SetValue":      func() { resource.New(deviceType).SetValue(ports, v) },
		"Object":        func() { resource.Object(badge, v.Get(badge.Child(0)), v.Get(badge.Child(0))) },
		"into elements": func() { resource.New(deviceType).SetValue(ports.Child(0), resource.Text(ports.Child(0), "1")) },
		"id":            func() { resource.New(deviceType).SetValue(deviceType.Common().ID, resource.Text(badge, "1")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			f()
		}()
	}
}

func TestBestEmail(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"userName":"ada"}`:           "",
		`{"userName":"ada@a.example"}`: "ada@a.example",
		`{"userName":"@ada"}`:          "",
		`{"userName":"ada@"}`:          "",
		`{"userName":"ada lo@x"}`:      "",
		`{"emails":[{"type":"work"}]}`: "",
		`{"emails":[{"value":""}]}`:    "",
		`{"emails":[{"value":"a"}]}`:   "a",
		`{"userName":"u@x","emails":[{"value":"a","type":"home"},{"value":"b","type":"WORK"},{"value":"c","type":"work"}]}`: "b",
		`{"emails":[{"value":"a","type":"work"},{"value":"b","primary":true}]}`:                                             "b",
		`{"emails":[{"type":"work","primary":true},{"value":"b"}]}`:                                                         "b",
	} {
		if got := document(t, userType, body).BestEmail(); got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	if got := document(t, deviceType, `{}`).BestEmail(); got != "" {
		t.Errorf("a device has %q", got)
	}
}

func TestActive(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{`{}`: true, `{"active":true}`: true, `{"active":false}`: false, `{"active":null}`: true} {
		if document(t, userType, body).Active() != want {
			t.Errorf("%s: want %v", body, want)
		}
	}
	if !document(t, groupType, `{}`).Active() {
		t.Error("a type without the attribute is active")
	}
}

func TestCommonAttributes(t *testing.T) {
	t.Parallel()
	r := document(t, userType, `{"userName":"a","externalId":"e","`+schema.EnterpriseUserURN+`":{"department":"d"}}`)
	for name, want := range map[string]string{
		"id": "", "meta.version": "", "meta.created": "", "meta.lastModified": "", "meta.resourceType": "User", "meta.location": "", "externalId": "e",
	} {
		if got := r.String(name); got != want {
			t.Errorf("without metadata, %s is %q", name, got)
		}
	}
	r = r.WithMeta(aMeta)
	if r.ID() != aMeta.ID || r.Meta() != aMeta {
		t.Errorf("got %+v", r.Meta())
	}
	for name, want := range map[string]string{
		"id": `"2819c223-7f76-453a-919d-413861904646"`, "meta.version": `"W/\"3694e05e9dff590\""`, "meta.created": `"2024-02-29T12:00:00.123456Z"`,
		"meta":    `{"resourceType":"User","created":"2024-02-29T12:00:00.123456Z","lastModified":"2024-03-01T08:30:00Z","version":"W/\"3694e05e9dff590\""}`,
		"schemas": `["` + schema.UserURN + `","` + schema.EnterpriseUserURN + `"]`,
	} {
		if got := string(r.Lookup(name).JSON()); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if at, ok := r.Time("meta.created"); !ok || !at.Equal(aMeta.Created) {
		t.Errorf("meta.created is %v", at)
	}
	if got := r.Strings("schemas"); len(got) != 2 {
		t.Errorf("schemas are %q", got)
	}
}
