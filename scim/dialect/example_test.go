package dialect_test

import (
	"fmt"

	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Everything that known clients send, except for words without quotes.
func ExampleSet_Without() {
	set := dialect.Tolerant().Without(dialect.BareFilterWords)
	fmt.Println(set.Has(dialect.BareFilterWords), set.Has(dialect.BooleanText))
	// Output:
	// false true
}

// A session takes a body as the client meant it, and tells which rules that
// needed.
func ExampleSession() {
	user := schema.MustCompile(schema.User(), schema.Group())
	x := dialect.OneLogin().Session()
	body := `{
		"schemas": ["urn:scim:schemas:core:2.0"],
		"userName": "ada",
		"active": "True",
		"emails": {"type": "work", "value": "ada@example.com"}
	}`
	d, err := resource.Decode(user, []byte(body), resource.DecodeOptions{Repair: x.Repair()})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := x.Resource(user, d.Resource)
	fmt.Println(r.BestEmail(), r.Active())
	fmt.Println(x.Fired())
	// Output:
	// ada@example.com true
	// [boolean-text old-urns single-element]
}

// What an administrator reads about a rule.
func ExampleRules() {
	r := dialect.Rules()[0]
	fmt.Println(r.Name)
	fmt.Println(r.Summary)
	fmt.Println(r.Example)
	// Output:
	// bare-filter-words
	// In a filter of a URL, a word of letters, digits and @ . _ + - need not stand in quotes.
	// userName eq ada@example.com
}
