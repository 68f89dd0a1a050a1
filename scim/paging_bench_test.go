package scim_test

import (
	"fmt"
	"net/url"
	"os"
	"testing"
)

// BenchmarkCursorPage is a page of a hundred, the first and the last but one: a
// cursor is a position, and going there costs no more than beginning. With
// MUSTER_BENCH_LARGE=1 the last but one is the ten thousandth.
func BenchmarkCursorPage(b *testing.B) {
	n := 100_000
	if os.Getenv("MUSTER_BENCH_LARGE") != "" {
		n = 1_000_000
	}
	srv := newServer(b)
	for i := range n {
		createUser(b, srv, fmt.Appendf(nil, userBody, fmt.Sprintf("user%d@example.com", i)))
	}
	for _, list := range []string{"/Users?count=100", "/Users?count=100&sortBy=userName", "/Users?count=100&sortBy=meta.created&sortOrder=descending", "/?count=100"} {
		cursor := ""
		page := func(n int) {
			b.Run(fmt.Sprintf("%s/%d", list, n), func(b *testing.B) {
				c := newClient(b, srv, "GET", list+"&cursor="+cursor, 200)
				b.ReportAllocs()
				for b.Loop() {
					c.send(nil)
				}
			})
		}
		page(1)
		for range n/100 - 2 {
			cursor = send(b, srv, "GET "+list+"&attributes=id&cursor="+cursor, "").text("nextCursor")
		}
		page(n/100 - 1)
	}
}

// BenchmarkTotal is a full page with the total of its list, and without.
func BenchmarkTotal(b *testing.B) {
	srv := newServer(b)
	fill(b, srv, 20_000)
	for _, filter := range []string{"", `active eq true`, `name.familyName pr`} {
		list := "/Users?count=100"
		if filter != "" {
			list += "&filter=" + url.QueryEscape(filter)
		}
		for name, path := range map[string]string{"with": list, "without": list + "&cursor="} {
			b.Run(fmt.Sprintf("%s/%s", name, filter), func(b *testing.B) {
				c := newClient(b, srv, "GET", path, 200)
				b.ReportAllocs()
				for b.Loop() {
					c.send(nil)
				}
			})
		}
	}
}
