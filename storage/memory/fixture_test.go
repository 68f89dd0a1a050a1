package memory_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

const (
	tenant     = "acme"
	connection = "entra"
)

var (
	userType  = schema.MustCompile(schema.User(), schema.Group())
	groupType = schema.MustCompile(schema.Group(), schema.User())
	members   = storage.Relation{Owner: "Group", Name: "members"}
	day       = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
)

// id makes a random-looking identifier of the form that servers usually assign.
func id(kind string, i int) string {
	var b [16]byte
	r := rand.New(rand.NewPCG(uint64(i), uint64(kind[0])))
	binary.BigEndian.PutUint64(b[:], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-4" + s[13:16] + "-" + s[16:20] + "-" + s[20:]
}

func user(i int) storage.Ref  { return storage.Ref{Type: "User", ID: id("user", i)} }
func group(i int) storage.Ref { return storage.Ref{Type: "Group", ID: id("group", i)} }

func userName(i int) string { return fmt.Sprintf("user.%07d@nordlys.example", i*7919%10_000_000) }

// users makes records like those of a provisioned company: the example user of
// package resource, with names, address and identifiers of their own.
func users(t testing.TB) func(i int) *storage.Record {
	t.Helper()
	b, err := os.ReadFile("../../scim/resource/testdata/user.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(i int) *storage.Record {
		body := strings.NewReplacer(
			"ines.falk@nordlys.example", userName(i),
			"7d1c0b52-5f0e-4a83-9c3e-2f6b1d8a4e90", id("external", i),
			"Ines Falk", fmt.Sprintf("Ines Falk %d", i),
			"40312", fmt.Sprint(i),
		).Replace(string(b))
		d, err := resource.Decode(userType, []byte(body), resource.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r := d.Resource.WithMeta(resource.Meta{ID: user(i).ID, Created: day.Add(time.Duration(i) * time.Millisecond)})
		return storage.NewRecord(r, connection)
	}
}

func groupRecord(t testing.TB, i int) *storage.Record {
	t.Helper()
	r, err := resource.New(groupType).Set("displayName", fmt.Sprintf("Group %d", i)).Build()
	if err != nil {
		t.Fatal(err)
	}
	return storage.NewRecord(r.WithMeta(resource.Meta{ID: group(i).ID, Created: day}), connection)
}

func commit(t testing.TB, s storage.Store, b *storage.Batch) *storage.CommitResult {
	t.Helper()
	b.Tenant = tenant
	if b.Time.IsZero() {
		b.Time = day
	}
	r, err := s.Commit(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// filled makes a store with n users, put in batches of 100.
func filled(t testing.TB, n int) *memory.Store {
	t.Helper()
	s := memory.New()
	user := users(t)
	for i := 0; i < n; {
		b := &storage.Batch{Time: day.Add(time.Duration(i) * time.Millisecond)}
		for ; i < n && len(b.Puts) < 100; i++ {
			b.Puts = append(b.Puts, storage.Put{Record: user(i), IfAbsent: true})
		}
		commit(t, s, b)
	}
	return s
}

// addGroup puts a group whose members are the first m users.
func addGroup(t testing.TB, s storage.Store, i, m int) {
	t.Helper()
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: groupRecord(t, i)}}})
	for k := 0; k < m; {
		e := storage.LinkEdit{Owner: group(i), Relation: "members", Missing: storage.MissingKeep}
		for ; k < m && len(e.Add) < 1000; k++ {
			e.Add = append(e.Add, user(k))
		}
		commit(t, s, &storage.Batch{Links: []storage.LinkEdit{e}})
	}
}
