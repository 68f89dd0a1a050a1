package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/internal/pgtest"
)

const asProgram = "WORKSPACES_TEST_ARGS"

// TestMain is the program itself when told so, for tests that kill it.
func TestMain(m *testing.M) {
	if args := os.Getenv(asProgram); args != "" {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		main()
		return
	}
	os.Exit(m.Run())
}

// told is what hosts have that read all lines of all processes: roles by user and
// workspace.
type told struct {
	mu    sync.Mutex
	roles map[string]string
	lines int
	wrong []string
}

func (s *told) read(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what, rest, _ := strings.Cut(line, " ")
	user, rest, _ := strings.Cut(rest, ": ")
	rest, _, _ = strings.Cut(rest, ", because")
	role, workspace, ok := strings.Cut(rest, " in ")
	if _, to, changed := strings.Cut(role, " → "); changed {
		role = to
	}
	key := user + " " + strings.ToLower(workspace)
	switch what {
	case "granted", "changed":
		s.roles[key] = role
	case "revoked":
		delete(s.roles, key)
	default:
		return
	}
	if !ok {
		s.wrong = append(s.wrong, line)
	}
	s.lines++
}

func (s *told) now() (map[string]string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.roles), s.lines
}

// start starts the program on a store and returns the URL that it serves.
func (s *told) start(t *testing.T, store string) (base string, end func(os.Signal)) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), asProgram+"=-listen 127.0.0.1:0 -store "+store)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill() }) // for the test that fails
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the program ended without a word")
	}
	base = lines.Text()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines.Scan() {
			s.read(lines.Text())
		}
	}()
	return base, func(how os.Signal) {
		if err := child.Process.Signal(how); err != nil {
			t.Error(err)
		}
		<-done
		if err := child.Wait(); err != nil && how != os.Kill {
			t.Errorf("the program ended with %v", err)
		}
	}
}

// The program is killed again and again in the middle of its work, while groups are
// renamed. In the end everybody has what the groups say, whatever process it was that
// told the host.
func TestKilledProgramEndsInTheSameAssignments(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "directory.db") },
		"postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, s := where(), &told{roles: map[string]string{}}
			var users []string
			var group, rest string
			d := &idp{ctx: t.Context(), out: t.Output(), after: func() error { return nil }}
			const people = 12
			for round, name := range []string{"ws-A-role-manager", "ws-B-role-manager", "nothing", "ws-A-role-member", "ws-C-role-manager"} {
				base, end := s.start(t, store)
				d.base = base
				if round == 0 {
					for i := range people {
						users = append(users, d.user(fmt.Sprintf("u%d@example.com", i)))
					}
					group, rest = d.group(name, users...), d.group("ws-D-role-member", users[6:]...)
				} else {
					d.patch("rename to "+name, "/Groups/"+group, object{"op": "replace", "path": "displayName", "value": name})
					d.patch("remove one", "/Groups/"+rest, object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", users[5+round])})
				}
				if d.err != nil {
					t.Fatal(d.err)
				}
				_, before := s.now()
				until(t, func() bool { _, n := s.now(); return n >= before+3 })
				end(os.Kill)
			}
			base, end := s.start(t, store)
			d.base = base
			d.active("deactivate the last", users[people-1], false)
			if d.err != nil {
				t.Fatal(d.err)
			}
			want := map[string]string{}
			for i := range people - 1 {
				user := fmt.Sprintf("u%d@example.com ", i)
				want[user+"c"] = "manager"
				if i >= 10 {
					want[user+"d"] = "member"
				}
			}
			until(t, func() bool { got, _ := s.now(); return maps.Equal(got, want) })
			end(os.Interrupt)
			got, _ := s.now()
			if diff := cmp.Diff(want, got); diff != "" || s.wrong != nil {
				t.Errorf("the hosts have (-want +got)\n%s\nand were told %q", diff, s.wrong)
			}
		})
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
