package memory_test

import (
	"context"
	"fmt"
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// A host gives the store to its server and is done. Seeding one for a test shows
// how the server itself uses it: records are made from resources, and a batch
// takes effect as a whole.
func Example() {
	ctx, store := context.Background(), memory.New()
	users := schema.MustCompile(schema.User(), schema.Group())
	groups := schema.MustCompile(schema.Group(), schema.User())

	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	made := func(b *resource.Builder, id string) *storage.Record {
		r, err := b.Meta(resource.Meta{ID: id, Created: now}).Build()
		if err != nil {
			panic(err)
		}
		return storage.NewRecord(r, "entra")
	}
	ada := made(resource.New(users).Set("userName", "Ada@example.com").Set("displayName", "Ada"), "u1")
	crew := made(resource.New(groups).Set("displayName", "Crew"), "g1")
	_, err := store.Commit(ctx, &storage.Batch{
		Tenant: "acme", Time: now,
		Puts:  []storage.Put{{Record: ada}, {Record: crew}},
		Links: []storage.LinkEdit{{Owner: crew.Ref, Relation: "members", Add: []storage.Ref{ada.Ref}}},
	})
	if err != nil {
		panic(err)
	}

	links, err := store.Links(ctx, &storage.LinkQuery{
		Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"},
		Of: []storage.Ref{ada.Ref}, Inverse: true, Labels: true,
	})
	if err != nil {
		panic(err)
	}
	for _, l := range links {
		fmt.Printf("%s is in %s (%s)\n", l.Of.ID, l.Label, l.To.ID)
	}
	// Output: u1 is in Crew (g1)
}

// A follower reads the change log by position. When the log was full in between,
// the first change that comes is not the next one, and the follower starts over.
func ExampleWithChangeLog() {
	ctx, store := context.Background(), memory.New(memory.WithChangeLog(2))
	for i := range 5 {
		r := &storage.Record{Ref: storage.Ref{Type: "User", ID: fmt.Sprint("u", i)}, Doc: []byte("{}")}
		if _, err := store.Commit(ctx, &storage.Batch{Tenant: "acme", Puts: []storage.Put{{Record: r}}}); err != nil {
			panic(err)
		}
	}
	position := int64(1)
	changes, err := store.Changes(ctx, "acme", position, 100)
	if err != nil {
		panic(err)
	}
	if changes[0].Seq != position+1 {
		fmt.Println("missed", changes[0].Seq-position-1, "changes")
	}
	for _, c := range changes {
		fmt.Println(c.Seq, c.ID)
	}
	// Output:
	// missed 2 changes
	// 4 u3
	// 5 u4
}
