package mapping_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// device has an attribute of every type.
var device = schema.MustCompile(schema.ResourceType{Name: "Device", Endpoint: "/Devices", Schema: &schema.Schema{
	ID: "urn:example:device", Name: "Device", Attributes: []schema.Attribute{
		{Name: "s"}, {Name: "b", Type: schema.Boolean}, {Name: "i", Type: schema.Integer}, {Name: "f", Type: schema.Decimal},
		{Name: "t", Type: schema.DateTime}, {Name: "x", Type: schema.Binary},
		{Name: "r", Type: schema.Reference, ReferenceTypes: []string{"external"}},
		{Name: "ss", MultiValued: true}, {Name: "is", Type: schema.Integer, MultiValued: true},
		{Name: "ts", Type: schema.DateTime, MultiValued: true},
		{Name: "cs", Type: schema.Complex, MultiValued: true, SubAttributes: []schema.Attribute{
			{Name: "value"}, {Name: "type"}, {Name: "rank", Type: schema.Integer}, {Name: "tags", MultiValued: true},
		}},
	},
}})

func decodeDevice(t testing.TB, body string) *scim.Resource {
	t.Helper()
	d, err := resource.Decode(device, []byte(body), resource.DecodeOptions{Partial: true})
	if err != nil {
		t.Fatalf("the test's own body: %v", err)
	}
	return d.Resource
}

// level reads and writes itself as text.
type level int

func (l level) MarshalText() ([]byte, error) {
	if l > 2 {
		return nil, errors.New("no such level")
	}
	return []byte([]string{"", "low", "high"}[l]), nil
}

func (l *level) UnmarshalText(b []byte) error {
	switch string(b) {
	case "low":
		*l = 1
	case "high":
		*l = 2
	default:
		return errors.New("unknown level: " + string(b))
	}
	return nil
}

type (
	word  string
	words []word
	yes   bool
	port  uint16
	blob  []byte
	part  struct {
		Kind string   `scim:"type"`
		Rank *int8    `scim:"rank"`
		Tags []string `scim:"tags"`
		Host string
	}
)

// carried is a case of TestGoTypesCarryValues.
type carried struct {
	name string
	test func(t *testing.T)
}

// carries says that body is assigned to a V at path as want, and comes back as
// back, or as body when back is "".
func carries[V any](path, body string, want V, back string) carried {
	name := fmt.Sprintf("%T %s", want, body)
	return carried{name, func(t *testing.T) {
		t.Parallel()
		m, err := mapping.Of(device, mapping.Attr(path, func(v *V) *V { return v }))
		if err != nil {
			t.Fatal(err)
		}
		var got V
		if _, err := m.Assign(&got, decodeDevice(t, body)); err != nil {
			t.Fatal(err)
		}
		if g, w := asJSON(t, got), asJSON(t, want); g != w {
			t.Errorf("assigned %s, want %s", g, w)
		}
		if back == "" {
			back = body
		}
		r, err := m.Resource(&want)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Equal(decodeDevice(t, back)) {
			t.Errorf("the resource is %s, want %s", r.Document(), back)
		}
	}}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	if v, ok := v.(resource.Value); ok {
		return string(v.JSON())
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGoTypesCarryValues(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 1, 31, 8, 0, 0, 500, time.UTC)
	ptr := func(s string) *string { return &s }
	rank := int8(-3)
	for _, c := range []carried{
		carries("s", `{"s":"é"}`, "é", ""),
		carries("s", `{}`, "", ""),
		carries("s", `{"s":""}`, "", `{}`),
		carries("s", `{"s":"a"}`, word("a"), ""),
		carries("s", `{"s":"a"}`, ptr("a"), ""),
		carries("s", `{"s":""}`, ptr(""), ""),
		carries("s", `{}`, (*string)(nil), ""),
		carries("s", `{"s":"a"}`, sql.NullString{String: "a", Valid: true}, ""),
		carries("s", `{"s":""}`, sql.NullString{Valid: true}, ""),
		carries("s", `{}`, sql.NullString{}, ""),
		carries("s", `{"s":"a"}`, sql.Null[word]{V: "a", Valid: true}, ""),
		carries("s", `{"s":"high"}`, level(2), ""),
		carries("s", `{}`, level(0), ""),
		carries("s", `{"s":"::1"}`, netip.MustParseAddr("::1"), ""),
		carries("s", `{}`, netip.Addr{}, ""),
		carries("r", `{"r":"https://example.com/a"}`, "https://example.com/a", ""),
		carries("b", `{"b":true}`, true, ""),
		carries("b", `{}`, false, `{"b":false}`),
		carries("b", `{"b":true}`, yes(true), ""),
		carries("b", `{}`, sql.NullBool{}, ""),
		carries("b", `{"b":false}`, sql.NullBool{Valid: true}, ""),
		carries("i", `{"i":-9223372036854775808}`, int64(-1<<63), ""),
		carries("i", `{"i":127}`, int8(127), ""),
		carries("i", `{"i":0}`, int(0), ""),
		carries("i", `{"i":65535}`, port(65535), ""),
		carries("i", `{"i":255}`, uint8(255), ""),
		carries("i", `{"i":7}`, uint64(7), ""),
		carries("i", `{"i":7}`, uint(7), ""),
		carries("i", `{"i":7}`, uint32(7), ""),
		carries("i", `{"i":-7}`, int16(-7), ""),
		carries("i", `{"i":-7}`, int32(-7), ""),
		carries("i", `{}`, sql.NullInt64{}, ""),
		carries("f", `{"f":0.1}`, 0.1, ""),
		carries("f", `{"f":0.5}`, float32(0.5), ""),
		carries("t", `{"t":"2026-01-31T08:00:00.0000005Z"}`, when, ""),
		carries("t", `{"t":"2026-01-31T10:00:00.0000005+02:00"}`, when, `{"t":"2026-01-31T08:00:00.0000005Z"}`),
		carries("t", `{}`, time.Time{}, ""),
		carries("t", `{}`, sql.NullTime{}, ""),
		carries("t", `{"t":"2026-01-31T08:00:00.0000005Z"}`, &when, ""),
		carries("x", `{"x":"AAEC"}`, []byte{0, 1, 2}, ""),
		carries("x", `{"x":"AAE"}`, blob{0, 1}, `{"x":"AAE="}`),
		carries("x", `{}`, []byte(nil), ""),
		carries("ss", `{"ss":["a","b"]}`, []string{"a", "b"}, ""),
		carries("ss", `{}`, []string(nil), ""),
		carries("ss", `{"ss":["a"]}`, words{"a"}, ""),
		carries("is", `{"is":[1,2]}`, []int8{1, 2}, ""),
		carries("ts", `{"ts":["2026-01-31T08:00:00.0000005Z"]}`, []time.Time{when}, ""),
		carries("cs", `{"cs":[{"value":"a"},{"value":"b"}]}`, []string{"a", "b"}, ""),
		carries("cs", `{"cs":[{"value":"low"}]}`, []level{1}, ""),
		carries("cs", `{"cs":[{"type":"k","rank":-3,"tags":["x"]},{"type":"l"}]}`, []part{{Kind: "k", Rank: &rank, Tags: []string{"x"}}, {Kind: "l"}}, ""),
		carries("cs", `{"cs":[{"type":"k"}]}`, []*part{{Kind: "k"}}, ""),
		carries("cs[type eq 'k'].tags", `{"cs":[{"type":"k","tags":["x","y"]}]}`, []string{"x", "y"}, ""),
		carries("cs[type eq 'k'].rank", `{"cs":[{"type":"k","rank":4}]}`, sql.Null[int16]{V: 4, Valid: true}, ""),
		carries("cs", `{"cs":[{"type":"k","rank":4}]}`, decodeDevice(t, `{"cs":[{"type":"k","rank":4}]}`).Lookup("cs"), ""),
		carries("s", `{"s":"a"}`, resource.Text(device.MustResolve("s"), "a"), ""),
	} {
		t.Run(c.name, c.test)
	}
}

func TestValuesThatDoNotFitAreRefusedWithoutTheirText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body, path, says string
		assign                 func(*scim.Resource) error
	}{
		{"int8 over", `{"i":77128}`, "i", "out of range", into[int8]("i")},
		{"int8 under", `{"i":-77129}`, "i", "out of range", into[int8]("i")},
		{"unsigned", `{"i":-77001}`, "i", "out of range", into[uint64]("i")},
		{"float32", `{"f":77e300}`, "f", "too large", into[float32]("f")},
		{"length", `{"s":"77ééé"}`, "s", "longer than 4 characters", into[string]("s", 4)},
		{"length of an element", `{"ss":["a","77xxx"]}`, "ss", "longer than 4 characters", into[[]string]("ss", 4)},
		{"length of a value", `{"cs":[{"value":"77xxx"}]}`, "cs.value", "longer than 4 characters", into[[]string]("cs", 4)},
		{"enum", `{"s":"77"}`, "s", "not accepted", into[level]("s")},
		{"enum in an element", `{"cs":[{"value":"77"}]}`, "cs.value", "not accepted", into[[]level]("cs")},
		{"address", `{"s":"77.1"}`, "s", "not accepted", into[netip.Addr]("s")},
		{"part of a selected element", `{"cs":[{"type":"k","rank":77000}]}`, `cs[type eq "k"].rank`, "out of range", into[*int8]("cs[type eq 'k'].rank")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.assign(decodeDevice(t, c.body))
			var e *scim.Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if e.Status != 400 || e.ScimType != scim.InvalidValue {
				t.Errorf("answered %d %s", e.Status, e.ScimType)
			}
			if !strings.HasPrefix(e.Detail, c.path+" ") || !strings.Contains(e.Detail, c.says) {
				t.Errorf("the client reads %q, want %s and %q", e.Detail, c.path, c.says)
			}
			if strings.Contains(e.Detail, "77") {
				t.Errorf("the client reads the value: %q", e.Detail)
			}
			if !strings.Contains(e.Err.Error(), "host.column") {
				t.Errorf("the log does not name the field: %v", e.Err)
			}
		})
	}
}

// into assigns to a V, and checks that a V that is refused stays as it was.
func into[V any](path string, max ...int) func(*scim.Resource) error {
	return func(r *scim.Resource) error {
		type host struct {
			v V
		}
		f := mapping.Attr(path, func(h *host) *V { return &h.v }).Name("host.column")
		if len(max) > 0 {
			f.Max(max[0])
		}
		m, err := mapping.Of(device, f)
		if err != nil {
			return err
		}
		var h host
		if _, err = m.Assign(&h, r); err == nil {
			return nil
		}
		if b, _ := json.Marshal(h.v); !bytes.Equal(b, mustJSON(*new(V))) {
			return errors.New("the field was changed all the same")
		}
		return err
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func TestHostDataThatHasNoFormIsAnError(t *testing.T) {
	t.Parallel()
	shows := func(name string, f func() error) {
		if err := f(); err == nil {
			t.Errorf("%s: there is no error", name)
		}
	}
	shows("NaN", func() error { return show("f", nan()) })
	shows("a number over 63 bits", func() error { return show("i", uint64(1<<63)) })
	shows("a marshaler's error", func() error { return show("s", level(9)) })
	shows("a marshaler's error in an element", func() error { return show("cs", []level{9}) })
	shows("a value of another attribute", func() error { return show("s", resource.Text(device.MustResolve("r"), "x")) })
	shows("an element for the whole", func() error { return show("ss", resource.Text(device.MustResolve("ss"), "x")) })
	shows("a reference with a space", func() error { return show("r", "a b") })
}

func show[V any](path string, v V) error {
	m, err := mapping.Of(device, mapping.Attr(path, func(v *V) *V { return v }))
	if err != nil {
		return err
	}
	_, err = m.Resource(&v)
	return err
}

func nan() float64 {
	f, _ := strconv.ParseFloat("NaN", 64)
	return f
}
