package filter_test

import (
	"fmt"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// A filter is parsed, compiled for a resource type, and then matches resources.
func Example() {
	user := schema.MustCompile(schema.User(), schema.Group())
	expr, err := filter.Parse(`emails[type eq "work" and value ew "@example.com"] and not (active eq false)`, filter.ParseOptions{})
	if err != nil {
		panic(err)
	}
	plan, err := filter.Compile(user, expr, filter.Options{})
	if err != nil {
		panic(err)
	}
	for _, address := range []string{"ada@EXAMPLE.com", "ada@example.org"} {
		r, err := resource.New(user).
			Set("userName", "ada").
			Set("emails", []map[string]any{{"type": "work", "value": address}}).
			Build()
		if err != nil {
			panic(err)
		}
		fmt.Println(address, plan.Match(r, nil))
	}
	// Output:
	// ada@EXAMPLE.com true
	// ada@example.org false
}

// Errors say where and what to do.
func ExampleParse_error() {
	_, err := filter.Parse(`userName is "ada"`, filter.ParseOptions{})
	fmt.Println(err)
	// Output:
	// at position 10: unknown operator "is"; use eq, ne, co, sw, ew, gt, ge, lt, le or pr
}

// Printing shows how operators bind.
func ExampleParse_precedence() {
	expr, _ := filter.Parse(`(title pr) or ((active eq true) AND not(userType eq "Guest"))`, filter.ParseOptions{})
	fmt.Println(expr)
	// Output:
	// title pr or active eq true and not (userType eq "Guest")
}

func ExampleParsePath() {
	path, err := filter.ParsePath(`addresses[type eq "work"].locality`, filter.ParseOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(path.Name, "|", path.Filter, "|", path.Sub)
	// Output:
	// addresses | type eq "work" | locality
}

// A store answers what it has an index for and leaves the rest to Match.
func ExamplePlan_Split() {
	user := schema.MustCompile(schema.User(), schema.Group())
	expr, _ := filter.Parse(`userType eq "Employee" and displayName co "vance" and userName eq "Adele"`, filter.ParseOptions{})
	plan, err := filter.Compile(user, expr, filter.Options{})
	if err != nil {
		panic(err)
	}
	indexed := func(n filter.Node) bool {
		c, ok := n.(filter.Compare)
		return ok && c.Op == filter.Eq && c.Path.IsIndexed()
	}
	push, rest := plan.Split(indexed)
	operand, _ := push.Equal("userName")
	fmt.Println("look up:", push, "with", operand.Key)
	fmt.Println("then match:", rest)
	// Output:
	// look up: userName eq ? with adele
	// then match: userType eq ? and displayName co ?
}

// Keys of numbers keep every digit and the order.
func ExampleKey() {
	device := schema.MustCompile(schema.ResourceType{
		Name: "Device", Endpoint: "/Devices",
		Schema: &schema.Schema{ID: "urn:example:schemas:2.0:Device", Name: "Device", Attributes: []schema.Attribute{
			{Name: "ports", Type: schema.Integer},
		}},
	})
	ports := device.MustResolve("ports")
	nine, _ := filter.Key(resource.Integer(ports, 9))
	ten, _ := filter.Key(resource.Integer(ports, 10))
	fmt.Println(nine < ten)
	// Output:
	// true
}
