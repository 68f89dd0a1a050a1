package jsonvalue_test

import (
	"encoding/json"
	"testing"

	"github.com/musterhq/muster/internal/jsonvalue"
)

func TestNumbersCompareByValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want json.Number
	}{
		{"1", "1"}, {"1.0", "1"}, {"1.50", "1.5"}, {"15e-1", "1.5"}, {"1E3", "1000"}, {"-0.0", "0"}, {"1e-60", "0.000000000000000000000000000000000000000000000000000000000001"},
		{"12345678901234567890", "12345678901234567890"},
		{"1e999999999", "1e999999999"}, {"1e-999999999", "1e-999999999"}, {"1e99999999999999999999", "1e99999999999999999999"},
	} {
		if got := jsonvalue.Canonical(c.in); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":[1,{"b":null}],"c":true}`, `{"c":true,"a":[1.0,{"b":null}]}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":null}`, `{"b":null}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`1`, `"1"`, false},
		{`{}`, `[]`, false},
		{`null`, `false`, false},
		{`12345678901234567890`, `12345678901234567891`, false},
	} {
		a, err := jsonvalue.Decode([]byte(c.a))
		if err != nil {
			t.Fatal(err)
		}
		b, err := jsonvalue.Decode([]byte(c.b))
		if err != nil {
			t.Fatal(err)
		}
		if jsonvalue.Equal(a, b) != c.want || jsonvalue.Equal(b, a) != c.want {
			t.Errorf("%s and %s: want %v both ways", c.a, c.b, c.want)
		}
	}
}

func TestDecodeTakesExactlyOneValue(t *testing.T) {
	t.Parallel()
	var object struct{ A int }
	for _, c := range []struct {
		text       string
		ok, strict bool
	}{
		{`{"a":1}`, true, true}, {`{"a":1} `, true, true}, {`{"a":1}{}`, false, false}, {``, false, false}, {`{"b":1}`, true, false},
	} {
		if _, err := jsonvalue.Decode([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("Decode %q: error %v", c.text, err)
		}
		if err := jsonvalue.DecodeStrict([]byte(c.text), &object); (err == nil) != c.strict {
			t.Errorf("DecodeStrict %q: error %v", c.text, err)
		}
	}
}

func TestTextIsCompactAndUnescaped(t *testing.T) {
	t.Parallel()
	v, err := jsonvalue.Decode([]byte(`{ "b": "<é&>", "a": [1.50] }`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jsonvalue.Text(v), `{"a":[1.50],"b":"<é&>"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
