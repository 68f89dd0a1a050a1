package memory

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

// quietTenant has one record and has not been read for long.
func quietTenant(t *testing.T) *tenant {
	t.Helper()
	n := newTenant(10)
	for range 2 * quiet {
		mustCommit(t, n, &storage.Batch{Puts: []storage.Put{{Record: testRecord("a")}}})
	}
	if n.published.Load() != nil {
		t.Fatal("a tenant that nobody reads publishes")
	}
	return n
}

func TestReadersMakeATenantPublish(t *testing.T) {
	t.Parallel()
	n := quietTenant(t)
	for range quiet - 1 {
		if _, err := n.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range quiet - 1 { // a reader now and then is enough
			mustCommit(t, n, &storage.Batch{Puts: []storage.Put{{Record: testRecord("a")}}})
			if n.published.Load() == nil {
				t.Fatal("it stopped too soon")
			}
		}
	}
}

func TestALargeBatchPublishesBeforeItStarts(t *testing.T) {
	t.Parallel()
	a := storage.Ref{Type: "User", ID: "a"}
	hidden := testRecord("a")
	hidden.Hidden = true
	many := make([]storage.Ref, usual)
	for name, b := range map[string]*storage.Batch{
		"many links":  {Links: []storage.LinkEdit{{Owner: a, Add: many}}},
		"many puts":   {Puts: make([]storage.Put, usual+1)},
		"a delete":    {Deletes: []storage.Delete{{Ref: a}}},
		"a hidden":    {Puts: []storage.Put{{Record: hidden}}},
		"a reset":     {Links: []storage.LinkEdit{{Owner: a, Reset: true}}},
		"many remove": {Links: []storage.LinkEdit{{Owner: a, Remove: many}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := quietTenant(t)
			for i := range b.Puts {
				if b.Puts[i].Record == nil {
					b.Puts[i].Record = testRecord("a")
				}
			}
			missing := storage.Delete{Ref: storage.Ref{Type: "User", ID: "missing"}}
			failing := *b
			failing.Deletes = append([]storage.Delete{missing}, b.Deletes...)
			if !isLarge(b) {
				t.Error("it counts as small")
			}
			if _, err := n.commit(t.Context(), &failing); !errors.Is(err, storage.ErrNotFound) {
				t.Fatal(err)
			}
			if n.published.Load() == nil {
				t.Error("nothing is published for readers that come meanwhile")
			}
		})
	}
	if isLarge(&storage.Batch{Puts: []storage.Put{{Record: testRecord("a")}}, Links: []storage.LinkEdit{{Owner: a, Add: many[:1]}}}) {
		t.Error("one put and one link count as large")
	}
}

func TestWhoWaitsForAWriterLeavesWithTheContext(t *testing.T) {
	t.Parallel()
	n := quietTenant(t)
	s := New()
	s.tenants.Store("acme", n)
	if err := n.lock(t.Context()); err != nil { // a writer at work
		t.Fatal(err)
	}
	defer n.unlock()
	for name, call := range map[string]func(context.Context) error{
		"Get": func(ctx context.Context) error {
			_, err := s.Get(ctx, "acme", storage.Ref{Type: "User", ID: "a"})
			return err
		},
		"Links": func(ctx context.Context) error {
			_, err := s.Links(ctx, &storage.LinkQuery{Tenant: "acme"})
			return err
		},
		"Commit": func(ctx context.Context) error {
			_, err := s.Commit(ctx, &storage.Batch{Tenant: "acme"})
			return err
		},
		"TrimChanges": func(ctx context.Context) error { return s.TrimChanges(ctx, "acme", time.Now()) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
