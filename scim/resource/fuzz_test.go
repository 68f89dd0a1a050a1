package resource_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// FuzzDecode holds the decoder against another JSON parser and against itself.
func FuzzDecode(f *testing.F) {
	user, err := os.ReadFile("testdata/user.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(user)
	for _, s := range []string{
		`{}`, `[]`, `null`, ``, ` {"text" : "a\u0000\ud83d\ude00\/"} `, `{"decimal":-1.5e+10,"integer":12,"flag":true,"time":"2024-02-29T12:00:00.5Z","binary":"aGVsbG8","ref":"x"}`,
		`{"ports":[{"value":"1","primary":true},{"VALUE":"1","labels":["x",null,{}]},[],{}],"tags":["a","A",1],"badge":{"number":"1","foo":[{}]},"badge":1}`,
		`{"owners":[{"value":"1","type":"User","$ref":null},{"value":"1"},"x"],"serial":[[[[[[1]]]]]],"schemas":["urn:example:schemas:2.0:Device",1]}`,
		`{"urn:example:schemas:extension:2.0:Extra":{"site":"s","rack":{"unit":1.5},"links":[{"primary":true},{"primary":true,"value":"v"}]},"id":"x"}`,
		`{"text":"a","t\u0065xt":"b","x":{},"X":[]}`, `{"foo":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`, "{\"text\":\"\xff\"}", `{"tags":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q","r","A"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		original := bytes.Clone(data)
		if d, err := resource.Decode(deviceType, data, resource.DecodeOptions{Partial: true, Repair: meddler{}}); err == nil {
			doc := d.Resource.Document()
			stored, err := resource.Stored(deviceType, resource.Meta{}, doc)
			if err != nil || &stored.Document()[0] != &doc[0] || !resourcesReadAlike(stored, d.Resource, deviceType) {
				t.Fatalf("repaired to %s: %v", doc, err)
			}
		}
		d, err := resource.Decode(deviceType, data, resource.DecodeOptions{Repair: anySchemas{}})
		if !bytes.Equal(data, original) {
			t.Fatal("the body was changed")
		}
		readable := isJSONObject(data, 32)
		if err == nil && !readable {
			t.Fatal("accepted what is not a JSON object")
		}
		if err != nil {
			var e *resource.DecodeError
			if !errors.As(err, &e) || len(e.Problems) == 0 || len(e.Problems) > 20 || err.Error() == "" {
				t.Fatalf("error %v", err)
			}
			for _, p := range e.Problems {
				if p.Offset < -1 || p.Offset > len(data) || p.Detail == "" {
					t.Fatalf("problem %+v", p)
				}
				if readable && p.Syntax && p.Path == "" && p.Detail != "the name stands twice in one object; names are equal whatever their letter case" {
					t.Fatalf("refused JSON: %+v", p)
				}
			}
			return
		}
		doc := d.Resource.Document()
		if c := jsontext.Value(bytes.Clone(doc)); !c.IsValid() || c.Compact() != nil || !bytes.Equal(c, doc) {
			t.Fatalf("document %s", doc)
		}
		again, err := resource.Decode(deviceType, doc, resource.DecodeOptions{RejectUnknown: true, Repair: anySchemas{}})
		if err != nil || !again.Resource.Equal(d.Resource) || !bytes.Equal(again.Resource.Document(), doc) {
			t.Fatalf("decoding %s again: %v", doc, err)
		}
		stored, err := resource.Stored(deviceType, resource.Meta{}, doc)
		if err != nil || &stored.Document()[0] != &doc[0] || !resourcesReadAlike(stored, d.Resource, deviceType) {
			t.Fatalf("Stored(%s): %v", doc, err)
		}
		view := &resource.View{Projection: resource.NewProjection(deviceType, nil, []string{"text"})}
		for i := range d.Relations {
			view.Relations = append(view.Relations, resource.RelationView{Path: deviceType.MustResolve(i), Members: d.Relations[i]})
		}
		for _, v := range []*resource.View{nil, view} {
			if out := jsontext.Value(resource.AppendJSON(nil, d.Resource.WithMeta(aMeta), v)); !out.IsValid() {
				t.Fatalf("shown as %s", out)
			}
		}
	})
}

// meddler repairs whatever it is asked about, well or badly.
type meddler struct{ anySchemas }

func (meddler) Name(_ schema.Path, key string) (schema.Path, bool) {
	i := 0
	for _, c := range []byte(key) {
		i += int(c)
	}
	return deviceType.PathAt(1 + i%deviceType.Len()), true
}

func (meddler) Value(p schema.Path, raw []byte, element bool) ([]byte, bool) {
	switch {
	case p.Attribute().MultiValued && !element:
		return append(append([]byte("["), raw...), ']'), true
	case p.NumChildren() > 0:
		return append(append([]byte(`{"value":`), raw...), '}'), true
	case len(raw)%3 == 0:
		return []byte("null"), true
	}
	return bytes.Trim(raw, `"`), true
}

// isJSONObject reports whether data is one JSON object of at most the given
// depth.
func isJSONObject(data []byte, depth int) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != '{' {
		return false
	}
	for {
		if _, err := dec.ReadToken(); err != nil || dec.StackDepth() > depth {
			return false
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	return len(bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n")) == 0
}

// FuzzStored feeds documents that nothing of ours wrote.
func FuzzStored(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"text":"a"}`, `{"text":"\u001f\"","flag":true,"decimal":1.5}`, `{"TEXT":1,"gone":{},"ports":[{"value":"1","labels":["x"]},{}]}`,
		`{"urn:example:schemas:extension:2.0:Extra":{"rack":{"unit":1},"links":[{"value":"v"}]}}`, `{"owners":[],"id":"1","text":"a","text":"b"}`, `{"tags":[`, `{"badge":{}}`, `{"ports":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := resource.Stored(deviceType, aMeta, data)
		if err != nil {
			if isJSONObject(data, 8) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if !isJSONObject(data, 32) {
			t.Fatal("accepted what is not a JSON object")
		}
		again, err := resource.Stored(deviceType, aMeta, r.Document())
		if err != nil || &again.Document()[0] != &r.Document()[0] || !resourcesReadAlike(again, r, deviceType) {
			t.Fatalf("%s reads differently the second time: %v", r.Document(), err)
		}
		if out := jsontext.Value(resource.AppendJSON(nil, r, nil)); !out.IsValid() {
			t.Fatalf("shown as %s", out)
		}
		r.BestEmail()
		r.Active()
		if _, err := r.Edit().Set("flag", true).Build(); err != nil && len(err.Error()) == 0 {
			t.Fatal("an error without words")
		}
	})
}
