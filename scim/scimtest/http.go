package scimtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// httpChecks are about headers of several requests, and requests at one time.
func httpChecks() []check {
	return []check{
		{id: "E-015", about: "A body over the size that ServiceProviderConfig gives is 413.", needs: []string{"bulk"}, run: func(c *conversation) {
			c.tooLarge(func(s string) io.Reader { return strings.NewReader(s) })
		}},
		{id: "E-017", about: "What is not offered is 501, not something else.", run: func(c *conversation) {
			for _, try := range []struct{ feature, method, path, body string }{
				{"bulk", "POST", "/Bulk", `{"schemas":["` + bulkURN + `"],"Operations":[]}`},
				{"patch", "PATCH", "/Users/none", `{"schemas":["` + patchURN + `"],"Operations":[]}`},
			} {
				if c.server.missing[try.feature] != "" {
					c.want(c.send(try.method, try.path, try.body), 501, 404)
				}
			}
		}},
		{id: "E-021", about: "With versions, every answer about one resource has an ETag, and another one after a change.", needs: []string{"etag"}, run: (*conversation).tagsAreThere},
		{id: "E-027", about: "Of several writes under one version, one succeeds.", needs: []string{"etag"}, run: (*conversation).oneWins},
		{id: "E-030", about: "Locations are public addresses, which no header that anybody can send changes.", run: func(c *conversation) {
			a := c.want(c.send("GET", "/Users/"+c.user("u", nil), "", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example"), 200)
			if strings.Contains(str(a.get("meta", "location")), "evil.example") {
				c.errorf("%v\n\tthe location comes from a header that anybody can send", a)
			}
		}},
		{id: "E-033", about: "/Me leads to the caller's own resource, if these credentials have one.", needs: []string{"me"}, run: func(c *conversation) {
			a := c.want(c.send("GET", "/Me", ""), 200, 307, 308, 403, 404)
			if a.Status >= 400 {
				c.wantError(a, a.Status)
				c.skipf("these credentials have no resource of their own")
			}
			own := c.want(c.send("GET", c.pathOf(a.Header.Get("Location")), ""), 200)
			if a.Status == 200 && (a.get("id") == nil || a.get("id") != own.get("id")) {
				c.errorf("%v\n\twant Location to be the permanent address of the same resource, there is\n\t%v", a, own)
			}
		}},
		{id: "E-034", about: "POST to /Me creates the caller's own resource, or is refused.", needs: []string{"me"}, run: func(c *conversation) {
			a := c.send("POST", "/Me", `{"schemas":["${User}"],"userName":"${run}-me"}`)
			if a.Status != 201 && a.Status != 307 && a.Status != 308 {
				if a.Status < 400 || a.Status >= 500 {
					c.want(a, 501)
				}
				c.wantError(a, a.Status)
			} else if a.Status == 201 {
				defer c.send("DELETE", c.pathOf(a.Header.Get("Location")), "")
				if a.get("userName") != c.name("me") || a.get("meta", "location") != a.Header.Get("Location") {
					c.errorf("%v\n\twant the new resource with its permanent address", a)
				}
			}
		}},
	}
}

func (c *conversation) tagsAreThere() {
	path := "/Users/" + c.user("u", nil)
	seen := map[string]string{}
	look := func(a *answer, changed bool) {
		tag := a.Header.Get("ETag")
		if tag == "" || a.Status != http.StatusNoContent && a.get("meta", "version") != tag {
			c.fatalf("%v\n\twant ETag and meta.version, the same; the ETag is %q", a, tag)
		}
		if before, known := seen[tag]; known == changed {
			c.errorf("%v\n\tthe ETag is %s; it was seen on %q", a, tag, before)
		}
		seen[tag] = a.request
	}
	look(c.want(c.send("GET", path, ""), 200), true)
	put := `{"schemas":["${User}"],"userName":"${run}-u","title":"one"}`
	look(c.want(c.send("PUT", path, put), 200), true)
	look(c.want(c.send("PUT", path, put), 200), false)
	look(c.want(c.send("GET", path, ""), 200), false)
	if c.server.missing["patch"] == "" {
		look(c.want(c.send("PATCH", path, `{"schemas":["${PatchOp}"],"Operations":[{"op":"replace","path":"title","value":"two"}]}`), 200, 204), true)
		look(c.want(c.send("GET", path, ""), 200), false)
	}
	if c.server.missing["groups"] != "" || c.server.missing["patch"] != "" {
		return
	}
	group := "/Groups/" + c.create("/Groups", "g", nil)
	before := c.want(c.send("GET", group, ""), 200).Header.Get("ETag")
	a := c.want(c.send("PATCH", group, `{"schemas":["${PatchOp}"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+strings.TrimPrefix(path, "/Users/")+`"}]}]}`), 200, 204)
	after := c.want(c.send("GET", group, ""), 200).Header.Get("ETag")
	if before == after || a.Header.Get("ETag") != after {
		c.errorf("%v\n\tthe ETag was %s, the answer has %s and a GET %s: a new member makes a new version", a, before, a.Header.Get("ETag"), after)
	}
}

func (c *conversation) oneWins() {
	path := "/Users/" + c.user("u", nil)
	tag := c.want(c.send("GET", path, ""), 200).Header.Get("ETag")
	const writers = 8
	status := make([]int, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			body := fmt.Sprintf(`{"schemas":[%q],"userName":%q,"title":"t%d"}`, userURN, c.name("u"), i)
			header := http.Header{"Content-Type": {"application/scim+json"}, "If-Match": {tag}}
			if a, err := c.Send(c.ctx, "PUT", path, header, strings.NewReader(body)); err == nil {
				status[i] = a.Status
			}
		})
	}
	wg.Wait()
	won := 0
	for _, s := range status {
		if s == http.StatusOK {
			won++
		} else if s != http.StatusPreconditionFailed && s != http.StatusServiceUnavailable {
			c.errorf("a PUT under an old version is answered %d, want 412", s)
		}
	}
	if won != 1 {
		c.errorf("%d of %d PUTs under one version succeeded, want 1", won, writers)
	}
}
