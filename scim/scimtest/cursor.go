package scimtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// cursorChecks are about paging by cursors (RFC 9865).
func cursorChecks() []check {
	need := []string{"cursor", "filter"}
	return []check{
		{id: "N-001", about: "An empty cursor starts a query by cursor; cursors are made of characters that a URL may have.", needs: need, run: func(c *conversation) {
			c.users(3)
			next := c.next(c.page("&cursor=&count=1"))
			if strings.Trim(next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
				c.errorf("the cursor %q has characters that are not unreserved", next)
			}
			if a := c.page("&cursor&count=1"); str(a.get("nextCursor")) == "" {
				c.errorf("%v\n\twant a cursor without a value to start a query, too", a)
			}
		}},
		{id: "N-002", about: "Every page but the last has nextCursor, and the pages are the list.", needs: need, run: func(c *conversation) { c.walk("") }},
		{id: "N-003", about: "previousCursor is not on the first page.", needs: need, run: func(c *conversation) {
			c.users(2)
			if a := c.page("&cursor=&count=1"); a.get("previousCursor") != nil {
				c.errorf("%v\n\twant no previousCursor", a)
			}
		}},
		{id: "N-004", about: "A cursor goes with the query that it came from, or is refused.", needs: need, run: func(c *conversation) {
			c.users(3)
			next := c.next(c.page("&cursor=&count=1"))
			c.cursorError(c.send("GET", `/Users?filter=userName eq "other"&count=1&cursor=`+next, ""))
		}},
		{id: "N-005", about: "A page is never longer than count; 0 and less give the total alone.", needs: need, run: func(c *conversation) {
			c.users(3)
			if a := c.page("&cursor=&count=2"); len(a.resources()) > 2 {
				c.errorf("%v\n\twant at most 2 resources", a)
			}
			for _, count := range []string{"0", "-1"} {
				a := c.send("GET", "/Users?filter="+c.mine()+"&cursor=&count="+count, "")
				if c.want(a, 200, 400); len(a.resources()) > 0 {
					c.errorf("%v\n\twant no resources", a)
				}
			}
		}},
		{id: "N-006", about: "A malformed or forged cursor is 400 invalidCursor.", needs: need, run: func(c *conversation) {
			c.cursorError(c.send("GET", "/Users?count=1&cursor=zzz", ""))
			c.users(3)
			next := c.next(c.page("&cursor=&count=1"))
			forged := next[:len(next)/2] + flip(next[len(next)/2]) + next[len(next)/2+1:]
			c.cursorError(c.send("GET", "/Users?filter="+c.mine()+"&count=1&cursor="+forged, ""))
		}},
		{id: "N-008", about: "A count out of range, or another one than at first, is clamped or 400 invalidCount.", needs: need, run: func(c *conversation) {
			c.users(3)
			next := c.next(c.page("&cursor=&count=1"))
			for _, query := range []string{"&cursor=&count=999999999", "&count=2&cursor=" + next} {
				a := c.send("GET", "/Users?filter="+c.mine()+query, "")
				if a.Status != 200 {
					c.wantError(a, 400, "invalidCount")
				} else if len(a.resources()) == 0 {
					c.errorf("%v\n\twant a page, or an error", a)
				}
			}
		}},
		{id: "N-009", about: "The total may be missing, and is right where it is there.", needs: need, run: func(c *conversation) {
			c.users(3)
			a := c.page("&cursor=&count=2")
			if total := a.get("totalResults"); total != nil && jsonvalue.Text(total) != "3" {
				c.errorf("%v\n\ttotalResults: want 3 or none, got %s", a, jsonvalue.Text(total))
			}
		}},
		{id: "N-010", about: "Sorting works with cursors.", needs: append(need, "sort"), run: func(c *conversation) {
			names := c.walk("&sortBy=userName&sortOrder=descending")
			if !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(b, a) }) {
				c.errorf("the pages of a list in descending order have %v", names)
			}
		}},
		{id: "N-011", about: "A server may page by cursors only; then every list that goes on has one.", needs: need, run: func(c *conversation) {
			c.users(2)
			a := c.page("&count=1")
			if get(c.server.config, "pagination", "index") != true && str(a.get("nextCursor")) == "" {
				c.errorf("%v\n\twant nextCursor, since there is no paging by index", a)
			}
		}},
		{id: "N-012", about: "One of two ways of paging is the default, as ServiceProviderConfig says.", needs: need, run: func(c *conversation) {
			c.users(2)
			a := c.page("&count=1")
			byCursor := str(a.get("nextCursor")) != ""
			if method := get(c.server.config, "pagination", "defaultPaginationMethod"); method != nil && byCursor != (method == "cursor") {
				c.errorf("%v\n\tServiceProviderConfig says that the default is %s", a, jsonvalue.Text(method))
			}
		}},
		{id: "N-013", about: "startIndex and cursor together are 400 invalidValue.", needs: need, run: func(c *conversation) {
			c.wantError(c.send("GET", "/Users?startIndex=1&cursor=&count=1", ""), 400, "invalidValue")
		}},
		{id: "N-014", about: "Searches take cursors in the body.", needs: append(need, "search"), run: func(c *conversation) {
			c.users(3)
			search := func(cursor string) *answer {
				return c.want(c.send("POST", "/Users/.search", fmt.Sprintf(`{"schemas":[%q],"filter":%s,"count":2,"cursor":%q}`, searchURN, jsonvalue.Text(c.mine()), cursor)), 200)
			}
			first := search("")
			second := search(c.next(first))
			if len(first.resources()) != 2 || len(second.resources()) != 1 || str(second.get("nextCursor")) != "" {
				c.errorf("%v\n\twant the third of three users, without nextCursor", second)
			}
		}},
		{id: "N-015", about: "The configuration describes pagination.", needs: []string{"cursor"}, run: func(c *conversation) {
			p := get(c.server.config, "pagination")
			for _, key := range []string{"cursor", "index"} {
				if _, ok := get(p, key).(bool); !ok {
					c.errorf("/ServiceProviderConfig: pagination.%s: want true or false, got %s", key, jsonvalue.Text(get(p, key)))
				}
			}
		}},
		{id: "N-016", about: "A cursor grants no access: another tenant's is refused.", needs: append(need, "tenants"), run: (*conversation).foreignCursor},
		{id: "N-017", about: "Cursors are opaque: they do not show what they stand for.", needs: need, run: func(c *conversation) {
			c.users(3)
			if next := c.next(c.page("&cursor=&count=1&sortBy=userName")); strings.Contains(next, c.run) {
				c.errorf("the cursor %q shows the name of a user", next)
			}
		}},
		{id: "N-018", about: "Cursors stay good while others are made.", needs: need, run: func(c *conversation) {
			c.users(3)
			next := c.next(c.page("&cursor=&count=1"))
			for range 50 {
				c.page("&cursor=&count=1")
			}
			c.want(c.send("GET", "/Users?filter="+c.mine()+"&count=1&cursor="+next, ""), 200)
		}},
	}
}

func (c *conversation) users(n int) {
	for i := range n {
		c.user(fmt.Sprint("u", i), nil)
	}
}

// page lists what the check created.
func (c *conversation) page(query string) *answer {
	return c.want(c.send("GET", "/Users?filter="+c.mine()+query, ""), 200)
}

// next returns the cursor of an answer that must have one.
func (c *conversation) next(a *answer) string {
	next := str(a.get("nextCursor"))
	if next == "" {
		c.fatalf("%v\n\twant nextCursor", a)
	}
	return next
}

// walk follows cursors through all users of the check.
func (c *conversation) walk(query string) []string {
	const n = 5
	c.users(n)
	var names []string
	a := c.page("&cursor=&count=2" + query)
	for range n {
		names = append(names, c.names(a.resources())...)
		next := str(a.get("nextCursor"))
		if next == "" {
			break
		}
		a = c.page("&count=2&cursor=" + next + query)
	}
	sorted := slices.Sorted(slices.Values(names))
	if len(names) != n || len(slices.Compact(sorted)) != n {
		c.errorf("following nextCursor gives %v, want each of %d users once; the last page:\n\t%v", names, n, a)
	}
	return names
}

// cursorError fails the check unless a cursor was refused.
func (c *conversation) cursorError(a *answer) { c.wantError(a, 400, "invalidCursor") }

// flip returns another character that a cursor may have.
func flip(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func (c *conversation) foreignCursor() {
	c.users(3)
	next := c.next(c.page("&cursor=&count=1"))
	a := c.send("GET", "/Users?filter="+c.mine()+"&count=1&cursor="+next, "", "Authorization", "Bearer ${other_token}")
	if a.Status == 200 {
		c.errorf("%v\n\twant the cursor of another tenant to be refused", a)
	} else if a.Status != 403 {
		c.cursorError(a)
	}
}
