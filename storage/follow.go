package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// ChangeNotifier is an optional ability of a store with a [ChangeLog]: telling
// that there are new changes. Without it, [Follow] asks again and again.
type ChangeNotifier interface {
	// NotifyChanges returns a channel that can be received from when changes of the
	// tenant may have been committed since the last time. It holds one signal,
	// however many changes there are; a signal may come without a change, and one
	// may be lost with a connection to the database, so that who waits asks now and
	// then all the same. stop ends the signals. The channel is never closed.
	NotifyChanges(tenant string) (signal <-chan struct{}, stop func())
}

// ErrMissedChanges says that changes were forgotten before they were read. Who
// keeps something by the log has to look at all records again.
var ErrMissedChanges = errors.New("storage: changes were forgotten before they were read")

// Following says how [Follow] reads a change log. Tenant and Handle are
// required.
type Following struct {
	Tenant string
	// Load returns the position up to which changes are handled, 0 to start with
	// the first, and Save keeps it. Without them Follow starts with the first
	// change that is left, each time it is called.
	Load func(context.Context) (int64, error)
	Save func(ctx context.Context, after int64) error
	// Handle handles changes that follow each other, in order of Seq. Changes are
	// handled again when it returns an error, when Save does, or when the process
	// ended in between: so handling one twice must do no harm.
	Handle func(context.Context, []Change) error
	// Missed is called when changes behind position after and before next were
	// forgotten unread. When it returns nil, Follow goes on with next. Without it,
	// Follow returns [ErrMissedChanges].
	Missed func(ctx context.Context, after, next int64) error
	// Failed, when set, is told of errors that Follow tries again after.
	Failed func(error)
	// Limit bounds the changes handled at once; 0 means 100.
	Limit int
	// Every is how often Follow asks whether there are changes: 0 means every second,
	// or with a [ChangeNotifier], where it matters little, every 30 seconds.
	Every time.Duration
}

// Defaults of [Following], and the time that Follow waits after a first failure
// and at most: with each further failure it waits twice as long, less a part
// that is chosen at random.
const (
	followLimit    = 100
	followEvery    = time.Second
	followNotified = 30 * time.Second
	followRetry    = 100 * time.Millisecond
	followMaxRetry = 30 * time.Second
)

// Follow hands a tenant's changes to f.Handle, each at least once and in order,
// until the context is done, whose error it returns. Whatever else fails it tries
// again, waiting longer each time; only a store without a [ChangeLog] is
// [ErrUnsupported], and [ErrMissedChanges] ends it.
//
// A position has one follower at a time. Several may follow a tenant, each with a
// position of its own.
func Follow(ctx context.Context, s Store, f Following) error {
	log, ok := As[ChangeLog](s)
	if !ok {
		return fmt.Errorf("%w: the store has no change log", ErrUnsupported)
	}
	r := follower{Following: f, log: log, every: f.Every, limit: f.Limit}
	if r.limit == 0 {
		r.limit = followLimit
	}
	notifier, notified := As[ChangeNotifier](s)
	if notified {
		signal, stop := notifier.NotifyChanges(f.Tenant)
		defer stop()
		r.signal = signal
	}
	switch {
	case r.every > 0:
	case notified:
		r.every = followNotified
	default:
		r.every = followEvery
	}
	return r.run(ctx)
}

// follower is Follow under way.
type follower struct {
	Following
	log    ChangeLog
	signal <-chan struct{} // nil: there is none
	every  time.Duration
	limit  int

	loaded bool
	after  int64
}

func (r *follower) run(ctx context.Context) error {
	failures := 0
	for {
		more, err := r.step(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrMissedChanges) && r.Missed == nil:
			return err
		case err != nil:
			if r.Failed != nil {
				r.Failed(err)
			}
			r.wait(ctx, backOff(failures), nil)
			failures++
			continue
		}
		if failures = 0; !more {
			r.wait(ctx, r.every, r.signal)
		}
	}
}

// step handles some changes. more reports that there may be others.
func (r *follower) step(ctx context.Context) (more bool, err error) {
	if !r.loaded && r.Load != nil {
		if r.after, err = r.Load(ctx); err != nil {
			return false, err
		}
	}
	changes, err := r.log.Changes(ctx, r.Tenant, r.after, r.limit)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	known := r.loaded || r.Load != nil // a position that somebody means
	if next := changes[0].Seq; known && next > r.after+1 {
		if r.Missed == nil {
			return false, ErrMissedChanges
		}
		if err := r.Missed(ctx, r.after, next); err != nil {
			return false, err
		}
	}
	if err := r.Handle(ctx, changes); err != nil {
		return false, err
	}
	last := changes[len(changes)-1].Seq
	if r.Save != nil {
		if err := r.Save(ctx, last); err != nil {
			return false, err
		}
	}
	r.after, r.loaded = last, true
	return len(changes) == r.limit, nil
}

// wait waits for a time, a signal or the end of the context.
func (r *follower) wait(ctx context.Context, d time.Duration, signal <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-signal:
	}
}

// backOff is the time to wait after so many failures before.
func backOff(failures int) time.Duration {
	d := followMaxRetry
	if failures < 10 {
		d = min(d, followRetry<<failures)
	}
	return d - rand.N(d/2)
}
