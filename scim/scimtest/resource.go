package scimtest

import (
	"net/url"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// resourceChecks are about resources and where they are.
func resourceChecks() []check {
	return []check{
		{id: "S-017", about: "A reference to a resource can be fetched.", needs: []string{"groups"}, run: func(c *conversation) {
			u := c.user("u", nil)
			g := c.create("/Groups", "g", map[string]any{"members": []any{map[string]any{"value": u}}})
			a := c.want(c.send("GET", "/Groups/"+g, ""), 200)
			for _, m := range items(a.get("members")) {
				if a := c.want(c.send("GET", c.pathOf(str(get(m, "$ref"))), ""), 200); a.get("id") != u {
					c.errorf("%v\n\twant the member %s", a, u)
				}
			}
		}},
		{id: "S-018", about: "Unknown members are left out, or the request is refused and nothing written.", needs: []string{"groups"}, run: (*conversation).unknownMembers},
		{id: "R-008", about: "meta.lastModified equals created at first and moves with real changes only.", run: (*conversation).modifiedMoves},
		{id: "R-009", about: "meta.location is the resource's absolute address, and that in the Location header.", run: (*conversation).locations},
		{id: "C-003", about: "Location and meta.location name the new resource.", run: func(c *conversation) {
			a := c.want(c.send("POST", "/Users", `{"schemas":["${User}"],"userName":"${run}-u"}`), 201)
			location := a.Header.Get("Location")
			if location == "" || a.get("meta", "location") != location {
				c.errorf("%v\n\twant Location and meta.location to be the same, got %q and %s", a, location, jsonvalue.Text(a.get("meta", "location")))
			}
			if b := c.want(c.send("GET", c.pathOf(location), ""), 200); b.get("id") != a.get("id") {
				c.errorf("%v\n\twant the new resource", b)
			}
		}},
		{id: "G-003", about: "A read has a Location, and an ETag where there are versions.", run: func(c *conversation) {
			a := c.want(c.send("GET", "/Users/"+c.user("u", nil), ""), 200)
			if a.Header.Get("Location") != a.get("meta", "location") {
				c.errorf("%v\n\tLocation: want %s, got %q", a, jsonvalue.Text(a.get("meta", "location")), a.Header.Get("Location"))
			}
			if c.server.missing["etag"] == "" && a.Header.Get("ETag") == "" {
				c.errorf("%v\n\twant an ETag", a)
			}
		}},
	}
}

// pathOf makes an address from an answer one below the base URL. The server's
// public address may be another one; then the type and the id count.
func (c *conversation) pathOf(location string) string {
	if path, ok := strings.CutPrefix(location, c.opts.BaseURL); ok {
		return path
	}
	segments := strings.Split(location, "/")
	if u, err := url.Parse(location); err != nil || !u.IsAbs() || len(segments) < 5 {
		c.fatalf("%q is no absolute address of a resource", location)
	}
	return "/" + strings.Join(segments[len(segments)-2:], "/")
}

func (c *conversation) unknownMembers() {
	u := c.user("u", nil)
	body := `{"schemas":["${Group}"],"displayName":"${run}-g","members":[{"value":"` + u + `"},{"value":"00000000-0000-4000-8000-000000000000"}]}`
	a := c.send("POST", "/Groups", body)
	if c.want(a, 201, 400); a.Status == 400 {
		c.wantError(a, 400, "invalidValue")
		if a := c.send("GET", `/Groups?filter=displayName eq "${run}-g"`, ""); a.Status == 200 && len(a.resources()) > 0 {
			c.errorf("%v\n\twant nothing to be written by a refused request", a)
		}
		return
	}
	b := c.want(c.send("GET", "/Groups/"+str(a.get("id")), ""), 200)
	if members := items(b.get("members")); len(members) != 1 || get(members[0], "value") != u {
		c.errorf("%v\n\twant the known member alone", b)
	}
}

func (c *conversation) modifiedMoves() {
	path := "/Users/" + c.user("u", map[string]any{"title": "Guide"})
	first := c.want(c.send("GET", path, ""), 200)
	if first.get("meta", "created") != first.get("meta", "lastModified") {
		c.errorf("%v\n\twant created and lastModified to be the same at first", first)
	}
	put := func(title string) *answer {
		return c.want(c.send("PUT", path, `{"schemas":["${User}"],"userName":"${run}-u","title":"`+title+`"}`), 200)
	}
	if same := put("Guide"); same.get("meta", "lastModified") != first.get("meta", "lastModified") {
		c.errorf("%v\n\twant lastModified to stay when nothing changes, it was %s", same, jsonvalue.Text(first.get("meta", "lastModified")))
	}
	changed := put("Chief")
	if changed.get("meta", "created") != first.get("meta", "created") {
		c.errorf("%v\n\twant created to stay", changed)
	}
	// The clock may be coarse: a change in the same moment is told by the version.
	if before, after := str(first.get("meta", "lastModified")), str(changed.get("meta", "lastModified")); after < before && len(after) == len(before) {
		c.errorf("%v\n\twant lastModified to go forward, it was %s", changed, before)
	}
}

func (c *conversation) locations() {
	id := c.user("u", nil)
	for _, request := range []struct{ method, body string }{
		{"GET", ""}, {"PUT", `{"schemas":["${User}"],"userName":"${run}-u","title":"x"}`},
	} {
		a := c.want(c.send(request.method, "/Users/"+id, request.body), 200)
		location := str(a.get("meta", "location"))
		u, err := url.Parse(location)
		if err != nil || !u.IsAbs() || u.Host == "" || !strings.HasSuffix(location, "/Users/"+url.PathEscape(id)) {
			c.errorf("%v\n\twant meta.location to be the absolute address of the resource", a)
		}
		for _, name := range []string{"Location", "Content-Location"} {
			if got := a.Header.Get(name); got != "" && got != location {
				c.errorf("%v\n\t%s: want %q, got %q", a, name, location, got)
			}
		}
	}
	list := c.want(c.send("GET", "/Users?filter="+c.mine(), ""), 200)
	if !slices.ContainsFunc(list.resources(), func(r any) bool { return strings.HasSuffix(str(get(r, "meta", "location")), "/Users/"+id) }) {
		c.errorf("%v\n\twant meta.location in lists too", list)
	}
}
