package scim_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// tally is a guard that counts commits in a record of its own.
func tally(ctx context.Context, p scim.Principal, _ []scim.Effect) error {
	c, ok := scim.CommitFromContext(ctx)
	if !ok {
		return errors.New("no commit")
	}
	ref := storage.Ref{Type: "tally", ID: "one"}
	rec, err := c.Directory().Store().Get(ctx, p.Tenant, ref)
	put := storage.Put{IfAbsent: true}
	n := 0
	switch {
	case err == nil:
		n, _ = strconv.Atoi(string(rec.Doc))
		put = storage.Put{IfVersion: rec.Version}
	case !errors.Is(err, storage.ErrNotFound):
		return err
	}
	put.Record = &storage.Record{Ref: ref, Created: c.Time(), Doc: fmt.Appendf(nil, "%d", n+1)}
	return c.Keep(put)
}

// counted is what tally has counted.
func counted(t *testing.T, st storage.Store) string {
	t.Helper()
	rec, err := st.Get(t.Context(), "", storage.Ref{Type: "tally", ID: "one"})
	if errors.Is(err, storage.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(rec.Doc)
}

func TestWhatAGuardKeepsIsCommittedWithTheWriteOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]scim.Option{"apart": nil, "atomic": {scim.WithAtomicBulk()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t, append(opts, scim.WithGuard(tally))...)
			st := srv.Directory().Store()
			id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
			send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409)
			send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"x"}]`)).want(t, 200)
			send(t, srv, "PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"title","value":"x"}]`)).want(t, 200) // changes nothing
			if got := counted(t, st); got != "2" {
				t.Errorf("%s commits were counted", got)
			}
			group := send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "g")).want(t, 201).id()
			send(t, srv, "PATCH /Groups/"+group, patchBody(`[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]`)).want(t, 204)
			a := send(t, srv, "GET /Groups/"+group, "").want(t, 200)
			if got := counted(t, st); got != "4" || len(a.values("members")) != 1 {
				t.Errorf("%s commits were counted: %s", got, a.Body)
			}
			a = send(t, srv, "POST /Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
				{"method":"POST","path":"/Users","bulkId":"a","data":`+fmt.Sprintf(userBody, "bob")+`},
				{"method":"DELETE","path":"/Users/`+id+`"}]}`).want(t, 200)
			want := map[string]string{"apart": "6", "atomic": "5"}[name]
			if got := counted(t, st); got != want {
				t.Errorf("%s commits were counted, want %s: %s", got, want, a.Body)
			}
		})
	}
}

func TestGuardsThatKeepAccountAreExactInParallel(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithGuard(tally))
	id := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "shared")).want(t, 201).id()
	const workers, each = 8, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if w%2 == 0 {
					send(t, srv, "POST /Users", fmt.Sprintf(userBody, fmt.Sprintf("u%d-%d", w, i))).want(t, 201)
				} else {
					send(t, srv, "PATCH /Users/"+id, patchBody(fmt.Sprintf(`[{"op":"replace","path":"title","value":"%d-%d"}]`, w, i))).want(t, 200)
				}
			}
		})
	}
	wg.Wait()
	if got := counted(t, srv.Directory().Store()); got != strconv.Itoa(workers*each+1) {
		t.Errorf("%s of %d commits were counted", got, workers*each+1)
	}
}

func TestTwoGuardsCannotKeepOneRecord(t *testing.T) {
	t.Parallel()
	srv := newServer(t, scim.WithGuard(tally, tally))
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).wantError(t, 500, "")
	if got := counted(t, srv.Directory().Store()); got != "" {
		t.Errorf("%s commits were counted", got)
	}
}

func TestThereIsACommitInGuardsOnly(t *testing.T) {
	t.Parallel()
	found := false
	look := func(ctx context.Context) {
		_, ok := scim.CommitFromContext(ctx)
		found = found || ok
	}
	srv := newServer(t, scim.WithGuard(tally), scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		look(ctx)
		return next(ctx, op)
	}))
	srv.Subscribe(func(ctx context.Context, _ scim.Event) { look(ctx) })
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201)
	if found {
		t.Error("a commit was found outside of a guard")
	}
}

// failingCreates is a handler whose creates fail after the guards have agreed.
type failingCreates struct{ scim.ResourceHandler }

func (failingCreates) Create(context.Context, string, *scim.Resource) (*scim.Resource, error) {
	return nil, scim.NotUnique("userName")
}

func TestWithAHandlerWhatAGuardKeepsIsWrittenBefore(t *testing.T) {
	t.Parallel()
	st := memory.New()
	handled := false
	srv, err := scim.New(st, scim.BearerToken("secret"), scim.WithHandler(newServer(t).Type("User").Declaration(), failingCreates{}),
		scim.WithGuard(tally, func(ctx context.Context, _ scim.Principal, _ []scim.Effect) error {
			c, _ := scim.CommitFromContext(ctx)
			handled = c.Handled()
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 409)
	if got := counted(t, st); got != "1" || !handled {
		t.Errorf("counted %s, handled %v", got, handled)
	}
	send(t, srv, "POST /Groups", fmt.Sprintf(groupBody, "g")).want(t, 201)
	if got := counted(t, st); got != "2" || handled {
		t.Errorf("counted %s, handled %v", got, handled)
	}
}
