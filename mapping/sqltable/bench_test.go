package sqltable_test

import (
	"fmt"
	"net/http"
	"testing"
)

// BenchmarkUsers are requests at a table of 100,000 users, half of them of the tenant
// that asks.
func BenchmarkUsers(b *testing.B) {
	for _, make := range []func(testing.TB) *database{sqliteDatabase, postgresDatabase} {
		db := make(b)
		db.seed()
		crowd(db)
		srv := newServer(b, newHandler(b, db, users()), nil)
		ask := func(name, line string, body func(i int) string) {
			b.Run(db.name+"/"+name, func(b *testing.B) {
				for i := range b.N {
					if w := request(b, srv, "other", line, body(i)); w.Code != http.StatusOK {
						b.Fatal(w.Body)
					}
				}
			})
		}
		none := func(int) string { return "" }
		ask("look-up", find("PERSON4711@example.com"), none)
		ask("get", "GET /Users/4711", none)
		ask("page of 100", "GET /Users?count=100&cursor", none)
		ask("patch", "PATCH /Users/4711", func(i int) string { return patchTitle(fmt.Sprint(i)) })
	}
}
