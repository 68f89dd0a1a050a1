package scim

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// Subscribe calls f for every change that was committed. It may be called at any
// time; stop ends the subscription.
//
// Events of one resource arrive in the order of its changes as far as the changes
// themselves did not overlap. By default f runs within the request, before the
// client gets its answer; a panic of f is logged and otherwise ignored: the change
// is committed. With [InBackground], f runs in a goroutine of its own, one event
// after the other, and only deactivations and deletions are waited for, so that
// sessions and keys end before the identity provider is told that they have.
//
// It panics when f is nil.
func (s *Server) Subscribe(f Subscriber, opts ...SubscribeOption) (stop func()) {
	if f == nil {
		panic("scim: Subscribe needs a subscriber, not nil")
	}
	sub := &subscription{f: f}
	for _, o := range opts {
		o(sub)
	}
	if sub.queue != nil {
		go sub.work(s)
	}
	s.subscribers.add(sub)
	return sync.OnceFunc(func() {
		s.subscribers.remove(sub)
		if sub.queue != nil {
			close(sub.done)
		}
	})
}

// SubscribeOption adjusts a subscription.
type SubscribeOption func(*subscription)

// InBackground delivers events in the background, queue of them waiting at most:
// when it is full, requests wait.
func InBackground(queue int) SubscribeOption {
	return func(s *subscription) {
		s.queue, s.done = make(chan delivery, max(queue, 0)), make(chan struct{})
	}
}

type subscription struct {
	f     Subscriber
	queue chan delivery
	done  chan struct{}
}

type delivery struct {
	ctx      context.Context
	event    Event
	finished chan struct{} // nil when nobody waits
}

func (sub *subscription) work(s *Server) {
	for {
		select {
		case d := <-sub.queue:
			s.deliver(d.ctx, sub, d.event)
			if d.finished != nil {
				close(d.finished)
			}
		case <-sub.done:
			return
		}
	}
}

func (sub *subscription) send(ctx context.Context, s *Server, e Event) {
	if sub.queue == nil {
		s.deliver(ctx, sub, e)
		return
	}
	d := delivery{ctx: ctx, event: e}
	if e.Deactivates() {
		d.finished = make(chan struct{})
	}
	select {
	case sub.queue <- d:
	case <-sub.done:
		return
	}
	if d.finished != nil {
		select {
		case <-d.finished:
		case <-sub.done:
		}
	}
}

func (s *Server) deliver(ctx context.Context, sub *subscription, e Event) {
	ctx, cancel := context.WithTimeout(ctx, s.hookTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "scim: a subscriber panicked", "type", e.Type.Name(), "kind", e.Kind, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	sub.f(ctx, e)
}

// subscribers is a list that is read on every write and changed hardly ever.
type subscribers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*subscription]
}

func (l *subscribers) all() []*subscription {
	if p := l.list.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *subscribers) any() bool { return len(l.all()) > 0 }

func (l *subscribers) add(sub *subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := append(slices.Clone(l.all()), sub)
	l.list.Store(&next)
}

func (l *subscribers) remove(sub *subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := slices.DeleteFunc(slices.Clone(l.all()), func(s *subscription) bool { return s == sub })
	l.list.Store(&next)
}

// publish tells subscribers of a commit. counts are the link changes of the first
// effect.
func (s *Server) publish(ctx context.Context, op *Operation, w *pending, counts []LinkCount) {
	ctx = context.WithoutCancel(ctx)
	for i, effect := range w.effects {
		e := Event{Effect: effect, Principal: op.Principal, Time: w.batch.Time}
		e.asked = effect.Links
		e.Effect.Links = nil
		if i == 0 {
			e.Links = slices.DeleteFunc(counts, func(c LinkCount) bool { return c.Added+c.Removed == 0 })
		}
		if effect.Kind != Create && effect.Kind != Delete && len(effect.Changes) == 0 && len(e.Links) == 0 && effect.Owner == nil {
			continue // nothing happened
		}
		e.FirstSync = s.syncs.note(ctx, s, op.Principal, effect.Kind == Create, w.batch.Time)
		for _, sub := range s.subscribers.all() {
			sub.send(ctx, s, e)
		}
	}
}
