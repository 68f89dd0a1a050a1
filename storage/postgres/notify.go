package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/storage"
)

var _ storage.ChangeNotifier = (*Store)(nil)

// Followers are woken by NOTIFY, with the tenant as the payload. Committers do
// not send it themselves: PostgreSQL lets those commit one after the other, since
// it delivers in the order of commits. A task of the store's sends it for all
// commits of a moment together; what a process does not get to send before it
// ends is found by followers when they ask anyway.

// notifyPause is the time between two notifications, in which commits gather.
const notifyPause = 20 * time.Millisecond

// notifier tells of changes and listens for them.
type notifier struct {
	store   *Store
	channel string

	mu        sync.Mutex
	changed   map[string]bool // tenants to tell of
	telling   bool
	listeners map[string]map[chan struct{}]bool // by payload
	listening bool
	quit      context.CancelFunc // ends the listening
}

func newNotifier(s *Store) *notifier {
	return &notifier{store: s, channel: s.names.prefix + "changes"}
}

// payload names a tenant in a notification, in less than its limit of 8,000
// bytes. Stores of other schemas share the channel, and are told apart by it.
func (n *notifier) payload(tenant string) string {
	sum := sha256.Sum256([]byte(n.store.names.scope + "\x00" + tenant))
	return hex.EncodeToString(sum[:16])
}

// tell wakes the followers of a tenant, everywhere, in a moment.
func (n *notifier) tell(tenant string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed = map[string]bool{}
	}
	n.changed[tenant] = true
	if !n.telling {
		n.telling = n.store.inBackground(n.tellAll)
	}
}

// tellAll sends notifications until there are none to send.
func (n *notifier) tellAll(ctx context.Context) {
	for {
		n.mu.Lock()
		changed := n.changed
		if n.changed = nil; len(changed) == 0 {
			n.telling = false
			n.mu.Unlock()
			return
		}
		n.mu.Unlock()
		payloads := make([]string, 0, len(changed))
		for tenant := range changed {
			payloads = append(payloads, n.payload(tenant))
		}
		// A failure costs followers a little time, nothing else.
		_, _ = n.store.pool.Exec(ctx, `SELECT pg_notify($1, p) FROM unnest($2::text[]) AS p`, n.channel, payloads)
		if pause(ctx, notifyPause) != nil {
			return
		}
	}
}

// NotifyChanges implements [storage.ChangeNotifier]. While anybody follows, the
// store keeps a connection of its pool for it.
func (s *Store) NotifyChanges(tenant string) (signal <-chan struct{}, stop func()) {
	n, c := s.notifier, make(chan struct{}, 1)
	p := n.payload(tenant)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = map[string]map[chan struct{}]bool{}
	}
	if n.listeners[p] == nil {
		n.listeners[p] = map[chan struct{}]bool{}
	}
	n.listeners[p][c] = true
	if !n.listening {
		n.listening = s.inBackground(func(ctx context.Context) {
			ctx, quit := context.WithCancel(ctx)
			defer quit()
			n.mu.Lock()
			n.quit = quit
			if len(n.listeners) == 0 { // all left before this began
				n.listening, n.quit = false, nil
				quit()
			}
			n.mu.Unlock()
			n.listen(ctx)
		})
	}
	return c, func() { n.leave(p, c) }
}

func (n *notifier) leave(payload string, c chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners[payload], c)
	if len(n.listeners[payload]) == 0 {
		delete(n.listeners, payload)
	}
	if len(n.listeners) == 0 && n.quit != nil {
		n.quit() // who comes now starts anew
		n.listening, n.quit = false, nil
	}
}

// listen hands notifications on, over one connection after the other.
func (n *notifier) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.listenOnce(ctx); err != nil && pause(ctx, time.Second) != nil {
			return
		}
	}
}

func (n *notifier) listenOnce(ctx context.Context) error {
	pooled, err := n.store.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack() // it listens, so nobody else gets it
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{n.channel}.Sanitize()); err != nil {
		return err
	}
	n.wake("") // for what was missed
	for {
		got, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		n.wake(got.Payload)
	}
}

// wake signals the listeners of a tenant, or all of them.
func (n *notifier) wake(payload string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for p, of := range n.listeners {
		if p == payload || payload == "" {
			for c := range of {
				select {
				case c <- struct{}{}:
				default: // it holds one
				}
			}
		}
	}
}
