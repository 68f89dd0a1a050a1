//go:build !race

package scim_test

import (
	"strconv"
	"strings"
	"testing"
)

// What docs/performance.md says of allocations, which do not depend on the machine. The
// race detector empties pools at random, so that these tests are not built with it.
func TestAllocationsOfRequests(t *testing.T) { // not parallel: it counts allocations
	srv := newServer(t)
	ids := fill(t, srv, 200)
	before, after, _ := strings.Cut(string(userNamed(t, entraBody(t), "@@")), "@@")
	n := 0
	for _, c := range []struct {
		method, path string
		want         int
		body         func() string
		most         float64
	}{
		{"POST", "/Users", 201, func() string { n++; return before + strconv.Itoa(n) + after }, 39},
		{"GET", "/Users/" + ids[7], 200, func() string { return "" }, 6},
		{"GET", "/Users?filter=userName+eq+%22user7%40example.com%22", 200, func() string { return "" }, 20},
		{"GET", "/Users?count=10", 200, func() string { return "" }, 30},
		{"GET", "/Users?count=100", 200, func() string { return "" }, 34},
	} {
		client := newClient(t, srv, c.method, c.path, c.want)
		bodies := make([][]byte, 202)
		for i := range bodies {
			bodies[i] = []byte(c.body())
		}
		i := 0
		got := testing.AllocsPerRun(200, func() { client.send(bodies[i]); i++ })
		if got > c.most {
			t.Errorf("%s %s: %v allocations, at most %v are meant", c.method, c.path, got, c.most)
		}
	}
}
