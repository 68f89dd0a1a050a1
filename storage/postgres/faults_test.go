package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/postgres"
)

var theGroup = storage.Ref{Type: "Group", ID: "g1"}

func record(typ, id string) *storage.Record {
	return &storage.Record{
		Ref: storage.Ref{Type: typ, ID: id}, Label: id, Doc: []byte(`{"userName":"` + id + `"}`), Created: time.Now(),
		Index:  []storage.Entry{{Attr: "userName", Key: id}},
		Unique: []storage.UniqueKey{{Attr: "userName", Key: "=" + id}},
	}
}

func put(rs ...*storage.Record) *storage.Batch {
	b := &storage.Batch{Tenant: "acme", Time: time.Now()}
	for _, r := range rs {
		b.Puts = append(b.Puts, storage.Put{Record: r, IfAbsent: true, Change: storage.ChangeInfo{Kind: "created"}})
	}
	return b
}

func addMember(id string) *storage.Batch {
	return &storage.Batch{Tenant: "acme", Time: time.Now(), Links: []storage.LinkEdit{{
		Owner: theGroup, Relation: "members", Add: []storage.Ref{{Type: "User", ID: id}}, Change: storage.ChangeInfo{Kind: "patched"},
	}}}
}

// load creates users and adds them to the group, from several writers, until
// told to stop. acknowledged is told of every user that is both.
func load(ctx context.Context, s storage.Store, name string, acknowledged func(id string), failed func(error)) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("%s-%d-%d", name, w, i)
				_, err := s.Commit(context.Background(), put(record("User", id)))
				if err == nil {
					_, err = s.Commit(context.Background(), addMember(id))
				}
				if err != nil {
					failed(err)
					time.Sleep(10 * time.Millisecond)
					continue
				}
				acknowledged(id)
			}
		})
	}
	wg.Wait()
}

// whole fails unless all that was acknowledged is there, and what is there fits
// together: each member once, the group's version, and the change log.
func whole(t *testing.T, s *postgres.Store, acknowledged []string) {
	t.Helper()
	ctx := t.Context()
	for _, id := range acknowledged {
		if _, err := s.Get(ctx, "acme", storage.Ref{Type: "User", ID: id}); err != nil {
			t.Fatalf("user %s was acknowledged: %v", id, err)
		}
	}
	links, err := s.Links(ctx, &storage.LinkQuery{Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{theGroup}})
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]bool{}
	for _, l := range links {
		members[l.To.ID] = true
	}
	for _, id := range acknowledged {
		if !members[id] {
			t.Errorf("member %s was acknowledged and is lost", id)
		}
	}
	group, err := s.Get(ctx, "acme", theGroup)
	if err != nil {
		t.Fatal(err)
	}
	if group.Version != int64(len(links))+1 {
		t.Errorf("the group has version %d and %d members; want one step for each", group.Version, len(links))
	}
	versions, created, added := map[storage.Ref]int64{}, 0, 0
	for after := int64(0); ; {
		changes, err := s.Changes(ctx, "acme", after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Seq != after+1 {
				t.Fatalf("change %d follows %d", c.Seq, after)
			}
			after = c.Seq
			if c.Version != versions[c.Ref]+1 {
				t.Fatalf("change %d of %v has version %d behind %d", c.Seq, c.Ref, c.Version, versions[c.Ref])
			}
			versions[c.Ref] = c.Version
			if added += c.LinksAdded; c.Type == "User" {
				created++
				if _, err := s.Get(ctx, "acme", c.Ref); err != nil {
					t.Errorf("change %d is of user %s: %v", c.Seq, c.ID, err)
				}
			}
		}
		if len(changes) < 500 {
			break
		}
	}
	if added != len(links) || versions[theGroup] != group.Version {
		t.Errorf("the log has %d links and version %d of the group; want %d and %d", added, versions[theGroup], len(links), group.Version)
	}
	if created < len(acknowledged) {
		t.Errorf("the log has %d users of %d that were acknowledged", created, len(acknowledged))
	}
}

func TestServerThatGoesAwayUnderLoad(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *pgtest.Server){
		"stopped":         (*pgtest.Server).Down,
		"crashed":         (*pgtest.Server).Crash,
		"connections cut": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t, "synchronous_commit=on")
			url := server.URL(t)
			s := openAt(t, url)
			if _, err := s.Commit(t.Context(), put(record("Group", theGroup.ID))); err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			var acknowledged []string
			failures := 0
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				load(ctx, s, "u", func(id string) {
					mu.Lock()
					defer mu.Unlock()
					acknowledged = append(acknowledged, id)
				}, func(err error) {
					mu.Lock()
					defer mu.Unlock()
					failures++
					if !errors.Is(err, storage.ErrUnavailable) {
						t.Errorf("error %v; want one that says that the store is away", err)
					}
				})
			}()
			time.Sleep(300 * time.Millisecond)
			if end == nil {
				conn, err := pgx.Connect(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'`); err != nil {
					t.Fatal(err)
				}
				conn.Close(t.Context())
			} else {
				end(server)
				if _, err := s.Get(t.Context(), "acme", theGroup); !errors.Is(err, storage.ErrUnavailable) {
					t.Errorf("Get without a server = %v; want ErrUnavailable", err)
				}
				if err := server.Up(); err != nil {
					t.Fatal(err)
				}
			}
			mu.Lock()
			before := len(acknowledged)
			mu.Unlock()
			time.Sleep(500 * time.Millisecond)
			stop()
			<-done
			if failures == 0 {
				t.Error("nothing failed while the server was away")
			}
			if len(acknowledged) == before {
				t.Error("nothing was written after the server was back")
			}
			whole(t, s, acknowledged)
		})
	}
}

// workerURL makes this test binary a process that loads the store at the URL
// and prints what was acknowledged.
const workerURL = "MUSTER_TEST_WORKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerURL); url != "" {
		work(url)
		return
	}
	os.Exit(m.Run())
}

func work(url string) {
	s, err := postgres.Open(context.Background(), url)
	if err != nil {
		panic(err)
	}
	load(context.Background(), s, fmt.Sprint("p", os.Getpid()), func(id string) { fmt.Println(id) }, func(err error) { panic(err) })
}

func TestProcessThatIsKilledLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	s := openAt(t, url)
	if _, err := s.Commit(t.Context(), put(record("Group", theGroup.ID))); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), workerURL+"="+url)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged = append(acknowledged, strings.TrimSpace(lines.Text()))
			if n == 100 {
				cmd.Process.Kill()
			}
		}
		cmd.Wait() // it was killed
	}
	if len(acknowledged) < 300 {
		t.Fatalf("only %d users were acknowledged", len(acknowledged))
	}
	atRest(t, url)
	whole(t, s, acknowledged)
}

// atRest waits until the database does nothing any more: what a killed client had
// sent may still be carried out after its end.
func atRest(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for range 500 {
		busy := 0
		err := conn.QueryRow(t.Context(), `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`).Scan(&busy)
		if err != nil {
			t.Fatal(err)
		}
		if busy == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the database does not come to rest")
}

func TestStoreIsUnavailableWithoutAServer(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Get(t.Context(), "acme", theGroup); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
	if err := s.Migrate(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Migrate = %v; want ErrUnavailable", err)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	openAt(t, url)
	s := openAt(t, url, postgres.WithStatementTimeout(200*time.Millisecond))
	if _, err := s.Commit(t.Context(), put(record("User", "u1"))); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE muster_records`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: "u1"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "acme", storage.Ref{Type: "User", ID: "u1"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get with a deadline = %v; want the context's error", err)
	}
}
