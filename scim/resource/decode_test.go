package resource_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

func TestDecodeKeepsWhatTheSchemaAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"empty object", `{}`, `{}`},
		{"white space", " {\n\t\"text\" :\r \"a\" } \n", `{"text":"a"}`},
		{"names ignore case", `{"TEXT":"a","bAdGe":{"NUMBER":"1"}}`, `{"text":"a","badge":{"number":"1"}}`},
		{"escaped name", `{"te\u0078t":"a"}`, `{"text":"a"}`},
		{"order of members", `{"flag":true,"text":"a"}`, `{"flag":true,"text":"a"}`},
		{"empty string", `{"text":""}`, `{"text":""}`},
		{"unicode", `{"text":"张 😀 ß"}`, `{"text":"张 😀 ß"}`},
		{"html is not escaped", `{"text":"<a&b>"}`, `{"text":"<a&b>"}`},
		{"line separators stay", "{\"text\":\"\u2028\u2029\"}", "{\"text\":\"\u2028\u2029\"}"},
		{"escapes become one spelling", `{"text":"\u0041\/\u00e9\uD83D\uDE00"}`, `{"text":"A/é😀"}`},
		{"needed escapes stay", `{"text":"\"\\\b\f\n\r\t\u001F"}`, `{"text":"\"\\\b\f\n\r\t\u001f"}`},
		{"boolean", `{"flag":false}`, `{"flag":false}`},
		{"decimal as written", `{"decimal":-12.50E+3}`, `{"decimal":-12.50E+3}`},
		{"decimal without fraction", `{"decimal":7}`, `{"decimal":7}`},
		{"tiny decimal", `{"decimal":1e-400}`, `{"decimal":1e-400}`},
		{"integer", `{"integer":-42}`, `{"integer":-42}`},
		{"largest integer", `{"integer":9223372036854775807}`, `{"integer":9223372036854775807}`},
		{"smallest integer", `{"integer":-9223372036854775808}`, `{"integer":-9223372036854775808}`},
		{"dateTime", `{"time":"2024-02-29T12:00:00Z"}`, `{"time":"2024-02-29T12:00:00Z"}`},
		{"dateTime with offset", `{"time":"2024-02-29T12:00:00+01:00"}`, `{"time":"2024-02-29T12:00:00+01:00"}`},
		{"dateTime with far offset", `{"time":"2024-02-29T12:00:00-14:00"}`, `{"time":"2024-02-29T12:00:00-14:00"}`},
		{"dateTime without offset", `{"time":"2024-02-29T12:00:00"}`, `{"time":"2024-02-29T12:00:00"}`},
		{"dateTime with fraction", `{"time":"2024-02-29T12:00:00.123456789012Z"}`, `{"time":"2024-02-29T12:00:00.123456789012Z"}`},
		{"dateTime at the end of a day", `{"time":"2024-02-29T24:00:00"}`, `{"time":"2024-02-29T24:00:00"}`},
		{"binary", `{"binary":"aGVsbG8="}`, `{"binary":"aGVsbG8="}`},
		{"binary without padding", `{"binary":"aGVsbG8"}`, `{"binary":"aGVsbG8"}`},
		{"binary with slash escaped", `{"binary":"a\/8="}`, `{"binary":"a/8="}`},
		{"absolute reference", `{"ref":"https://a.example/x?y#z"}`, `{"ref":"https://a.example/x?y#z"}`},
		{"relative reference", `{"ref":"../Users/1"}`, `{"ref":"../Users/1"}`},
		{"null", `{"text":null,"ports":null,"badge":null,"flag":null}`, `{}`},
		{"empty array", `{"tags":[],"ports":[ ]}`, `{}`},
		{"empty object of a complex attribute", `{"badge":{},"text":"a"}`, `{"text":"a"}`},
		{"empty object and array of any attribute", `{"text":[],"flag":{ },"tags":[ ]}`, `{}`},
		{"object that becomes empty", `{"badge":{"issued":"x","foo":1,"color":null},"text":"a"}`, `{"text":"a"}`},
		{"array that becomes empty", `{"ports":[null,{},{"value":null}],"tags":[null]}`, `{}`},
		{"unassigned elements", `{"tags":[null,"a",null],"ports":[{},{"value":"1"}]}`, `{"tags":["a"],"ports":[{"value":"1"}]}`},
		{"array inside an element", `{"ports":[{"labels":["a","b",null]},{"labels":[],"value":"1"}]}`, `{"ports":[{"labels":["a","b"]},{"value":"1"}]}`},
		{"read-only attributes", `{"id":"x","meta":{"version":1},"serial":["x"],"badge":{"issued":1,"number":"1"}}`, `{"badge":{"number":"1"}}`},
		{"externalId", `{"externalid":"x"}`, `{"externalId":"x"}`},
		{"write-only attributes are kept", `{"pin":"1234"}`, `{"pin":"1234"}`},
		{"unknown attributes", `{"foo":{"bar":[1,{"x":null}]},"text":"a","Bar":1}`, `{"text":"a"}`},
		{"relations are not in the document", `{"owners":[{"value":"1"}],"text":"a"}`, `{"text":"a"}`},
		{"extension", `{"` + strings.ToUpper(extraURN) + `":{"SITE":"a","rack":{"unit":4},"links":[{"value":"x","primary":true}]}}`,
			`{"` + extraURN + `":{"site":"a","rack":{"unit":4},"links":[{"value":"x","primary":true}]}}`},
		{"extension without content", `{"` + extraURN + `":{"site":null,"rack":{"row":null}}}`, `{}`},
		{"extension attribute at the top is unknown", `{"site":"a"}`, `{}`},
		{"one primary", `{"ports":[{"value":"1","primary":true},{"value":"2","primary":false}]}`, `{"ports":[{"value":"1","primary":true},{"value":"2","primary":false}]}`},
		{"repeated element", `{"ports":[{"value":"1","type":"a"},{"TYPE":"A","value":"1","primary":false}]}`, `{"ports":[{"value":"1","type":"a"}]}`},
		{"repeated primary element", `{"ports":[{"value":"1","primary":true},{"value":"1","primary":true}]}`, `{"ports":[{"value":"1","primary":true}]}`},
		{"elements that differ in one part", `{"ports":[{"value":"1","type":"a"},{"value":"1","type":"b"},{"value":"1"}]}`, `{"ports":[{"value":"1","type":"a"},{"value":"1","type":"b"},{"value":"1"}]}`},
		{"repeated text", `{"tags":["a","A","b","a"]}`, `{"tags":["a","b"]}`},
		{"text that differs in case", `{"codes":["a","A","a"]}`, `{"codes":["a","A"]}`},
		{"repeated number", `{"numbers":[1,-0,0,1]}`, `{"numbers":[1,-0]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := document(t, deviceType, c.body)
			if d := cmp.Diff(c.want, string(got.Document())); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestDecodeRefusals(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000)
	type problem struct {
		path   string
		offset int
		syntax bool
		detail string // a part of it
	}
	for _, c := range []struct {
		name, body string
		want       []problem
	}{
		{"empty body", ``, []problem{{"", 0, true, "empty"}}},
		{"white space only", " \n", []problem{{"", 2, true, "empty"}}},
		{"array", `[]`, []problem{{"", 0, true, "object"}}},
		{"null", `null`, []problem{{"", 0, true, "object"}}},
		{"byte order mark", "\xef\xbb\xbf{}", []problem{{"", 0, true, "object"}}},
		{"two values", `{} {}`, []problem{{"", 3, true, "more text"}}},
		{"zero byte behind", "{}\x00", []problem{{"", 2, true, "more text"}}},
		{"cut off", `{"text":"a"`, []problem{{"", 11, true, "ends"}}},
		{"cut off string", `{"text":"a`, []problem{{"", 10, true, "inside a string"}}},
		{"cut off escape", `{"text":"a\`, []problem{{"", 10, true, "escape"}}},
		{"comma at the end", `{"text":"a",}`, []problem{{"", 12, true, "comma"}}},
		{"comma at the end of an array", `{"tags":["a",]}`, []problem{{"", 13, true, "comma"}}},
		{"comma at the start", `{,"text":"a"}`, []problem{{"", 1, true, "name"}}},
		{"missing comma", `{"text":"a" "flag":true}`, []problem{{"", 12, true, "comma"}}},
		{"missing colon", `{"text" "a"}`, []problem{{"", 8, true, "colon"}}},
		{"name without quotes", `{text:"a"}`, []problem{{"", 1, true, "name"}}},
		{"wrong bracket", `{"tags":["a"}}`, []problem{{"", 12, true, "array"}}},
		{"comment", `{/*x*/"text":"a"}`, []problem{{"", 1, true, "name"}}},
		{"single quotes", `{'text':"a"}`, []problem{{"", 1, true, "name"}}},
		{"literal in capitals", `{"flag":TRUE}`, []problem{{"", 8, true, "value"}}},
		{"literal cut off", `{"flag":tru}`, []problem{{"", 8, true, "value"}}},
		{"literal run on", `{"flag":truefalse}`, []problem{{"", 12, true, "comma"}}},
		{"NaN", `{"decimal":NaN}`, []problem{{"", 11, true, "value"}}},
		{"number with leading zero", `{"decimal":012}`, []problem{{"", 11, true, "number"}}},
		{"number with plus", `{"decimal":+1}`, []problem{{"", 11, true, "value"}}},
		{"number with bare point", `{"decimal":1.}`, []problem{{"", 11, true, "number"}}},
		{"number with bare exponent", `{"decimal":1e}`, []problem{{"", 11, true, "number"}}},
		{"minus alone", `{"decimal":-}`, []problem{{"", 11, true, "number"}}},
		{"invalid UTF-8", "{\"text\":\"a\xff\"}", []problem{{"", 10, true, "UTF-8"}}},
		{"overlong UTF-8", "{\"text\":\"\xc0\xaf\"}", []problem{{"", 9, true, "UTF-8"}}},
		{"UTF-8 of a surrogate", "{\"text\":\"\xed\xa0\x80\"}", []problem{{"", 9, true, "UTF-8"}}},
		{"invalid UTF-8 in what is skipped", "{\"foo\":\"\xff\"}", []problem{{"", 8, true, "UTF-8"}}},
		{"invalid UTF-8 in a name", "{\"\xff\":1}", []problem{{"", 2, true, "UTF-8"}}},
		{"lone surrogate", `{"text":"\ud800"}`, []problem{{"", 9, true, "escape"}}},
		{"low surrogate first", `{"text":"\udc00\ud800"}`, []problem{{"", 9, true, "escape"}}},
		{"unknown escape", `{"text":"\x41"}`, []problem{{"", 9, true, "escape"}}},
		{"short escape", `{"text":"\u12"}`, []problem{{"", 9, true, "escape"}}},
		{"bare control character", "{\"text\":\"a\nb\"}", []problem{{"", 10, true, "control"}}},
		{"U+0000", `{"text":"a\u0000"}`, []problem{{"text", 8, false, "U+0000"}}},
		{"too deep", `{"foo":` + deep, []problem{{"", 38, true, "deep"}}},
		{"too deep in a known attribute", `{"ports":` + deep, []problem{{"", 40, true, "deep"}}},
		{"too deep at the top", deep, []problem{{"", 0, true, "object"}}},

		{"name twice", `{"text":"a","text":"b"}`, []problem{{"text", 12, true, "twice"}}},
		{"name twice but for case", `{"active":1,"flag":true,"FLAG":false}`, []problem{{"FLAG", 24, true, "twice"}}},
		{"name twice by an escape", `{"text":"a","t\u0065xt":"b"}`, []problem{{"text", 12, true, "twice"}}},
		{"unknown name twice but for case", `{"foo":1,"FOO":2}`, []problem{{"FOO", 9, true, "twice"}}},
		{"unknown name twice beyond ASCII", `{"straße":1,"STRAßE":2}`, []problem{{"STRAßE", 13, true, "twice"}}},
		{"name twice in an element", `{"ports":[{},{"value":"1","Value":"2"}]}`, []problem{{"ports[1].Value", 26, true, "twice"}}},
		{"name twice in an extension", `{"` + extraURN + `":{"foo":1,"Foo":2}}`, []problem{{extraURN + ":Foo", 52, true, "twice"}}},
		{"read-only name twice", `{"id":1,"ID":1}`, []problem{{"ID", 8, true, "twice"}}},

		{"text from number", `{"text":1}`, []problem{{"text", 8, false, "must be a string, not a number"}}},
		{"text from boolean", `{"text":true}`, []problem{{"text", 8, false, "not a boolean"}}},
		{"text from object", `{"text":{"value":"a"}}`, []problem{{"text", 8, false, "not an object"}}},
		{"text from array", `{"text":["a"]}`, []problem{{"text", 8, false, "not an array"}}},
		{"boolean from text", `{"flag":"true"}`, []problem{{"flag", 8, false, "true or false"}}},
		{"boolean from empty text", `{"flag":""}`, []problem{{"flag", 8, false, "true or false"}}},
		{"boolean from number", `{"flag":3}`, []problem{{"flag", 8, false, "true or false"}}},
		{"decimal from text", `{"decimal":"2.5"}`, []problem{{"decimal", 11, false, "a number"}}},
		{"decimal beyond float64", `{"decimal":1e400}`, []problem{{"decimal", 11, false, "range"}}},
		{"integer with fraction", `{"integer":1.0}`, []problem{{"integer", 11, false, "fraction"}}},
		{"integer with exponent", `{"integer":1e3}`, []problem{{"integer", 11, false, "exponent"}}},
		{"integer beyond 64 bits", `{"integer":9223372036854775808}`, []problem{{"integer", 11, false, "64 bits"}}},
		{"date without time", `{"time":"2024-02-29"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime of no day", `{"time":"2023-02-29T12:00:00Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime of no month", `{"time":"2023-13-01T12:00:00Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime of no hour", `{"time":"2023-01-01T24:00:01Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime of no second", `{"time":"2023-01-01T23:59:60Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with a space", `{"time":"2024-02-29 12:00:00Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with small letters", `{"time":"2024-02-29t12:00:00z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with bare point", `{"time":"2024-02-29T12:00:00.Z"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with odd offset", `{"time":"2024-02-29T12:00:00+0100"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with too far an offset", `{"time":"2024-02-29T12:00:00+14:01"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime with no minute in its offset", `{"time":"2024-02-29T12:00:00+01:60"}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime from empty text", `{"time":""}`, []problem{{"time", 8, false, "date and time"}}},
		{"dateTime from number", `{"time":1709208000}`, []problem{{"time", 8, false, "not a number"}}},
		{"binary with other characters", `{"binary":"@@"}`, []problem{{"binary", 10, false, "base64"}}},
		{"binary for URLs", `{"binary":"a-_8"}`, []problem{{"binary", 10, false, "base64"}}},
		{"binary of no length", `{"binary":"aGVsb"}`, []problem{{"binary", 10, false, "base64"}}},
		{"binary with wrong padding", `{"binary":"aGVsbG8=="}`, []problem{{"binary", 10, false, "base64"}}},
		{"binary with padding inside", `{"binary":"aG=sbG8="}`, []problem{{"binary", 10, false, "base64"}}},
		{"binary with line break", `{"binary":"aGVs\nbG8="}`, []problem{{"binary", 10, false, "base64"}}},
		{"reference with space", `{"ref":"a b"}`, []problem{{"ref", 7, false, "URI"}}},
		{"reference with control character", `{"ref":"a\tb"}`, []problem{{"ref", 7, false, "URI"}}},
		{"complex from text", `{"badge":"x"}`, []problem{{"badge", 9, false, "must be an object"}}},
		{"complex from array", `{"badge":[{"number":"1"}]}`, []problem{{"badge", 9, false, "must be an object"}}},
		{"array from object", `{"ports":{"value":"1"}}`, []problem{{"ports", 9, false, "must be an array"}}},
		{"array from empty object", `{"tags":{}}`, []problem{{"tags", 8, false, "must be an array"}}},
		{"array from text", `{"tags":"a"}`, []problem{{"tags", 8, false, "must be an array"}}},
		{"element from text", `{"ports":[{"value":"1"},"x"]}`, []problem{{"ports[1]", 24, false, "must be an object"}}},
		{"element from array", `{"tags":["a",["b"]]}`, []problem{{"tags[1]", 13, false, "must be a string"}}},
		{"part of an element", `{"ports":[{},{},{"value":1}]}`, []problem{{"ports[2].value", 25, false, "must be a string"}}},
		{"element inside an element", `{"ports":[{"labels":["a"]},{"labels":["a",5]}]}`, []problem{{"ports[1].labels[1]", 42, false, "must be a string"}}},
		{"part in an extension", `{"` + extraURN + `":{"rack":{"unit":"x"},"links":[{"value":1}]}}`,
			[]problem{{extraURN + ":rack.unit", 59, false, "integer"}, {extraURN + ":links[0].value", 82, false, "a string"}}},
		{"two primaries", `{"ports":[{"value":"1","primary":true},{"value":"2"},{"primary":true,"value":"3"}]}`, []problem{{"ports[2].primary", 64, false, "only one"}}},
		{"all problems of a body", `{"text":1,"flag":"x","badge":{"color":"red"},"integer":2.5}`, []problem{
			{"text", 8, false, "string"}, {"flag", 17, false, "true"}, {"badge.number", -1, false, "required"}, {"integer", 55, false, "fraction"}}},
		{"problems before a syntax error", `{"text":1,"flag":x`, []problem{{"text", 8, false, "string"}, {"", 17, true, "value"}}},
		{"problem at a missing part", `{"badge":{"number":1}}`, []problem{{"badge.number", 19, false, "string"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := resource.Decode(deviceType, []byte(c.body), resource.DecodeOptions{Repair: anySchemas{}})
			var e *resource.DecodeError
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want a *DecodeError", err)
			}
			if len(e.Problems) != len(c.want) {
				t.Fatalf("got %d problems, want %d: %v", len(e.Problems), len(c.want), err)
			}
			syntax := false
			for i, want := range c.want {
				got := e.Problems[i]
				syntax = syntax || want.syntax
				if got.Path != want.path || got.Offset != want.offset || got.Syntax != want.syntax || !strings.Contains(got.Detail, want.detail) {
					t.Errorf("problem %d: got %+v, want %+v", i, got, want)
				}
			}
			if e.IsSyntax() != syntax {
				t.Errorf("IsSyntax() = %v", e.IsSyntax())
			}
		})
	}
}

// anySchemas accepts whatever "schemas" lists and repairs nothing else.
type anySchemas struct{}

func (anySchemas) Name(schema.Path, string) (schema.Path, bool)   { return schema.Path{}, false }
func (anySchemas) Value(schema.Path, []byte, bool) ([]byte, bool) { return nil, false }
func (anySchemas) Schemas(*schema.Type, []string) bool            { return true }

func TestDecodeListsAtMostTwentyProblems(t *testing.T) {
	t.Parallel()
	_, err := resource.Decode(deviceType, []byte(`{"tags":[`+strings.Repeat("1,", 5000)+`1]}`), partial)
	var e *resource.DecodeError
	if !errors.As(err, &e) || len(e.Problems) != 20 {
		t.Fatalf("got %v", err)
	}
}

func TestDecodeErrorTellsWhereButNotTheValue(t *testing.T) {
	t.Parallel()
	_, err := resource.Decode(deviceType, []byte(`{"flag":"hunter2","ports":[{"value":77123}]}`), partial)
	const want = "flag: must be true or false, not a string (at byte 8); ports[0].value: must be a string, not a number (at byte 36)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestDecodeSchemas(t *testing.T) {
	t.Parallel()
	const core, ent = schema.UserURN, schema.EnterpriseUserURN
	for _, c := range []struct {
		name, schemas string
		offset        int
		detail        string // "" when accepted
	}{
		{"core", `["` + core + `"]`, 0, ""},
		{"core and extension", `["` + core + `","` + ent + `"]`, 0, ""},
		{"extension first", `["` + ent + `","` + core + `"]`, 0, ""},
		{"other case", `["` + strings.ToUpper(core) + `"]`, 0, ""},
		{"listed twice", `["` + core + `","` + core + `"]`, 0, ""},
		{"null", `null`, -1, "is required"},
		{"empty", `[]`, 29, "must list"},
		{"extension alone", `["` + ent + `"]`, 29, "must list"},
		{"foreign", `["` + core + `","` + schema.GroupURN + `"]`, 29, "does not have"},
		{"foreign alone", `["` + schema.GroupURN + `"]`, 29, "must list"},
		{"an attribute's name", `["` + core + `","userName"]`, 29, "does not have"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := []byte(`{"userName":"a","schemas":   ` + c.schemas + `}`)
			_, err := resource.Decode(userType, body, resource.DecodeOptions{})
			if c.detail == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *resource.DecodeError
			if !errors.As(err, &e) || len(e.Problems) != 1 {
				t.Fatalf("got %v", err)
			}
			if p := e.Problems[0]; p.Path != "schemas" || p.Offset != c.offset || !p.Syntax || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("got %+v", p)
			}
			if _, err := resource.Decode(userType, body, resource.DecodeOptions{Repair: anySchemas{}}); err != nil {
				t.Errorf("with Repair.Schemas: %v", err)
			}
			if _, err := resource.Decode(userType, body, partial); err != nil {
				t.Errorf("partial: %v", err)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		_, err := resource.Decode(userType, []byte(`{"userName":"a"}`), resource.DecodeOptions{})
		if err == nil || !strings.Contains(err.Error(), "schemas: is required") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of wrong types", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{`"` + core + `"`, `{"a":1}`, `["` + core + `",1]`} {
			_, err := resource.Decode(userType, []byte(`{"userName":"a","schemas":`+s+`}`), resource.DecodeOptions{})
			var e *resource.DecodeError
			if !errors.As(err, &e) || len(e.Problems) != 1 || !strings.HasPrefix(e.Problems[0].Path, "schemas") || e.IsSyntax() {
				t.Errorf("%s: got %v", s, err)
			}
		}
	})
	t.Run("extension that is not listed", func(t *testing.T) {
		t.Parallel()
		d := decode(t, userType, `{"schemas":["`+core+`"],"userName":"a","`+ent+`":{"department":"x"}}`, resource.DecodeOptions{})
		if diff := cmp.Diff([]string{core, ent}, d.Resource.Schemas()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDecodeRequired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"all there", `{"name":"a","urn:example:Need":{"cost":1}}`, ``},
		{"nothing there", `{}`, "name: is required; urn:example:Need: is required"},
		{"null", `{"name":null,"urn:example:Need":{"cost":1}}`, "name: is required"},
		{"empty text", `{"name":"","urn:example:Need":{"cost":1}}`, "name: must not be empty (at byte 8)"},
		{"extension without its required attribute", `{"name":"a","urn:example:Need":{"note":"x"}}`, "urn:example:Need:cost: is required"},
		{"empty extension", `{"name":"a","urn:example:Need":{}}`, "urn:example:Need: is required"},
		{"element without its required part", `{"name":"a","parts":[{"value":"1"},{"type":"x"}],"urn:example:Need":{"cost":1}}`, "parts[1].value: is required"},
		{"element with an empty required part", `{"name":"a","parts":[{"value":""}],"urn:example:Need":{"cost":1}}`, "parts[0].value: must not be empty (at byte 30)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			body := []byte(c.body)
			_, err := resource.Decode(strictType, body, resource.DecodeOptions{Repair: anySchemas{}})
			if got := fmt.Sprint(err); c.want != "" && got != c.want || c.want == "" && err != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			_, err = resource.Decode(strictType, body, partial)
			if strings.Contains(fmt.Sprint(err), "is required") {
				t.Errorf("partial: %v", err)
			}
		})
	}
}

func TestDecodeReportsWhatItLeftOut(t *testing.T) {
	t.Parallel()
	d := decode(t, deviceType, `{"foo":1,"te\u0078tt":1,"badge":{"number":"1","Foo":1},"ports":[{"bar":1}],"text":null,"serial":null,"tags":[],
		"`+extraURN+`":{"site":null,"extra":1},"owners":null,"`+strings.Repeat("x", 500)+`":1}`, partial)
	want := []string{"foo", "textt", "badge.Foo", "ports.bar", extraURN + ":extra", strings.Repeat("x", 100)}
	if diff := cmp.Diff(want, d.Ignored); diff != "" {
		t.Errorf("Ignored (-want +got)\n%s", diff)
	}
	var nulls []string
	for _, p := range d.Nulls {
		nulls = append(nulls, p.String())
	}
	if diff := cmp.Diff([]string{"ports", "text", "tags", extraURN, "owners"}, nulls); diff != "" {
		t.Errorf("Nulls (-want +got)\n%s", diff)
	}

	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `"x%d":1,`, i)
	}
	d = decode(t, deviceType, `{`+b.String()+`"text":"a"}`, partial)
	if len(d.Ignored) != 20 {
		t.Errorf("%d names in Ignored, want the first 20", len(d.Ignored))
	}
}

func TestDecodeRejectsUnknownOnDemand(t *testing.T) {
	t.Parallel()
	o := resource.DecodeOptions{Partial: true, RejectUnknown: true}
	_, err := resource.Decode(deviceType, []byte(`{"foo":1,"badge":{"number":"1","x":{}},"ports":[{},{"y":2}],"serial":1}`), o)
	const want = "foo: the resource type has no such attribute (at byte 1); badge.x: the resource type has no such attribute (at byte 31); " +
		"ports[1].y: the resource type has no such attribute (at byte 52)"
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestDecodeDepthLimit(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte { // n brackets around the number
		return []byte(`{"foo":` + strings.Repeat("[", n-1) + "1" + strings.Repeat("]", n-1) + `}`)
	}
	for _, c := range []struct {
		limit, depth int
		ok           bool
	}{{0, 32, true}, {0, 33, false}, {5, 5, true}, {5, 6, false}, {1 << 30, 1000, true}, {1 << 30, 1001, false}} {
		_, err := resource.Decode(deviceType, nested(c.depth), resource.DecodeOptions{Partial: true, MaxDepth: c.limit})
		if (err == nil) != c.ok {
			t.Errorf("MaxDepth %d, depth %d: %v", c.limit, c.depth, err)
		}
	}
}

func TestDecodeBoundsUnknownNames(t *testing.T) {
	t.Parallel()
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"x%d":0,`, i)
		}
		return b.String()
	}
	for n, ok := range map[int]bool{10_000: true, 10_001: false} {
		_, err := resource.Decode(deviceType, []byte(`{`+names(n)+`"text":"a"}`), partial)
		if (err == nil) != ok {
			t.Errorf("%d unknown names: %v", n, err)
		}
		_, err = resource.Decode(deviceType, []byte(`{"owners":[{`+names(n)+`"value":"1"}]}`), partial)
		if (err == nil) != ok {
			t.Errorf("%d unknown names in a member: %v", n, err)
		}
	}
}

func TestDecodeDoesNotKeepTheBody(t *testing.T) {
	t.Parallel()
	b := []byte(`{"text":"abc","owners":[{"value":"abc"}],"foo":1}`)
	d, err := resource.Decode(deviceType, b, partial)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if s := d.Resource.String("text"); s != "abc" || d.Relations["owners"][0].ID != "abc" || d.Ignored[0] != "foo" {
		t.Error("the result changed with the body")
	}
}

// Repetitions are looked for in two ways, depending on how many elements there
// are.
func TestDecodeDropsRepetitionsInLongArrays(t *testing.T) {
	t.Parallel()
	for _, n := range []int{15, 16, 17, 18, 40} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"value":"V%d","primary":false},{"value":"v%d"},`, i, i)
		}
		r := document(t, deviceType, `{"ports":[`+b.String()+`{"value":"v0"}]}`)
		if got := r.Lookup("ports").Len(); got != n {
			t.Errorf("%d elements kept of %d different ones", got, n)
		}
	}
}

func TestDecodeValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, raw string
		element   bool
		want      string // "" for the zero Value
		err       string
	}{
		{"text", ` "a" `, false, `"a"`, ""},
		{"text", `null`, false, ``, ""},
		{"text", `[]`, false, ``, ""},
		{"text", `{ }`, false, ``, ""},
		{"text", `1`, false, ``, "text: must be a string, not a number (at byte 0)"},
		{"text", ``, false, ``, "the text ends where a value was expected (at byte 0)"},
		{"text", `"a" "b"`, false, ``, "there is more text behind the end of the JSON value (at byte 4)"},
		{"tags", `["a"]`, false, `["a"]`, ""},
		{"tags", `"a"`, true, `"a"`, ""},
		{"tags", `"a"`, false, ``, "tags: must be an array, not a string (at byte 0)"},
		{"ports", `[{"VALUE":"1"},{"value":"1"}]`, false, `[{"value":"1"}]`, ""},
		{"ports", `{"VALUE":"1"}`, true, `{"value":"1"}`, ""},
		{"ports", `[{"value":"1"}]`, true, ``, "ports: must be an object, not an array (at byte 0)"},
		{"ports", `{}`, true, ``, ""},
		{"ports", `[{"value":"1"},{"value":2}]`, false, ``, "ports[1].value: must be a string, not a number (at byte 24)"},
		{"ports.value", `"1"`, false, `"1"`, ""},
		{"badge", `{"color":"red","issued":"x"}`, false, ``, "badge.number: is required"},
		{"serial", `"x"`, false, `"x"`, ""},
		{"id", `"x"`, false, `"x"`, ""},
		{"meta", `{"version":"x"}`, false, `{"version":"x"}`, ""},
		{extraURN, `{"site":"x","Rack":{"unit":1}}`, false, `{"site":"x","rack":{"unit":1}}`, ""},
		{extraURN + ":rack", `{"unit":1}`, false, `{"unit":1}`, ""},
	} {
		p := deviceType.MustResolve(c.path)
		v, err := resource.DecodeValue(p, []byte(c.raw), c.element, resource.DecodeOptions{})
		if got := string(v.JSON()); got != c.want || (err != nil || c.err != "") && fmt.Sprint(err) != c.err {
			t.Errorf("DecodeValue(%s, %s) = %s, %v; want %s, %s", c.path, c.raw, got, err, c.want, c.err)
		}
		if !v.IsZero() && v.Path() != p {
			t.Errorf("DecodeValue(%s, %s) has path %s", c.path, c.raw, v.Path())
		}
	}
	p := deviceType.MustResolve("badge")
	v, err := resource.DecodeValue(p, []byte(`{"color":"red"}`), false, partial)
	if err != nil || v.Get(p.Child(1)).Text() != "red" || v.Get(p.Child(1)).Path().String() != "badge.color" {
		t.Errorf("partial: %s, %v", v.JSON(), err)
	}
}

// Bodies are read where others were read before.
func TestDecodedResourcesKeepNothingOfEachOther(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`{"text":"first","tags":["a","b"]}`,
		`{"text":"other","tags":["c"],"` + extraURN + `":{"site":"s"}}`,
		`{"text":"broken","tags":`,
		`{"text":"` + strings.Repeat("long ", 20_000) + `"}`,
		`{"pin":"1234"}`,
		`{}`,
	}
	var kept []*resource.Resource
	var want []string
	for range 3 {
		for _, body := range bodies {
			d, err := resource.Decode(deviceType, []byte(body), partial)
			if strings.Contains(body, "broken") {
				if err == nil {
					t.Errorf("%s was read", body)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			kept, want = append(kept, d.Resource), append(want, body)
		}
	}
	for i, r := range kept {
		if got := string(r.Document()); got != want[i] {
			t.Errorf("%.80s, want %.80s", got, want[i])
		}
		if got, want := len(r.Schemas()), 1+strings.Count(want[i], extraURN); got != want {
			t.Errorf("%.80s: %d schemas, want %d", r.Document(), got, want)
		}
	}
}
