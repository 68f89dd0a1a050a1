package scimtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// listChecks are about lists that scripts cannot walk through.
func listChecks() []check {
	return []check{
		{id: "O-007", about: "Pages neither repeat nor skip, with equal sort keys too.", needs: []string{"filter"}, run: (*conversation).pagesArePartition},
		{id: "O-010", about: "A page is never longer than count, nor than the server's maximum.", run: (*conversation).pagesAreBounded},
		{id: "F-012", about: "The length, depth and size of filters are bounded.", needs: []string{"filter"}, run: func(c *conversation) {
			for _, try := range []struct{ name, filter string }{
				{"a filter of 10,000 terms", strings.Repeat("active pr or ", 10_000) + "active pr"},
				{"a filter of 100,000 characters", `userName eq "` + strings.Repeat("x", 100_000) + `"`},
				{"a filter 10,000 levels deep", strings.Repeat("(", 10_000) + "active pr" + strings.Repeat(")", 10_000)},
			} {
				if a := c.send("GET", "/Users?count=0&filter="+try.filter, ""); a.Status < 400 || a.Status >= 500 {
					c.errorf("%s is answered %d, want a refusal", try.name, a.Status)
				}
			}
		}},
		{id: "A-016", about: "Everything is bounded: deep bodies and large pages are refused or cut.", run: func(c *conversation) {
			deep := `{"schemas":["` + userURN + `"],"userName":"` + c.name("u") + `","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}"
			if a := c.send("POST", "/Users", deep); a.Status < 400 || a.Status >= 500 {
				c.errorf("a body 20,000 levels deep is answered %d, want a refusal", a.Status)
			}
			c.pagesAreBounded()
		}},
	}
}

func (c *conversation) pagesArePartition() {
	const n, size = 7, 3
	for i := range n {
		c.user(fmt.Sprint("u", i), map[string]any{"title": "same"})
	}
	orders := []string{""}
	if c.server.missing["sort"] == "" {
		orders = append(orders, "&sortBy=title", "&sortBy=userName&sortOrder=descending")
	}
	for _, order := range orders {
		var names []string
		for start := 1; start <= n; start += size {
			a := c.want(c.send("GET", fmt.Sprintf("/Users?filter=%s&startIndex=%d&count=%d%s", c.mine(), start, size, order), ""), 200)
			if total := a.get("totalResults"); !jsonvalue.Equal(total, json.Number(fmt.Sprint(n))) {
				c.errorf("%v\n\ttotalResults: want %d, got %s", a, n, jsonvalue.Text(total))
			}
			if len(a.resources()) > size {
				c.errorf("%v\n\twant at most %d resources", a, size)
			}
			names = append(names, c.names(a.resources())...)
		}
		sorted := slices.Sorted(slices.Values(names))
		if len(slices.Compact(sorted)) != n || len(names) != n {
			c.errorf("the pages of /Users?filter=%s%s by %d have %v, want each of %d users once", c.mine(), order, size, names, n)
		}
	}
}

func (c *conversation) pagesAreBounded() {
	n, _ := get(c.server.config, "filter", "maxResults").(json.Number)
	most, err := n.Int64()
	if err != nil || most <= 0 {
		c.skipf("ServiceProviderConfig gives filter.maxResults as %q", n)
	}
	c.user("u", nil)
	c.user("v", nil)
	a := c.want(c.send("GET", "/Users?count=1", ""), 200)
	if len(a.resources()) > 1 {
		c.errorf("%v\n\twant at most 1 resource", a)
	}
	a = c.want(c.send("GET", fmt.Sprintf("/Users?count=%d", most+1), ""), 200, 400)
	if n := len(a.resources()); int64(n) > most {
		c.errorf("/Users?count=%d gives %d resources, ServiceProviderConfig allows %d", most+1, n, most)
	}
}
