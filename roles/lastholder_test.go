package roles_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
)

// All owners are demoted, deactivated and deleted at the same moment, some of them come
// back, and two instances hear of it, of which one tells the host within requests, while
// the host fails now and then. It has an owner at every moment.
func TestThereIsAnOwnerAtEveryMoment(t *testing.T) {
	t.Parallel()
	for round := range 20 {
		settings := roles.WithSettings(roles.Settings{Organisation: &roles.Organisation{}})
		h := newHost(t, settings)
		var shaky atomic.Bool
		ended := false // there was an owner, and is none
		apply := roles.ApplierFunc(func(ctx context.Context, tenant string, changes []roles.Change) error {
			if shaky.Load() && rand.N(4) == 0 {
				return errHost
			}
			err := h.Apply(ctx, tenant, changes)
			time.Sleep(time.Duration(rand.N(100)) * time.Microsecond)
			h.mu.Lock()
			defer h.mu.Unlock()
			owners := 0
			for _, list := range h.roles {
				if list[roles.TheOrganisation()] == "owner" {
					owners++
				}
			}
			ended = ended || owners == 0
			return err
		})
		users := h.users("u", 5)
		role := func(u, role string) {
			h.patch("User", u, `{"op":"replace","path":"roles","value":[{"value":"`+role+`"}]}`)
		}
		for _, u := range users {
			role(u, "owner")
		}
		h.sync()
		ctx, stop := context.WithCancel(t.Context())
		var work, requests sync.WaitGroup
		for n := range 2 {
			options := []roles.Option{settings, roles.WithClock(h.clock), roles.WithLogger(slog.New(slog.DiscardHandler))}
			if n == 0 {
				options = append(options, roles.WithSynchronous(1))
			}
			rec, err := roles.New(h.srv.Directory(), apply, options...)
			if err != nil {
				t.Fatal(err)
			}
			defer h.srv.Subscribe(rec.Handle)()
			work.Go(func() { _ = rec.Run(ctx, tenant) })
		}
		shaky.Store(true)
		for i, u := range users {
			requests.Go(func() {
				switch (i + round) % 3 {
				case 0:
					role(u, "member")
				case 1:
					h.active(u, false)
				default:
					h.delete("User", u)
					return
				}
				if i == round%5 {
					role(u, "Owner")
					role(u, "admin")
				}
			})
		}
		requests.Wait()
		stop()
		work.Wait()
		shaky.Store(false)
		for range 3 {
			h.wait(time.Hour)
			h.sync()
		}
		owners := ""
		for _, u := range users {
			if h.has(u) == "org:owner" {
				owners += fmt.Sprint(" ", u)
			}
		}
		if len(owners) != 37 || ended {
			t.Fatalf("round %d: in the end the owners are%s; without an owner meanwhile: %v", round, owners, ended)
		}
	}
}
