package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/storage"
)

// The tests here run this program again as another process that works on the
// same file: childFile says on which, childName under which name, childCount how
// many writes.
const (
	childFile  = "MUSTER_TEST_SQLITE_FILE"
	childName  = "MUSTER_TEST_SQLITE_NAME"
	childCount = "MUSTER_TEST_SQLITE_COUNT"
)

// migrating is the name of a process that stops in the middle of a migration, to
// be killed.
const migrating = "migrating"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if os.Getenv(childName) == migrating {
			fmt.Fprintln(os.Stderr, stopMigrating(path)) // which does not end by itself
			os.Exit(1)
		}
		count, _ := strconv.Atoi(os.Getenv(childCount))
		if err := work(path, os.Getenv(childName), count); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// stopMigrating makes a migration without committing it, says so, and waits.
func stopMigrating(path string) error {
	c, err := connect(path, &config{prefix: DefaultPrefix})
	if err != nil {
		return err
	}
	if err := c.script("BEGIN IMMEDIATE;" + migrations()[1].SQL); err != nil {
		return err
	}
	fmt.Println(migrating)
	time.Sleep(time.Hour)
	return errors.New("nobody ended this process")
}

// work makes a user, puts it into the group g and adds a letter to the label of
// the user shared, and acknowledges that on a line of its own, again and again.
func work(path, name string, count int) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	for i := range count {
		u := user(fmt.Sprintf("%s-%05d", name, i))
		b := put(holding(u, u.ID))
		b.Links = []storage.LinkEdit{{Owner: storage.Ref{Type: "Group", ID: "g"}, Relation: "members", Add: []storage.Ref{u}}}
		if _, err := s.Commit(ctx, b); err != nil {
			return err
		}
		if err := addLetter(ctx, s); err != nil {
			return err
		}
		fmt.Println(u.ID)
	}
	return s.Close()
}

// addLetter reads, changes and writes, until nobody came between.
func addLetter(ctx context.Context, s *Store) error {
	for {
		old, err := s.Get(ctx, "t", user("shared"))
		if err != nil {
			return err
		}
		r := holding(user("shared"), "shared")
		r.Label = old.Label + "x"
		b := put(r)
		b.Puts[0].IfVersion = old.Version
		if _, err := s.Commit(ctx, b); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

// child starts a worker.
func child(t *testing.T, path, name string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+path, childName+"="+name, childCount+"="+strconv.Itoa(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// shared makes a file with what workers write to.
func shared(t *testing.T) (path string, s *Store) {
	path = filepath.Join(t.TempDir(), "x.db")
	s = openAt(t, path)
	r := holding(user("shared"), "shared")
	r.Label = ""
	commitTo(t, s, put(r, holding(storage.Ref{Type: "Group", ID: "g"}, "g")))
	return path, s
}

// check demands that all acknowledged writes are there and nothing else, and
// that the log tells of each once and in order.
func check(t *testing.T, s *Store, acknowledged []string, maybe int) {
	t.Helper()
	members, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: "t", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{{Type: "Group", ID: "g"}}})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, l := range members {
		found[l.To.ID] = true
		if _, err := s.Get(t.Context(), "t", l.To); err != nil {
			t.Errorf("member %s: %v", l.To.ID, err)
		}
	}
	for _, id := range acknowledged {
		if !found[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if n := len(members); n < len(acknowledged) || n > len(acknowledged)+maybe {
		t.Errorf("%d members after %d acknowledged writes", n, len(acknowledged))
	}
	letters, err := s.Get(t.Context(), "t", user("shared"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(letters.Label); n < len(acknowledged) || n > len(acknowledged)+maybe || letters.Version != int64(n)+1 {
		t.Errorf("the label has %d letters and its record version %d after %d acknowledged writes", n, letters.Version, len(acknowledged))
	}
	versions := map[storage.Ref]int64{}
	next := int64(1)
	for {
		changes, err := s.Changes(t.Context(), "t", next-1, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Seq != next || c.Version != versions[c.Ref]+1 {
				t.Fatalf("change %d of %v to version %d; want number %d and version %d", c.Seq, c.Ref, c.Version, next, versions[c.Ref]+1)
			}
			next++
			versions[c.Ref] = c.Version
		}
		if len(changes) == 0 {
			break
		}
	}
	if want := int64(len(members)) + 1; versions[storage.Ref{Type: "Group", ID: "g"}] != want {
		t.Errorf("the log knows version %d of the group; want %d", versions[storage.Ref{Type: "Group", ID: "g"}], want)
	}
	err = s.read(t.Context(), func(c *conn) error {
		row, err := c.first("PRAGMA integrity_check")
		if err == nil && text(row[0]) != "ok" {
			t.Errorf("the file is damaged: %s", text(row[0]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSeveralProcessesWorkOnOneFile(t *testing.T) {
	t.Parallel()
	path, s := shared(t)
	const workers, count = 3, 60
	var mu sync.Mutex
	var acknowledged []string
	var wg sync.WaitGroup
	for i := range workers {
		cmd, lines := child(t, path, fmt.Sprint("w", i), count)
		wg.Go(func() {
			for lines.Scan() {
				mu.Lock()
				acknowledged = append(acknowledged, lines.Text())
				mu.Unlock()
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if len(acknowledged) != workers*count {
		t.Errorf("%d writes were acknowledged; want %d", len(acknowledged), workers*count)
	}
	check(t, s, acknowledged, 0)
}

func TestKilledProcessLosesNothingThatItAcknowledged(t *testing.T) {
	t.Parallel()
	path, s := shared(t)
	var acknowledged []string
	for round := range 4 {
		cmd, lines := child(t, path, fmt.Sprint("round", round), 1_000_000)
		for n := 0; n < 20+round*7 && lines.Scan(); n++ {
			acknowledged = append(acknowledged, lines.Text())
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			if id := lines.Text(); strings.HasPrefix(id, "round") && len(id) == len("round0-00000") {
				acknowledged = append(acknowledged, id)
			}
		}
		_ = cmd.Wait()
		check(t, s, acknowledged, round+1) // the last write of each may be there without a word
	}
	commitTo(t, s, put(holding(user("after"), "after")))
}

func TestFollowersAreWoken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s, other := openAt(t, path), openAt(t, path)
	mine, stop := s.NotifyChanges("t")
	defer stop()
	commitTo(t, s, put(holding(user("u1"), "a")))
	select {
	case <-mine:
	default:
		t.Error("a commit of the store gives no signal")
	}
	commitTo(t, other, put(holding(user("u2"), "b")))
	select {
	case <-mine:
	case <-time.After(20 * time.Second):
		t.Error("a commit of another store gives no signal")
	}
	stop()
	select {
	case <-mine:
	default:
	}
	commitTo(t, s, put(holding(user("u3"), "c")))
	select {
	case <-mine:
		t.Error("there are signals after the stop")
	default:
	}
}

func TestFollowReadsTheLogOfTheStore(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var seen []string
	done := make(chan error)
	go func() {
		done <- storage.Follow(ctx, s, storage.Following{Tenant: "t", Handle: func(_ context.Context, changes []storage.Change) error {
			for _, c := range changes {
				if seen = append(seen, c.ID); len(seen) == 5 {
					cancel()
				}
			}
			return nil
		}})
	}()
	for i := range 5 {
		commitTo(t, s, put(holding(user(fmt.Sprint("u", i)), fmt.Sprint(i))))
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want the context's", err)
	}
	if got := strings.Join(seen, " "); got != "u0 u1 u2 u3 u4" {
		t.Errorf("changes of %s; want u0 to u4", got)
	}
}
