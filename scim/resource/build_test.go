package resource_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestBuilderTakesGoValues(t *testing.T) {
	t.Parallel()
	type word string
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"text", "a\"b", `{"text":"a\"b"}`},
		{"text", word("w"), `{"text":"w"}`},
		{"text", nil, `{}`},
		{"TEXT", "", `{"text":""}`},
		{"flag", true, `{"flag":true}`},
		{"integer", 5, `{"integer":5}`},
		{"integer", uint8(5), `{"integer":5}`},
		{"integer", int64(math.MinInt64), `{"integer":-9223372036854775808}`},
		{"decimal", 2.5, `{"decimal":2.5}`},
		{"decimal", float32(0.5), `{"decimal":0.5}`},
		{"decimal", 3, `{"decimal":3}`},
		{"time", time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("", 3600)), `{"time":"2024-02-29T11:00:00Z"}`},
		{"time", "2024-02-29T12:00:00+01:00", `{"time":"2024-02-29T12:00:00+01:00"}`},
		{"binary", []byte("hello"), `{"binary":"aGVsbG8="}`},
		{"tags", []string{"a", "b", "A"}, `{"tags":["a","b"]}`},
		{"tags", []any{"a", nil}, `{"tags":["a"]}`},
		{"tags", []string{}, `{}`},
		{"numbers", []any{1, int8(2)}, `{"numbers":[1,2]}`},
		{"badge", map[string]any{"Number": "1", "color": nil, "issued": time.Unix(0, 0)}, `{"badge":{"number":"1","issued":"1970-01-01T00:00:00Z"}}`},
		{"ports", []map[string]any{{"value": "1", "primary": true}, {}, {"labels": []string{"x"}}}, `{"ports":[{"primary":true,"value":"1"},{"labels":["x"]}]}`},
		{"ports", []any{map[string]any{"value": "1"}}, `{"ports":[{"value":"1"}]}`},
		{"text", resource.Text(deviceType.MustResolve("text"), "v"), `{"text":"v"}`},
		{"text", resource.Value{}, `{}`},
		{"tags", []resource.Value{resource.Text(deviceType.MustResolve("tags"), "v"), {}}, `{"tags":["v"]}`},
		{"serial", "read-only", `{"serial":"read-only"}`},
		{"externalId", "e", `{"externalId":"e"}`},
		{extraURN, map[string]any{"site": "s"}, `{"` + extraURN + `":{"site":"s"}}`},
		{extraURN + ":rack.unit", 4, `{"` + extraURN + `":{"rack":{"unit":4}}}`},
	} {
		r, err := resource.New(deviceType).Set(c.name, c.v).Build()
		if err != nil {
			t.Errorf("Set(%s, %v): %v", c.name, c.v, err)
		} else if d := cmp.Diff(c.want, string(r.Document())); d != "" {
			t.Errorf("Set(%s, %v): (-want +got)\n%s", c.name, c.v, d)
		}
	}
}

func TestBuilderRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"nosuch", 1, `nosuch: schema urn:example:schemas:2.0:Device has no attribute "nosuch"`},
		{"id", "1", `id: is not set by name; id, version and times are given to Meta`},
		{"meta.version", "1", `meta.version: is not set by name; id, version and times are given to Meta`},
		{"owners", []any{}, `owners: is a relation, which is no part of a resource`},
		{"ports.value", "1", `ports.value: lies in a multi-valued attribute, which is set as a whole`},
		{"text", 1, `text: must be a string, not a number`},
		{"text", "a\x00", `text: must not hold the character U+0000`},
		{"text", "a\xff", `text: must be valid UTF-8`},
		{"text", struct{}{}, `text: was given a Go value of type struct {}, which has no SCIM form`},
		{"integer", 2.5, `integer: must be an integer, without fraction and exponent`},
		{"integer", uint64(math.MaxUint64), `integer: must be an integer of 64 bits`},
		{"decimal", math.NaN(), `decimal: must be a finite number`},
		{"decimal", math.Inf(1), `decimal: must be a finite number`},
		{"tags", "a", `tags: must be an array, not a string`},
		{"ports", []map[string]any{{"value": "1"}, {"value": 2}}, `ports[1].value: must be a string, not a number`},
		{"ports", []map[string]any{{"value": "1"}, {"valu": 2}}, `ports[1].valu: the resource type has no such attribute`},
		{"ports", []map[string]any{{"value": "1", "primary": true}, {"value": "2", "primary": true}}, `ports[1].primary: only one element can be primary`},
		{"badge", map[string]any{"color": "red"}, `badge.number: is required`},
		{"badge", map[string]any{"color": 1i}, `badge: was given a Go value of type complex128, which has no SCIM form`},
		{"text", resource.Text(deviceType.MustResolve("exact"), "v"), `text: was given a value of another attribute`},
	} {
		_, err := resource.New(deviceType).Set(c.name, c.v).Build()
		if fmt.Sprint(err) != c.want {
			t.Errorf("Set(%s, %v)\ngot  %v\nwant %s", c.name, c.v, err, c.want)
		}
	}
}

func TestAResourceRemembersWhatCouldNotBeSet(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User())
	good := resource.New(user).Set("userName", "ada").Resource()
	if good.Err() != nil {
		t.Errorf("nothing is wrong: %v", good.Err())
	}
	bad := resource.New(user).Set("userNmae", "ada").Set("active", "yes").Set("title", "Dr").Resource()
	for name, r := range map[string]*resource.Resource{
		"itself": bad, "with other metadata": bad.WithMeta(resource.Meta{ID: "1"}), "edited": bad.Edit().Set("title", nil).Resource(),
	} {
		var wrong *resource.DecodeError
		if !errors.As(r.Err(), &wrong) || len(wrong.Problems) != 2 || wrong.Problems[0].Path != "userNmae" || wrong.Problems[1].Path != "active" {
			t.Errorf("%s: %v", name, r.Err())
		}
		if _, err := r.Edit().Build(); err == nil {
			t.Errorf("%s: Build finds nothing wrong", name)
		}
	}
	if bad.String("title") != "Dr" {
		t.Error("what could be set is not there")
	}
	if again := good.Edit().Set("userNmae", "x").Resource(); again.Err() == nil || good.Err() != nil {
		t.Errorf("edited: %v, the first: %v", again.Err(), good.Err())
	}
}

func TestBuildChecksTheWholeResource(t *testing.T) {
	t.Parallel()
	path := strictType.MustResolve
	parts, value := path("parts"), path("parts.value")
	ports, primary := deviceType.MustResolve("ports"), deviceType.MustResolve("ports.primary")
	yes := resource.Object(ports, resource.Boolean(primary, true))
	time := deviceType.MustResolve("time")
	for _, c := range []struct {
		b    *resource.Builder
		want string
	}{
		{resource.New(strictType), "name: is required; urn:example:Need: is required"},
		{resource.New(strictType).Set("name", "").Set("urn:example:Need:note", "x"), "name: must not be empty; urn:example:Need:cost: is required"},
		{resource.New(strictType).Set("name", 1).Set("urn:example:Need:cost", 1), "name: must be a string, not a number"},
		{set(resource.New(strictType).Set("name", "n").Set("urn:example:Need:cost", 1), parts,
			resource.Array(parts, resource.Object(parts, resource.Text(value, "1")), resource.Object(parts, resource.Text(path("parts.type"), "t")), resource.Object(parts, resource.Text(value, "")))),
			"parts[1].value: is required; parts[2].value: must not be empty"},
		{set(resource.New(deviceType), ports, resource.Array(ports, yes, yes)), "ports[1].primary: only one element can be primary"},
		{set(resource.New(deviceType), time, resource.Text(time, "today")), `time: must be a date and time such as "2024-02-29T12:00:00Z"`},
		{set(resource.New(deviceType), deviceType.MustResolve("text"), resource.Text(time, "a\x00")), `text: must not hold the character U+0000`},
	} {
		if _, err := c.b.Build(); fmt.Sprint(err) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		if c.b.Resource() == nil {
			t.Error("Resource checks")
		}
	}
}

func set(b *resource.Builder, p schema.Path, v resource.Value) *resource.Builder {
	b.SetValue(p, v)
	return b
}

func TestEdit(t *testing.T) {
	t.Parallel()
	before := document(t, deviceType, `{"text":"a","badge":{"number":"1","color":"red"},"tags":["x"],"`+extraURN+`":{"site":"s","rack":{"unit":1}}}`).WithMeta(aMeta)
	for _, c := range []struct {
		name string
		edit func(b *resource.Builder)
		want string
	}{
		{"nothing", func(b *resource.Builder) {}, string(before.Document())},
		{"replace in place", func(b *resource.Builder) { b.Set("text", "longer than before").Set("tags", nil) },
			`{"text":"longer than before","badge":{"number":"1","color":"red"},"` + extraURN + `":{"site":"s","rack":{"unit":1}}}`},
		{"add", func(b *resource.Builder) { b.Set("tags", nil).Set("flag", true).Set(extraURN, nil).Set("badge", nil) }, `{"text":"a","flag":true}`},
		{"part", func(b *resource.Builder) {
			b.Set("badge.color", "blue").Set(extraURN+":rack.row", "r").Set(extraURN+":site", nil).Set("tags", nil)
		}, `{"text":"a","badge":{"number":"1","color":"blue"},"` + extraURN + `":{"rack":{"unit":1,"row":"r"}}}`},
		{"last part", func(b *resource.Builder) {
			b.Set("badge.color", nil).Set("badge.number", nil).Set(extraURN+":rack.unit", nil).Set(extraURN+":site", nil)
		}, `{"text":"a","tags":["x"]}`},
		{"twice", func(b *resource.Builder) {
			b.Set("text", nil).Set("tags", nil).Set("text", "b").Set("badge", nil).Set(extraURN, nil)
		}, `{"text":"b"}`},
		{"part of what was removed", func(b *resource.Builder) {
			b.Set("badge", nil).Set("badge.number", "2").Set("tags", nil).Set(extraURN, nil)
		}, `{"text":"a","badge":{"number":"2"}}`},
	} {
		b := before.Edit()
		c.edit(b)
		r, err := b.Build()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := cmp.Diff(c.want, string(r.Document())); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, d)
		}
		if r.Meta() != aMeta {
			t.Errorf("%s: metadata is %+v", c.name, r.Meta())
		}
	}
	b := before.Edit().Set("text", "new").Set("badge", nil)
	for name, want := range map[string]string{"text": "new", "badge.color": "", extraURN + ":rack.unit": "1", "badge": ""} {
		if got := b.Value(deviceType.MustResolve(name)).Text(); got != want {
			t.Errorf("Value(%s) = %q, want %q", name, got, want)
		}
	}
	if before.String("text") != "a" {
		t.Error("the original changed")
	}
	if got := before.Edit().Meta(resource.Meta{ID: "2"}).Resource(); got.ID() != "2" {
		t.Errorf("id is %q", got.ID())
	}
}
