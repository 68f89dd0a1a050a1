package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a private PostgreSQL, for tests that stop it or need settings of
// their own.
type Server struct {
	url      string
	bin, dir string // programs, data
	port     int
	settings []string
	process  *exec.Cmd
	life     io.Closer // the server ends when it is closed
}

// Start starts a server with settings such as "fsync=on", and stops it when the
// test ends. Without settings it does not care for its data when the machine
// goes down, which makes it faster.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := start(settings...)
	check(t, err)
	t.Cleanup(s.Stop)
	return s
}

// URL returns the connection URL of an empty schema on the server, like the
// function [URL].
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	return schema(t, s.url)
}

// role owns everything on a private server.
const role = "muster"

func start(settings ...string) (_ *Server, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "muster-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, settings: settings}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	password := rand.Text()
	if err := os.WriteFile(s.path("password"), []byte(password), 0o600); err != nil {
		return nil, err
	}
	if err := giveAway(dir, s.path("password")); err != nil {
		return nil, err
	}
	init := s.command("initdb", "-D", s.path("data"), "-U", role, "-A", "scram-sha-256", "--pwfile="+s.path("password"),
		"-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgtest: initdb: %w\n%s", err, out)
	}
	for range 3 { // another process may take the port
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
		s.url = (&url.URL{
			Scheme: "postgres", User: url.UserPassword(role, password), Path: "/postgres",
			Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), RawQuery: "sslmode=disable",
		}).String()
		if err = s.run(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// programs finds the directory of PostgreSQL's programs: of initdb and postgres
// alike, newest version first.
func programs() (string, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	packaged, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(packaged, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(dirs, packaged...) {
		if executable(dir, "initdb") && executable(dir, "postgres") {
			return dir, nil
		}
	}
	return "", errNone
}

func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // 0 for what is no number
	return n
}

func executable(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode()&0o111 != 0
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// command runs a program of PostgreSQL, as somebody without rights.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = unprivileged()
	return cmd
}

// keeper is the shell script around the server. It waits for the end of its
// standard input, which comes when this process ends, even by kill -9, and then
// stops the server. What it is told to remove goes with the server.
const keeper = `
"$@" >log 2>&1 </dev/null &
server=$!
read -r what
if [ "$what" = stop ]; then signal=INT; else signal=QUIT; fi
kill -$signal $server 2>/dev/null
wait $server
if [ -z "$what" ]; then cd / && rm -rf "$DIR"; fi
`

// run starts the server and waits until it answers.
func (s *Server) run() error {
	args := []string{"-c", keeper, "keeper", filepath.Join(s.bin, "postgres"), "-D", s.path("data")}
	base := []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(s.port), "unix_socket_directories=", "max_connections=200",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=128MB", "max_wal_size=4GB", "log_min_messages=fatal",
	}
	for _, setting := range append(base, s.settings...) {
		args = append(args, "-c", setting)
	}
	for _, left := range []string{"log", "data/postmaster.pid"} { // by a server that went down
		if err := os.Remove(s.path(left)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "DIR="+s.dir)
	cmd.SysProcAttr = unprivileged()
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process, s.life = cmd, life
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := s.ping()
		if err == nil {
			return nil
		}
		if !s.runs() || time.Now().After(deadline) {
			log, _ := os.ReadFile(s.path("log")) // to explain; may be absent
			s.end("kill")
			return fmt.Errorf("pgtest: PostgreSQL does not start: %w\n%s", err, bytes.TrimSpace(log))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// runs reports whether there is a server process.
func (s *Server) runs() bool {
	_, err := os.Stat(s.path("data/postmaster.pid"))
	return err == nil || !s.logged()
}

// logged reports whether the server said something, which it does first when it
// ends.
func (s *Server) logged() bool {
	info, err := os.Stat(s.path("log"))
	return err == nil && info.Size() > 0
}

func (s *Server) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Down stops the server as an administrator does, disconnecting clients. Its data
// stays.
func (s *Server) Down() { s.end("stop") }

// Crash ends the server without any care for what it was doing. Its data stays.
func (s *Server) Crash() { s.end("kill") }

// Up starts a server again that is down.
func (s *Server) Up() error {
	if s.process != nil {
		return errors.New("pgtest: the server is up")
	}
	return s.run()
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	s.end("kill")
	os.RemoveAll(s.dir)
}

// end tells the keeper what to do and waits until it is done.
func (s *Server) end(how string) {
	if s.process == nil {
		return
	}
	fmt.Fprintln(s.life.(io.Writer), how)
	s.life.Close()
	s.process.Wait() // its status says how the server ended, which is as it was told
	s.process = nil
}

// Log returns what the server logged last.
func (s *Server) Log() string {
	log, _ := os.ReadFile(s.path("log")) // nothing logged, no file
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
