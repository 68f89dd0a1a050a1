package scim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// broken is a store that fails with err once it is set.
type broken struct {
	storage.Store
	err error
}

func (b *broken) Get(ctx context.Context, tenant string, ref storage.Ref) (*storage.Record, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Get(ctx, tenant, ref)
}

func (b *broken) Query(ctx context.Context, q *storage.Query) (*storage.Page, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Query(ctx, q)
}

func (b *broken) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Links(ctx, q)
}

func (b *broken) Commit(ctx context.Context, batch *storage.Batch) (*storage.CommitResult, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Commit(ctx, batch)
}

func TestFailuresOfTheStoreAreNotShown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
		retry  string
	}{
		{errors.New("pq: relation users does not exist"), 500, ""},
		{fmt.Errorf("pq: too many connections: %w", storage.ErrUnavailable), 503, "5"},
		{fmt.Errorf("pq: %w", context.DeadlineExceeded), 503, "5"},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			t.Parallel()
			store := &broken{Store: memory.New()}
			var log bytes.Buffer
			srv, err := scim.New(store, scim.BearerToken("secret"), scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if err != nil {
				t.Fatal(err)
			}
			id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
			group := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "G")).want(t, 201).id()
			store.err = test.err
			for _, c := range [][2]string{
				{"GET /Users/" + id, ""}, {"GET /Users", ""}, {"GET /Groups/" + group, ""},
				{"POST /Users", fmt.Sprintf(userBody, "grace")}, {"PUT /Users/" + id, fmt.Sprintf(userBody, "bea")},
				{"PATCH /Users/" + id, patchBody(`[{"op":"add","path":"title","value":"x"}]`)},
				{"PATCH /Groups/" + group, patchBody(`[{"op":"add","path":"members","value":[{"value":"` + id + `"}]}]`)},
				{"DELETE /Users/" + id, ""},
			} {
				log.Reset()
				a := send(t, srv, c[0], c[1])
				a.wantError(t, test.status, "")
				if strings.Contains(a.Body.String(), "pq") || a.Header().Get("Retry-After") != test.retry {
					t.Errorf("%s: %v %s", c[0], a.Header(), a.Body)
				}
				if !strings.Contains(log.String(), "pq") {
					t.Errorf("%s: the cause is not in the log: %s", c[0], &log)
				}
			}
			send(t, srv, "GET /Schemas", "").want(t, 200)
		})
	}
}

func TestPasswordsOfABulkRequestAreHandedOverWithItsCommit(t *testing.T) {
	t.Parallel()
	for _, atomic := range []bool{false, true} {
		var got []string
		refuse := false
		opts := []scim.Option{
			scim.WithPassword(func(_ context.Context, _ scim.Principal, user *scim.Resource, password string) error {
				got = append(got, user.String("userName")+" "+password)
				return nil
			}),
			scim.WithGuard(func(context.Context, scim.Principal, []scim.Effect) error {
				if refuse {
					return scim.Errorf(403, "", "not while the moon is full")
				}
				return nil
			}),
		}
		if atomic {
			opts = append(opts, scim.WithAtomicBulk())
		}
		srv, id, _ := populated(t, opts...)
		body := bulkBody(
			bulkPost("/Users", "q", `{"userName":"bea","password":"one"}`),
			`{"method":"PATCH","path":"/Users/`+id+`","data":`+patchBody(`[{"op":"replace","path":"password","value":"two"}]`)+`}`,
		)
		refuse = true
		send(t, srv, "POST /Bulk", body).want(t, 200)
		// The second operation changes no attribute, so that by itself there is
		// nothing that a guard could refuse.
		if want := map[bool]string{false: "ada two", true: ""}[atomic]; strings.Join(got, ",") != want {
			t.Errorf("atomic %v, refused: %q", atomic, got)
		}
		got, refuse = nil, false
		if s := statuses(send(t, srv, "POST /Bulk", body).want(t, 200)); strings.Join(s, " ") != "201 200" {
			t.Errorf("atomic %v: statuses %v", atomic, s)
		}
		if strings.Join(got, ",") != "bea one,ada two" {
			t.Errorf("atomic %v: %q", atomic, got)
		}
	}
}
