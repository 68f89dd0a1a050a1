package roles_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/sqlite"
)

// journal is an Applier that writes what it is told to a file, at once.
type journal struct{ file *os.File }

func (j journal) Apply(_ context.Context, _ string, changes []roles.Change) error {
	for _, c := range changes {
		if _, err := fmt.Fprintf(j.file, "%s %s %s\n", c.User, c.Scope.ID, c.To); err != nil {
			return err
		}
	}
	return nil
}

// journalled returns what a host has that reads the journal from the beginning.
func journalled(t *testing.T, path string) (state map[string]string, calls int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	state = map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); calls++ {
		part := strings.Split(s.Text(), " ")
		key := part[0] + " " + part[1]
		if delete(state, key); part[2] != "" {
			state[key] = part[2]
		}
	}
	return state, calls
}

// openHost opens a directory that is kept in dir. The process may end at any time.
func openHost(dir string) (*scim.Server, *roles.Reconciler, func() error, error) {
	store, err := sqlite.Open(filepath.Join(dir, "directory.db"))
	if err != nil {
		return nil, nil, nil, err
	}
	srv, err := scim.New(store, scim.BearerToken("secret"), scim.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, nil, err
	}
	rec, err := roles.New(srv.Directory(), journal{f}, both(), byNames(), roles.WithLogger(slog.New(slog.DiscardHandler)),
		roles.WithLease(minLease))
	return srv, rec, store.Close, err
}

const crashDir = "ROLES_TEST_CRASH_DIR"

// TestMain runs a reconciler that is there to be killed, when told so.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		_, rec, _, err := openHost(dir)
		if err == nil {
			err = rec.Run(context.Background(), tenant)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A process that is killed again and again, while groups are renamed, ends in what
// the groups say.
func TestKilledProcessEndsInTheSameAssignments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv, rec, closeStore, err := openHost(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore()
	h := &host{t: t, srv: srv, rec: rec}
	var users []string
	for i := range 60 {
		users = append(users, h.user(fmt.Sprint("u", i)))
	}
	a := h.group("ws-A-role-admin", users...)
	b := h.group("ws-B-role-member", users[30:]...)
	names := []string{"ws-B-role-admin", "ws-C-role-manager", "nothing", "ws-A-role-member"}
	_, calls := journalled(t, filepath.Join(dir, "journal"))
	for round, name := range names {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// Killed once it has told the host something, so most often in the middle.
		want := calls + 7*(round+1)
		until(t, func() bool { _, calls = journalled(t, filepath.Join(dir, "journal")); return calls >= want })
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		h.rename(a, name)
		h.remove(b, users[30+round])
		h.active(users[50+round], false)
	}
	h.sync()
	want := map[string]string{}
	for i, u := range users {
		if 50 <= i && i < 54 {
			continue
		}
		want[u+" A"] = "member"
		if 34 <= i {
			want[u+" B"] = "member"
		}
	}
	got, _ := journalled(t, filepath.Join(dir, "journal"))
	for _, key := range slices.Sorted(keysOf(want, got)) {
		if got[key] != want[key] {
			t.Errorf("%s: the host has %q, the groups say %q", key, got[key], want[key])
		}
	}
}
