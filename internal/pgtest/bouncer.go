package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// bouncerConfig is of a PgBouncer in transaction mode, which hands every
// transaction to another session of the server. It takes note of what clients set
// for their session and does nothing about it.
const bouncerConfig = `[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users
pool_mode = transaction
default_pool_size = 10
max_client_conn = 500
ignore_startup_parameters = extra_float_digits,search_path,default_transaction_isolation,statement_timeout
`

// Bouncer starts a PgBouncer in transaction mode before the database that a URL of
// this package names, and returns the URL that leads through it. The schema in the
// URL's search path is not selected there: PgBouncer cannot. Without PgBouncer, in
// PATH or in /usr/sbin, the test is skipped.
func Bouncer(t testing.TB, database string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Skip("pgtest: no PgBouncer found: install it (Debian: apt-get install pgbouncer)")
		}
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: the connection URL cannot be parsed") // it may hold a password
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "muster-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	password, _ := u.User.Password()
	to := u.Port()
	if to == "" {
		to = "5432"
	}
	names := []string{dir}
	for name, text := range map[string]string{
		"users": fmt.Sprintf("%q %q\n", u.User.Username(), password),
		"ini":   fmt.Sprintf(bouncerConfig, u.Hostname(), to, port),
	} {
		names = append(names, filepath.Join(dir, name))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := giveAway(names...); err != nil {
		t.Fatal(err)
	}
	log := &strings.Builder{}
	cmd := exec.Command(program, "ini")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = unprivileged()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it fails for a process that has ended
		_ = cmd.Wait()                          // and tells how, which nobody asks
	}
	t.Cleanup(end)
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	q := u.Query()
	q.Del("search_path")
	u.RawQuery = q.Encode()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), u.String())
		if err == nil {
			conn.Close(t.Context())
			return u.String()
		}
		if time.Now().After(deadline) {
			end()
			t.Fatalf("pgtest: PgBouncer does not start: %v\n%s", err, log)
		}
	}
}

// Schema returns the schema of a URL of this package.
func Schema(t testing.TB, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil || u.Query().Get("search_path") == "" {
		t.Fatal("pgtest: not a connection URL of this package")
	}
	return u.Query().Get("search_path")
}
