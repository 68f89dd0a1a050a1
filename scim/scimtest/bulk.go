package scimtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// bulkChecks are about limits that a script cannot reach.
func bulkChecks() []check {
	return []check{
		{id: "B-023", about: "Too many operations are 413 that names the limit, and nothing is done.", needs: []string{"bulk"}, run: func(c *conversation) {
			most := c.limit("maxOperations", 10_000)
			first := fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"a","data":{"schemas":[%q],"userName":%q}}`, userURN, c.name("u"))
			body := `{"schemas":["` + bulkURN + `"],"Operations":[` + first + strings.Repeat(`,{"method":"DELETE","path":"/Users/none"}`, most) + `]}`
			a := c.send("POST", "/Bulk", body)
			a.request = fmt.Sprintf("POST /Bulk with %d operations", most+1)
			c.wantError(a, http.StatusRequestEntityTooLarge)
			if !strings.Contains(str(a.get("detail")), fmt.Sprint(most)) {
				c.errorf("%v\n\twant the detail to name the limit, %d", a, most)
			}
			if c.server.missing["filter"] == "" {
				if a := c.want(c.send("GET", "/Users?filter="+c.mine(), ""), 200); len(a.resources()) > 0 {
					c.errorf("%v\n\twant nothing to be done", a)
				}
			}
		}},
		{id: "A-019", about: "Identities move to another service: they are read in pages and created by bulk.", needs: []string{"bulk", "filter"}, run: (*conversation).moveByBulk},
		{id: "B-024", about: "The limit of bytes holds for a body without Content-Length too.", needs: []string{"bulk"}, run: func(c *conversation) {
			c.tooLarge(func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }) // a reader whose length nobody sees
		}},
	}
}

// moveByBulk reads users in pages and creates them again, as at another service,
// with what clients may set.
func (c *conversation) moveByBulk() {
	const n = 5
	for i := range n {
		c.user(fmt.Sprint("u", i), map[string]any{"title": fmt.Sprint("Guide ", i), "externalId": c.name(fmt.Sprint("x", i))})
	}
	var operations []string
	for start := 1; start <= n; start += 2 {
		a := c.want(c.send("GET", fmt.Sprintf("/Users?filter=%s&startIndex=%d&count=2", c.mine(), start), ""), 200)
		for _, r := range a.resources() {
			moved := maps.Clone(r.(map[string]any))
			moved["userName"] = "moved-" + str(moved["userName"])
			operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":%q,"data":%s}`, str(moved["externalId"]), jsonvalue.Text(moved)))
		}
	}
	c.want(c.send("POST", "/Bulk", `{"schemas":["${BulkRequest}"],"Operations":[`+strings.Join(operations, ",")+`]}`), 200)
	a := c.want(c.send("GET", `/Users?filter=userName sw "moved-${run}-"`, ""), 200)
	if len(a.resources()) != n {
		c.errorf("%v\n\twant %d users", a, n)
	}
	for _, r := range a.resources() {
		number := str(get(r, "externalId"))
		if get(r, "title") != "Guide "+strings.TrimPrefix(number, c.name("x")) {
			c.errorf("%v\n\twant title and externalId to belong together", a)
		}
	}
}

// limit is a limit of bulk requests; one too large to be tried skips the check.
func (c *conversation) limit(name string, tried int) int {
	n, _ := get(c.server.config, "bulk", name).(json.Number)
	most, err := n.Int64()
	if err != nil || most <= 0 || most > int64(tried) {
		c.skipf("ServiceProviderConfig gives bulk.%s as %q, which is not tried out", name, n)
	}
	return int(most)
}

// tooLarge sends a bulk request that is larger than the limit.
func (c *conversation) tooLarge(reader func(string) io.Reader) {
	most := c.limit("maxPayloadSize", 32<<20)
	body := `{"schemas":["` + bulkURN + `"],"Operations":[{"method":"DELETE","path":"/Users/none"}]` + strings.Repeat(" ", most) + "}"
	a, err := c.Send(c.ctx, "POST", "/Bulk", http.Header{"Content-Type": {"application/scim+json"}}, reader(body))
	if err != nil {
		c.skipf("the server closed the connection while the body was sent: %v", err)
	}
	c.wantError(&answer{a, fmt.Sprintf("POST /Bulk with more than %d bytes", most), a.JSON()}, http.StatusRequestEntityTooLarge)
}
