package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// countOf counts what a filter finds, looking at so many records at most.
func countOf(t *testing.T, s *memory.Store, text string, q storage.Query) (int, error) {
	t.Helper()
	expr, err := filter.Parse(text, filter.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	q.Tenant, q.Type, q.Total = tenant, userType, storage.TotalExact
	if q.Filter, err = filter.Compile(userType, expr, filter.Options{}); err != nil {
		t.Fatal(err)
	}
	page, err := s.Query(context.Background(), &q)
	if err != nil {
		return 0, err
	}
	return page.Total, nil
}

func TestTotalsAreCountedOnceBetweenWrites(t *testing.T) {
	t.Parallel()
	s := filled(t, 50)
	const asked = `name.familyName pr`
	cheaply := storage.Query{MaxScan: 1}
	if _, err := countOf(t, s, asked, cheaply); !errors.Is(err, storage.ErrTooMany) {
		t.Fatalf("nothing was counted before, and yet: %v", err)
	}
	check := func(q storage.Query, text string, want int) {
		t.Helper()
		if n, err := countOf(t, s, text, q); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", text, n, err, want)
		}
	}
	check(storage.Query{}, asked, 50)
	check(cheaply, asked, 50)
	check(storage.Query{Limit: 1, MaxScan: 1}, asked, 50)
	// Other questions are not mixed up with it.
	check(storage.Query{Connection: "okta"}, asked, 0)
	check(storage.Query{}, `not (name.familyName pr)`, 0)
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: users(t)(50)}}})
	if _, err := countOf(t, s, asked, cheaply); !errors.Is(err, storage.ErrTooMany) {
		t.Errorf("an old total outlived a write: %v", err)
	}
	check(storage.Query{}, asked, 51)
	hidden := *users(t)(50)
	hidden.Hidden = true
	commit(t, s, &storage.Batch{Puts: []storage.Put{{Record: &hidden}}})
	check(storage.Query{}, asked, 50)
	check(storage.Query{Hidden: true}, asked, 51)
	// However many questions are asked, only so many totals are kept.
	for i := range 200 {
		check(storage.Query{}, fmt.Sprintf(`name.familyName co "%d"`, i), 0)
	}
	check(storage.Query{}, asked, 50)
}
