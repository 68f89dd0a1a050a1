package mapping_test

import (
	"testing"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim/resource"
)

// A path that is accepted prints as one that means the same.
func FuzzParsePath(f *testing.F) {
	for _, path := range []string{
		"userName", "name.givenName", "emails[type eq 'work'].value", `emails[type eq "work" and primary eq true].value`,
		"emails.value", "emails[display eq 'it''s'].value", "emails[display eq '\"\\'].value", "id", "meta.version", "roles",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "addresses[type eq 'x", "emails['", "[]", "",
		"emails[type eq 'a' or type eq 'b'].value", "emails[type eq '\xff'].value",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target, err := mapping.ParsePath(user, path)
		if err != nil {
			return
		}
		again, err := mapping.ParsePath(user, target.String())
		if err != nil {
			t.Fatalf("%q means %s, which is not accepted: %v", path, target, err)
		}
		if again.Attr != target.Attr || again.Element != target.Element || !again.Selects(target.Terms) || again.String() != target.String() {
			t.Errorf("%q means %s, and that means %s", path, target, again)
		}
	})
}

// A tag never has a meaning here that it does not have to package reflect.
func FuzzTag(f *testing.F) {
	for _, tag := range []string{
		`scim:"userName"`, `json:"a" scim:"title,max=3,readonly"`, `scim:"emails[type eq 'a,b]'].value,default=a,b"`,
		`scim:"emails[type eq "work"].value"`, `scim: "x"`, `scim:"a" scim:"b"`, `scim:"\q"`, `scim:"\u0041"`, `scim:"`, `:"" scim:"x"`,
		`scim:"a,max=99999999999999999999"`, `scim:"[',"`, "scim:\"a\x00\"",
	} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		path, ok, err := mapping.ParseTag(tag)
		if !ok || err != nil {
			return
		}
		text := mapping.LookupTag(tag)
		if len(text) < len(path) || text[:len(path)] != path {
			t.Errorf("%q: the path is %q, and reflect sees %q", tag, path, text)
		}
	})
}

// Whatever a client sends is assigned and shown, or refused, without a panic; and
// with a side document nothing is lost.
func FuzzAssign(f *testing.F) {
	for _, body := range []string{full, more(), `{}`, `{"emails":[{"type":"work"},{"value":"x","primary":true}]}`,
		`{"userName":"\u0000"}`, `{"roles":[{"value":""},{"value":"a","type":"b"}],"addresses":[{"type":"WORK","locality":"l"}]}`,
		`{"x509Certificates":[{"value":"AA"}],"photos":[{"value":"https://x"}],"entitlements":[{"value":"e"}]}`,
	} {
		f.Add([]byte(body))
	}
	m := of[WideSide](f)
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := resource.Decode(user, body, resource.DecodeOptions{})
		if err != nil {
			return
		}
		var w WideSide
		if _, err := m.Assign(&w, d.Resource); err != nil {
			t.Fatal(err) // no field of Wide refuses anything
		}
		back, err := m.Resource(&w)
		if err != nil {
			t.Fatal(err)
		}
		sent := d.Resource
		if _, ok := sent.Bool("active"); !ok { // which counts as true
			sent = sent.Edit().Set("active", true).Resource()
		}
		if back.Equal(sent) {
			return
		}
		// A certificate may be written without padding, and comes back with it.
		again := w
		if _, err := m.Assign(&again, back); err != nil {
			t.Fatal(err)
		}
		if twice, err := m.Resource(&again); err != nil || !twice.Equal(back) {
			t.Errorf("%s came back as %s and then %s, %v", sent.Document(), back.Document(), twice.Document(), err)
		}
	})
}
