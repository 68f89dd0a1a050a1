package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// built is the directory of the program that tests start, made by the first that
// needs it.
var built atomic.Pointer[string]

func TestMain(m *testing.M) {
	code := m.Run()
	if dir := built.Load(); dir != nil {
		os.RemoveAll(*dir)
	}
	os.Exit(code)
}

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "muster-server-")
	if err != nil {
		return "", err
	}
	built.Store(&dir)
	path := filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// keeper is the shell script around a server. It sends the signal that it reads
// from its standard input, which ends with this process, however that ends.
const keeper = `
"$@" </dev/null &
server=$!
echo $server
read -r signal
kill -${signal:-KILL} $server
wait $server
`

// node is a process of this program that can be ended and started again. It
// listens to another port each time.
type node struct {
	t       *testing.T
	args    []string
	url     atomic.Pointer[string] // of the service root
	pid     int
	process *exec.Cmd
	life    io.WriteCloser
	log     output
}

// startNode starts a process on a store, with one tenant and the token secret.
func startNode(t *testing.T, store, tenant string, args ...string) *node {
	t.Helper()
	n := &node{t: t, args: append(args, "-addr", "127.0.0.1:0", "-store", store, "-token", tenant+"=secret")}
	n.start()
	t.Cleanup(func() {
		if err := n.end("TERM"); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
		for _, line := range n.log.odd() {
			t.Error(line)
		}
	})
	return n
}

func (n *node) start() {
	n.t.Helper()
	path, err := program()
	if err != nil {
		n.t.Fatal(err)
	}
	n.process = exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper", path}, n.args...)...)
	n.process.Stderr = &n.log
	if n.life, err = n.process.StdinPipe(); err != nil {
		n.t.Fatal(err)
	}
	out, err := n.process.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.process.Start(); err != nil {
		n.t.Fatal(err)
	}
	slow := time.AfterFunc(20*time.Second, func() { n.life.Close() })
	defer slow.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n.pid == 0 {
			n.pid, _ = strconv.Atoi(lines.Text())
		}
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			n.url.Store(&url)
			return
		}
	}
	n.end("KILL")
	n.t.Fatalf("the server does not start: %s", n.log.all())
}

// kill ends the process as kill -9 does.
func (n *node) kill() { n.end("KILL") }

// end sends a signal and waits for the end.
func (n *node) end(signal string) error {
	if n.process == nil {
		return nil
	}
	_, err := fmt.Fprintln(n.life, signal)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	// A closed input without a signal read is a kill -9.
	defer context.AfterFunc(ctx, func() {
		if p, err := os.FindProcess(n.pid); err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			p.Kill()
		}
	})()
	err = errors.Join(err, n.process.Wait())
	n.life.Close()
	n.process, n.pid = nil, 0
	return err
}

// output keeps what a process writes to its standard error.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// odd returns lines that no fault of the surroundings explains.
func (o *output) odd() (lines []string) {
	for line := range strings.Lines(o.all()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "status=500") {
			lines = append(lines, line)
		}
	}
	return lines
}
