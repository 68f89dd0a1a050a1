package transcript

import (
	"encoding/json"
	"testing"

	"github.com/musterhq/muster/internal/jsonvalue"
)

func TestPathFinds(t *testing.T) {
	t.Parallel()
	const body = `{
		"a": {"b": [{"c": 1}, {"c": 2}, {"d": 3}]},
		"emails": [{"type": "home", "value": "h"}, {"type": "work", "value": "w"}, {"type": "work", "value": "x"}],
		"flags": [{"primary": true, "value": "p"}],
		"urn:x:2.0:User": {"y.z": "quoted"},
		"none": null
	}`
	for _, c := range []struct{ path, want string }{ // want "" is nothing
		{`a.b[0].c`, `1`},
		{`a.b[2].c`, ``},
		{`a.b[3]`, ``},
		{`a.b[*].c`, `[1,2]`},
		{`a.b[*].missing`, `[]`},
		{`a[*]`, ``},
		{`emails[type=work].value`, `"w"`},
		{`emails[type=fax].value`, ``},
		{`flags[primary=true].value`, `"p"`},
		{`"urn:x:2.0:User"."y.z"`, `"quoted"`},
		{`none`, `null`},
		{`A`, ``},
		{`emails.value`, ``},
	} {
		v, err := jsonvalue.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got, present, err := at(v, c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
		} else if text := jsonvalue.Text(got); present != (c.want != "") || present && text != c.want {
			t.Errorf("%s = %s, %v; want %s", c.path, text, present, c.want)
		}
	}
}

func TestMalformedPathIsRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{``, `.`, `.a`, `a.`, `a..b`, `[0]`, `a[`, `a[-1]`, `a[x]`, `a[=x]`, `a[0]b`, `"a`, `"a"b`, `""`} {
		if s, err := parsePath(path); err == nil {
			t.Errorf("%q parsed as %v", path, s)
		}
	}
}

func TestMatchers(t *testing.T) {
	t.Parallel()
	const nothing = "nothing"
	for _, c := range []struct {
		want, got string
		match     bool
	}{
		{`"a"`, `"a"`, true},
		{`"a"`, `"A"`, false},
		{`"a"`, nothing, false},
		{`null`, nothing, false},
		{`null`, `null`, true},
		{`1`, `1.0`, true},
		{`1`, `"1"`, false},
		{`12345678901234567890`, `12345678901234567891`, false},
		{`1e400`, `1e400`, true},
		{`{"a":[1,{"b":null}]}`, `{"a":[1.0,{"b":null}]}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`{"$ref":"x"}`, `{"$ref":"x"}`, true},
		{`{"$exists":true}`, `""`, true},
		{`{"$exists":true}`, `null`, false},
		{`{"$exists":true}`, nothing, false},
		{`{"$exists":false}`, nothing, true},
		{`{"$absent":true}`, nothing, true},
		{`{"$absent":true}`, `null`, true},
		{`{"$absent":true}`, `""`, false},
		{`{"$absent":false}`, `1`, true},
		{`{"$empty":true}`, nothing, true},
		{`{"$empty":true}`, `[]`, true},
		{`{"$empty":true}`, `{}`, true},
		{`{"$empty":true}`, `""`, true},
		{`{"$empty":true}`, `0`, false},
		{`{"$empty":true}`, `[0]`, false},
		{`{"$empty":false}`, `"x"`, true},
		{`{"$type":"integer"}`, `1`, true},
		{`{"$type":"integer"}`, `1.0`, false},
		{`{"$type":"integer"}`, `"1"`, false},
		{`{"$type":"number"}`, `1.5`, true},
		{`{"$type":"boolean"}`, `false`, true},
		{`{"$type":"array"}`, `[]`, true},
		{`{"$type":"object"}`, `[]`, false},
		{`{"$type":"string"}`, `"s"`, true},
		{`{"$type":"null"}`, `null`, true},
		{`{"$type":"null"}`, nothing, false},
		{`{"$len":2}`, `[1,2]`, true},
		{`{"$len":2}`, `"é!"`, true},
		{`{"$len":0}`, nothing, false},
		{`{"$len":0}`, `[]`, true},
		{`{"$len":1}`, `5`, false},
		{`{"$min":2}`, `2`, true},
		{`{"$min":2}`, `1.99`, false},
		{`{"$min":2}`, `"3"`, false},
		{`{"$contains":"b"}`, `["a","b"]`, true},
		{`{"$contains":"b"}`, `["a","bc"]`, false},
		{`{"$contains":"b"}`, `"abc"`, true},
		{`{"$contains":{"x":1}}`, `[{"x":1}]`, true},
		{`{"$set":["a","b"]}`, `["b","a"]`, true},
		{`{"$set":["a","b"]}`, `["b","a","a"]`, false},
		{`{"$set":["a","b"]}`, `["a","a"]`, false},
		{`{"$set":[]}`, `[]`, true},
		{`{"$oneOf":["a",2]}`, `2`, true},
		{`{"$oneOf":["a",2]}`, `3`, false},
		{`{"$regex":"^a+$"}`, `"aaa"`, true},
		{`{"$regex":"^a+$"}`, `"ab"`, false},
		{`{"$regex":"a"}`, `5`, false},
		{`{"$ieq":"Ab"}`, `"aB"`, true},
		{`{"$ieq":"Ab"}`, `"ab "`, false},
		{`{"$not":"a"}`, `"b"`, true},
		{`{"$not":"a"}`, nothing, true},
		{`{"$not":{"$exists":true}}`, nothing, true},
		{`{"$not":{"$contains":"a"}}`, `["a"]`, false},
	} {
		if err := checkMatcher(json.RawMessage(c.want)); err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		want, _ := jsonvalue.Decode([]byte(c.want))
		var got any
		if c.got != nothing {
			got, _ = jsonvalue.Decode([]byte(c.got))
		}
		if matches(want, got, c.got != nothing) != c.match {
			t.Errorf("%s against %s: want match %v", c.want, c.got, c.match)
		}
	}
}

func TestUncheckableExpectationIsRefused(t *testing.T) {
	t.Parallel()
	for _, want := range []string{
		`{"$exist":true}`, `{"$exists":1}`, `{"$type":"int"}`, `{"$len":"2"}`, `{"$min":"2"}`, `{"$set":"a"}`,
		`{"$oneOf":"a"}`, `{"$regex":"("}`, `{"$regex":1}`, `{"$ieq":1}`, `{"$not":{"$lens":2}}`,
	} {
		if err := checkMatcher(json.RawMessage(want)); err == nil {
			t.Errorf("%s was accepted", want)
		}
	}
}
