package storagetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

// check is one run of one rule. It keeps a trail of what was done, which every
// failure shows.
type check struct {
	testing.TB
	rule   rule
	store  storage.Store
	tenant string

	seed uint64 // of what was chosen at random; 0: nothing was

	mu    sync.Mutex
	trail []string
	ticks int
}

func newCheck(tb testing.TB, r rule, s storage.Store) *check {
	return &check{TB: tb, rule: r, store: s, tenant: "tenant-" + strings.ToLower(rand.Text())}
}

func (c *check) run() { c.rule.check(c) }

func (c *check) ctx() context.Context { return c.Context() }

// now returns a later time with each call, exact to the microsecond, which is
// what a store keeps at least.
func (c *check) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticks++
	return time.Date(2026, 3, 4, 5, 6, 7, 123_456_000, time.UTC).Add(time.Duration(c.ticks) * 1_000_001 * time.Microsecond)
}

// did adds to the trail, of which the end is kept.
func (c *check) did(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trail = append(c.trail, fmt.Sprintf(format, args...)); len(c.trail) > 12 {
		c.trail = append([]string{"…"}, c.trail[len(c.trail)-11:]...)
	}
}

// broken ends the check: the rule does not hold. The message says what was
// expected and what came.
func (c *check) broken(format string, args ...any) {
	c.Helper()
	c.mu.Lock()
	trail := slices.Clone(c.trail)
	c.mu.Unlock()
	if c.seed != 0 {
		trail = append([]string{fmt.Sprintf("STORAGETEST_SEED=%d", c.seed)}, trail...)
	}
	c.Fatalf("\nrule:  %s\nsays:  %s\nafter: %s\nfound: %s",
		c.rule.name, c.rule.says, strings.Join(trail, "\n       "), fmt.Sprintf(format, args...))
}

// ability skips the check when the store lacks what it is about.
func (c *check) ability(name string, ok bool) {
	c.Helper()
	if !ok {
		c.Skipf("the store is no storage.%s", name)
	}
}

// commit commits a batch that must succeed. It fills in tenant and time.
func (c *check) commit(b storage.Batch) *storage.CommitResult {
	c.Helper()
	c.complete(&b)
	res, err := c.store.Commit(c.ctx(), &b)
	c.did("Commit(%s)", describe(&b))
	if err != nil {
		c.broken("it failed: %v; want success", err)
	}
	if len(res.Puts) != len(b.Puts) || len(res.Links) != len(b.Links) {
		c.broken("%d results for puts and %d for link edits; want %d and %d", len(res.Puts), len(res.Links), len(b.Puts), len(b.Links))
	}
	return res
}

// refuse commits a batch that must fail with want for ref.
func (c *check) refuse(b storage.Batch, want error, ref storage.Ref) *storage.CommitError {
	c.Helper()
	c.complete(&b)
	_, err := c.store.Commit(c.ctx(), &b)
	c.did("Commit(%s) = %v", describe(&b), err)
	e := c.commitError(err, want)
	if e.Ref != ref {
		c.broken("the error names %s; want %s", name(e.Ref), name(ref))
	}
	return e
}

// commitError demands that an error is a [*storage.CommitError] of a kind.
func (c *check) commitError(err, want error) (e *storage.CommitError) {
	c.Helper()
	switch {
	case err == nil:
		c.broken("it succeeded; want a *CommitError of %q", want)
	case !errors.As(err, &e):
		c.broken("error %v is no *CommitError; want one of %q", err, want)
	case !errors.Is(err, want):
		c.broken("error %v; want one of %q", err, want)
	}
	return e
}

func (c *check) complete(b *storage.Batch) {
	if b.Tenant == "" {
		b.Tenant = c.tenant
	}
	if b.Time.IsZero() {
		b.Time = c.now()
	}
}

// put commits records that must be accepted.
func (c *check) put(records ...*storage.Record) {
	c.Helper()
	c.commit(storage.Batch{Puts: puts(records...)})
}

// edit commits one link edit that must be accepted.
func (c *check) edit(e storage.LinkEdit) storage.LinkResult {
	c.Helper()
	return c.commit(storage.Batch{Links: []storage.LinkEdit{e}}).Links[0]
}

// get reads a record that must be there.
func (c *check) get(ref storage.Ref) *storage.Record {
	c.Helper()
	r, err := c.store.Get(c.ctx(), c.tenant, ref)
	if err != nil {
		c.broken("Get(%s) = %v; want the record", name(ref), err)
	}
	if r.Ref != ref {
		c.broken("Get(%s) returned %s", name(ref), name(r.Ref))
	}
	return r
}

// gone demands that a record does not exist.
func (c *check) gone(ref storage.Ref) {
	c.Helper()
	if _, err := c.store.Get(c.ctx(), c.tenant, ref); !errors.Is(err, storage.ErrNotFound) {
		c.broken("Get(%s): error %v; want ErrNotFound", name(ref), err)
	}
}

// version demands a record's version.
func (c *check) version(ref storage.Ref, want int64) {
	c.Helper()
	if r := c.get(ref); r.Version != want {
		c.broken("%s has version %d; want %d", name(ref), r.Version, want)
	}
}

// unmoved demands that a record is at the version and time that it had.
func (c *check) unmoved(was *storage.Record) {
	c.Helper()
	if r := c.get(was.Ref); r.Version != was.Version || !r.Modified.Equal(was.Modified) {
		c.broken("%s moved from version %d of %v to %d of %v; want it left alone", name(was.Ref), was.Version, was.Modified, r.Version, r.Modified)
	}
}

// moved demands that a record went one version up, at a time.
func (c *check) moved(was *storage.Record, at time.Time) {
	c.Helper()
	r := c.get(was.Ref)
	if r.Version != was.Version+1 {
		c.broken("%s went from version %d to %d; want one step", name(was.Ref), was.Version, r.Version)
	}
	if !r.Modified.Equal(at) {
		c.broken("%s was modified at %v; want the batch's time %v", name(was.Ref), r.Modified, at)
	}
}

// read reads links.
func (c *check) read(q storage.LinkQuery) []storage.Link {
	c.Helper()
	if q.Tenant == "" {
		q.Tenant = c.tenant
	}
	links, err := c.store.Links(c.ctx(), &q)
	if err != nil {
		c.broken("Links(%+v): error %v", q, err)
	}
	return links
}

// readsAs demands what reading links gives, in order.
func (c *check) readsAs(q storage.LinkQuery, want ...storage.Link) {
	c.Helper()
	if got := c.read(q); !slices.Equal(got, want) {
		c.broken("Links(%+v)\n       = %v\n  want = %v", q, got, want)
	}
}

// members demands the links of a group, as they are read from it and from its
// targets, in the order of references.
func (c *check) members(group storage.Ref, want ...storage.Ref) {
	c.Helper()
	var links []storage.Link
	for _, to := range slices.SortedFunc(slices.Values(want), storage.Ref.Compare) {
		links = append(links, storage.Link{Of: group, To: to})
		c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{to}, Inverse: true, Other: []storage.Ref{group}}, storage.Link{Of: to, To: group})
	}
	c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{group}}, links...)
}

// groups demands the groups of a record.
func (c *check) groups(of storage.Ref, want ...storage.Ref) {
	c.Helper()
	var links []storage.Link
	for _, to := range want {
		links = append(links, storage.Link{Of: of, To: to})
	}
	c.readsAs(storage.LinkQuery{Relation: groupMembers, Of: []storage.Ref{of}, Inverse: true}, links...)
}
