package roles

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/storage"
)

// Run keeps one tenant in step until the context is done, whose error it returns.
// What fails is logged and tried again. Several may run for one tenant; a lease in
// the store says who works.
func (r *Reconciler) Run(ctx context.Context, tenant string) error {
	woken, stop := r.wake.add(tenant)
	defer stop()
	every := r.every
	var notified <-chan struct{}
	if n, ok := storage.As[storage.ChangeNotifier](r.store); ok && r.changes != nil {
		var end func()
		notified, end = n.NotifyChanges(tenant)
		defer end()
		if every == 0 {
			every = 30 * time.Second
		}
	} else if every == 0 {
		every = time.Second
	}
	failures := 0
	var w worker
	for {
		next, err := r.catchUp(ctx, tenant, &w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := every
		if !next.IsZero() {
			wait = min(wait, max(next.Sub(r.now()), time.Millisecond))
		}
		if err != nil && !errors.Is(err, errBusy) {
			r.log.ErrorContext(ctx, "roles: the work of a tenant was interrupted", "tenant", tenant, "error", err.Error())
			failures++
			wait = min(100*time.Millisecond<<min(failures, 9), 30*time.Second)
			wait -= rand.N(wait / 2)
		} else {
			failures = 0
		}
		if errors.Is(err, errBusy) {
			wait = min(wait, r.lease/4)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-woken:
		case <-notified:
		}
		t.Stop()
	}
}

// Sync works off everything that is there to do for a tenant now, except for what
// is to be tried again later. While another instance works it waits.
func (r *Reconciler) Sync(ctx context.Context, tenant string) error {
	var w worker
	for {
		_, err := r.catchUp(ctx, tenant, &w)
		if !errors.Is(err, errBusy) {
			return err
		}
		t := time.NewTimer(min(100*time.Millisecond, r.lease/4))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// ReconcileAll looks at all groups and users of a tenant at once. It is never
// needed where there is a change log, and does no harm. Users whom the host's code
// fails for are tried again later, and are in the error.
func (r *Reconciler) ReconcileAll(ctx context.Context, tenant string) error {
	failed := r.stats.failed.Load()
	var p pass
	for _, s := range r.everything() {
		for done := false; !done; {
			var err error
			if done, err = s(ctx, tenant, &p, exemption{}); err != nil {
				return err
			}
		}
		p.After = ""
	}
	if n := r.stats.failed.Load() - failed; n > 0 {
		return fmt.Errorf("roles: the host failed for %d users; they are tried again", n)
	}
	return nil
}

// errBusy says that another instance has the lease.
var errBusy = errors.New("roles: another instance works")

// worker is what one loop remembers between two rounds.
type worker struct {
	// skipped is the position up to which the log holds nothing of interest, which
	// is not worth a write.
	skipped int64
}

// catchUp does everything that is there to do and returns when there is more.
func (r *Reconciler) catchUp(ctx context.Context, tenant string, w *worker) (next time.Time, err error) {
	release, err := r.work.take(ctx, tenant, "")
	if err != nil {
		return next, err
	}
	defer release()
	var t *tenure
	defer func() {
		if t != nil {
			err = errors.Join(err, t.end())
		}
	}()
	for {
		p, err := r.kinds.progress.Get(ctx, r.store, tenant, only)
		if err != nil {
			return next, err
		}
		work, err := r.find(ctx, tenant, max(p.Value.After, w.skipped))
		if err != nil {
			return next, err
		}
		if next = work.next; work.none() {
			w.skipped = max(w.skipped, work.last)
			return next, nil
		}
		if t == nil {
			if t, err = r.begin(ctx, tenant, p); err != nil {
				return next, err
			}
			continue // what there is to do may have been done meanwhile
		}
		if err := r.do(t.ctx, tenant, t, work); err != nil {
			return next, err
		}
		w.skipped = max(w.skipped, work.last)
	}
}

// work is what there is to do.
type work struct {
	changes  []storage.Change
	last     int64 // the position behind the changes that were read
	missed   bool
	settings bool
	todos    []kept.State[todo]
	next     time.Time
}

func (w *work) none() bool {
	return len(w.changes) == 0 && len(w.todos) == 0 && !w.missed && !w.settings
}

const (
	logPage = 200
	// farBehind is how many changes without interest are read before that is noted.
	farBehind = 1000
)

// find looks for work behind a position.
func (r *Reconciler) find(ctx context.Context, tenant string, after int64) (*work, error) {
	w := &work{last: after}
	v, err := r.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	w.settings = v.control.Value.Reconciled != settingsText(v.rules)
	if err := r.readLog(ctx, tenant, w); err != nil {
		return nil, err
	}
	holds, err := r.dueHolds(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if w.todos, w.next, err = r.dueTodos(ctx, tenant); err != nil {
		return nil, err
	}
	if w.next.IsZero() || !holds.IsZero() && holds.Before(w.next) {
		w.next = holds
	}
	return w, nil
}

// readLog reads on to the first page with something of interest: most of what is in
// the log is our own work. When changes were forgotten, everybody is looked at, and
// nothing in the log is of interest.
func (r *Reconciler) readLog(ctx context.Context, tenant string, w *work) error {
	if r.changes == nil {
		return nil
	}
	for {
		changes, err := r.changes.Changes(ctx, tenant, w.last, logPage)
		if err != nil || len(changes) == 0 {
			return err
		}
		w.missed = w.missed || changes[0].Seq > w.last+1
		w.last = changes[len(changes)-1].Seq
		for _, c := range changes {
			if c.Type == "User" || c.Type == "Group" {
				w.changes = append(w.changes, c)
			}
		}
		if w.missed {
			// A group that was created may have rows that wait for it.
			w.changes = slices.DeleteFunc(w.changes, func(c storage.Change) bool { return c.Kind != "created" || c.Type != "Group" })
		}
		if len(changes) < logPage || len(w.changes) > 0 && !w.missed || len(w.changes) >= logPage {
			return nil
		}
	}
}

// do does what was found: first what happened, then one page of each piece of work.
func (r *Reconciler) do(ctx context.Context, tenant string, t *tenure, w *work) error {
	if w.settings || w.missed {
		if err := r.addTodo(ctx, tenant, todo{Kind: todoAll}); err != nil {
			return err
		}
		err := r.edit(ctx, tenant, func(v *view, c *control, _ *storage.Batch) error {
			c.Reconciled = settingsText(v.rules)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(w.changes) > 0 {
		if err := r.happened(ctx, tenant, w.changes); err != nil {
			return err
		}
		r.stats.lag.Store(int64(r.now().Sub(w.changes[len(w.changes)-1].Time)))
	}
	if len(w.changes) > 0 || w.missed || w.last > t.after()+farBehind {
		if err := t.save(w.last); err != nil {
			return err
		}
	}
	for _, k := range w.todos {
		if err := r.doTodo(ctx, tenant, k); err != nil {
			return err
		}
	}
	return nil
}

// tenure is the time in which an instance works for a tenant.
type tenure struct {
	r      *Reconciler
	tenant string
	ctx    context.Context // done when the lease is lost
	cancel context.CancelCauseFunc
	done   sync.WaitGroup

	mu sync.Mutex
	p  kept.State[progress]
}

// begin takes the lease, or returns errBusy.
func (r *Reconciler) begin(ctx context.Context, tenant string, p kept.State[progress]) (*tenure, error) {
	now := r.now()
	if p.Value.Holder != "" && p.Value.Holder != r.name && p.Value.Until.After(now) {
		return nil, errBusy
	}
	p.Value.Holder, p.Value.Until = r.name, now.Add(r.lease)
	if err := r.kinds.progress.Save(ctx, r.store, tenant, now, &p); err != nil {
		if errors.Is(err, storage.ErrConflict) {
			err = errBusy
		}
		return nil, err
	}
	t := &tenure{r: r, tenant: tenant, p: p}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	t.done.Go(t.renew)
	return t, nil
}

// renew renews the lease while the work goes on.
func (t *tenure) renew() {
	tick := time.NewTicker(t.r.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-tick.C:
		}
		if err := t.write(t.ctx, func(p *progress) { p.Until = t.r.now().Add(t.r.lease) }); err != nil {
			t.cancel(err)
			return
		}
	}
}

// after is the position that is noted.
func (t *tenure) after() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.p.Value.After
}

// save notes the position up to which the log is worked off.
func (t *tenure) save(after int64) error {
	return t.write(t.ctx, func(p *progress) { p.After, p.Until = after, t.r.now().Add(t.r.lease) })
}

// end gives the lease back, so that another instance need not wait.
func (t *tenure) end() error {
	t.cancel(nil)
	t.done.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), t.r.lease)
	defer cancel()
	err := t.write(ctx, func(p *progress) { p.Holder, p.Until = "", time.Time{} })
	if errors.Is(err, errBusy) {
		return nil
	}
	return err
}

func (t *tenure) write(ctx context.Context, f func(*progress)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.p.Value)
	err := t.r.kinds.progress.Save(ctx, t.r.store, t.tenant, t.r.now(), &t.p)
	if errors.Is(err, storage.ErrConflict) {
		return errBusy
	}
	return err
}
