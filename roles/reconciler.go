package roles

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/musterhq/muster/storage"
)

// Reconciler keeps the host in step with users, groups and the table. What happens
// only tells it which users to look at again: for each it works out which roles the
// user should have, compares them with those that the host was told of last, which
// it remembers in the store, and tells the [Applier] of the difference. So nothing
// is lost or done wrongly when events are lost or repeated, when the process is
// killed, or when several instances run; and [Reconciler.ReconcileAll] is the same
// for all users.
//
// A host subscribes it to the server and runs it for every tenant:
//
//	rec, err := roles.New(srv.Directory(), applier, roles.WithSettings(settings))
//	srv.Subscribe(rec.Handle)
//	go rec.Run(ctx, tenant)
//
// It is safe for concurrent use. Several instances, in one process or many, may
// work on one store.
type Reconciler struct {
	dir     Directory
	store   storage.Store
	changes storage.ChangeLog // nil: there is none
	applier Applier
	name    string // of this instance

	rules        *Rules // of tenants without settings of their own
	workspaces   WorkspaceFunc
	held         HeldFunc
	observer     func(context.Context, Event)
	nesting      int
	settling     time.Duration
	limits       Limits
	lastHolders  []Role
	ownLast      bool
	synchronous  int
	lease        time.Duration
	applyTimeout time.Duration
	every        time.Duration
	page         int // how many resources, members or states are held at once
	log          *slog.Logger
	clock        func() time.Time

	kinds kinds
	views views
	users locks // of users, so that calls of the Applier for one do not overlap
	work  locks // of tenants
	wake  wakers
	stats counters
}

// New makes a reconciler that reads dir and tells a.
func New(dir Directory, a Applier, opts ...Option) (*Reconciler, error) {
	if dir == nil || a == nil {
		return nil, errors.New("roles: New needs a directory and an applier")
	}
	r := &Reconciler{
		dir: dir, store: dir.Store(), applier: a, name: rand.Text(),
		lease: 30 * time.Second, applyTimeout: 30 * time.Second, page: 500,
		log: slog.Default(), clock: time.Now, kinds: newKinds(),
	}
	r.changes, _ = storage.As[storage.ChangeLog](r.store)
	var errs []error
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o.apply(r))
		}
	}
	if r.rules == nil {
		rules, err := NewRules(Settings{})
		r.rules = rules
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	return r, nil
}

func (r *Reconciler) now() time.Time { return r.clock().UTC().Truncate(time.Millisecond) }

// observe tells the host and the log.
func (r *Reconciler) observe(ctx context.Context, e Event) {
	attrs := []any{"tenant", e.Tenant}
	if e.Group != "" {
		attrs = append(attrs, "group", e.Group)
	}
	if e.User != "" {
		attrs = append(attrs, "user", e.User)
	}
	if e.Scope != (Scope{}) {
		attrs = append(attrs, "scope", e.Scope.ID)
	}
	if e.Hold != nil {
		attrs = append(attrs, "hold", e.Hold.ID)
	}
	r.log.InfoContext(ctx, "roles: "+string(e.Kind), attrs...)
	if r.observer == nil {
		return
	}
	if err := calling(func() error { r.observer(ctx, e); return nil }); err != nil {
		r.log.ErrorContext(ctx, "roles: the observer failed", "tenant", e.Tenant, "error", err.Error())
	}
}

// locks are mutexes by name.
type locks struct {
	mu   sync.Mutex
	held map[[2]string]*lock
}

type lock struct {
	waiting int
	turn    chan struct{}
}

// take waits until nobody else has the name.
func (l *locks) take(ctx context.Context, tenant, name string) (release func(), err error) {
	key := [2]string{tenant, name}
	l.mu.Lock()
	if l.held == nil {
		l.held = map[[2]string]*lock{}
	}
	k := l.held[key]
	if k == nil {
		k = &lock{turn: make(chan struct{}, 1)}
		l.held[key] = k
	}
	k.waiting++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.waiting--; k.waiting == 0 {
			delete(l.held, key)
		}
	}
	select {
	case k.turn <- struct{}{}:
		return func() { <-k.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// wakers tell those who wait for a tenant's work that there is some.
type wakers struct {
	mu   sync.Mutex
	list map[string]map[chan struct{}]bool
}

func (w *wakers) add(tenant string) (signal chan struct{}, stop func()) {
	signal = make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		w.list = map[string]map[chan struct{}]bool{}
	}
	if w.list[tenant] == nil {
		w.list[tenant] = map[chan struct{}]bool{}
	}
	w.list[tenant][signal] = true
	return signal, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.list[tenant], signal)
	}
}

func (w *wakers) up(tenant string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for signal := range w.list[tenant] {
		select {
		case signal <- struct{}{}:
		default:
		}
	}
}
