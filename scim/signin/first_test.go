package signin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/signin"
	"github.com/musterhq/muster/storage/memory"
)

// mail is a host with credentials and a list of whom it was told of.
type mail struct {
	mu       sync.Mutex
	password map[string]bool // by userName
	sso      map[string]bool
	told     []string
	err      error
}

func (m *mail) first() signin.FirstSignIn {
	return signin.FirstSignIn{
		HasCredential: func(_ context.Context, tenant string, u scim.DirectoryEntry) (bool, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.password[u.Resource.String("userName")], m.err
		},
		SSO: func(_ context.Context, _ string, u scim.DirectoryEntry) (bool, error) {
			return m.sso[u.Resource.String("userName")], nil
		},
		Needed: func(_ context.Context, tenant string, u scim.DirectoryEntry, wait bool) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.told = append(m.told, fmt.Sprintf("%s/%s/%s wait=%v", tenant, u.Connection, u.Resource.String("userName"), wait))
		},
	}
}

func (m *mail) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := strings.Join(m.told, "; ")
	m.told = nil
	return out
}

func TestTheHostIsToldWhoNeedsAFirstSignIn(t *testing.T) {
	t.Parallel()
	m := &mail{password: map[string]bool{"has": true}, sso: map[string]bool{"sso": true}}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newServer(t, memory.New(), scim.WithClock(func() time.Time { return now }))
	defer s.Subscribe(m.first().Subscriber())()
	s.create("ada", "")
	if got := m.take(); got != "acme/entra/ada wait=true" { // the first sync has begun
		t.Error(got)
	}
	now = now.Add(time.Hour)
	bob := s.create("bob", `,"active":false`)
	s.create("has", "")
	s.create("sso", "")
	if got := m.take(); got != "" {
		t.Error(got)
	}
	s.patch(bob, `[{"op":"replace","path":"title","value":"x"}]`)
	s.patch(bob, `[{"op":"replace","path":"active","value":true}]`)
	if got := m.take(); got != "acme/entra/bob wait=false" {
		t.Error(got)
	}
	s.patch(bob, `[{"op":"replace","path":"active","value":false}]`)
	m.password["bob"] = true // chose one
	s.patch(bob, `[{"op":"replace","path":"active","value":true}]`)
	s.send("POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`)
	if got := m.take(); got != "" {
		t.Error(got)
	}
}

func TestPendingFindsAllWhoNeedAFirstSignIn(t *testing.T) {
	t.Parallel()
	m := &mail{password: map[string]bool{}, sso: map[string]bool{}}
	s := newServer(t, memory.New())
	want := map[string]bool{}
	for i := range 25 {
		name := fmt.Sprintf("user%d", i)
		more := ""
		switch i % 4 {
		case 0:
			m.password[name] = true
		case 1:
			m.sso[name] = true
		case 2:
			more = `,"active":false`
		default:
			want[name] = true
		}
		s.create(name, more)
	}
	for _, limit := range []int{1, 4, 25, 1000} {
		got := map[string]bool{}
		pages := 0
		for after := ""; ; pages++ {
			users, next, err := m.first().Pending(t.Context(), s.Directory(), "acme", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				if name := u.Resource.String("userName"); got[name] {
					t.Errorf("%s twice", name)
				} else {
					got[name] = true
				}
			}
			if after = next; after == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || pages > 25/limit {
			t.Errorf("limit %d: %v in %d pages", limit, got, pages+1)
		}
	}
}

func TestWhatIsNotKnownIsLoggedAndFoundLater(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m := &mail{err: errors.New("the database is down")}
	f := m.first()
	f.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := newServer(t, memory.New())
	defer s.Subscribe(f.Subscriber())()
	s.create("ada@example.com", "")
	if m.take() != "" || !strings.Contains(log.String(), "the database is down") || strings.Contains(log.String(), "ada") {
		t.Error(log.String())
	}
	m.err = nil
	if users, _, err := f.Pending(t.Context(), s.Directory(), "acme", "", 10); err != nil || len(users) != 1 {
		t.Error(users, err)
	}
}
