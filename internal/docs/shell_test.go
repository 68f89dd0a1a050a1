package docs

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// shell finds what the shell blocks need. A machine without it runs the other
// tests; under CI it has to be there.
func shell(t *testing.T) {
	t.Helper()
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("the shell blocks of the pages are not run: %v", err)
		}
	}
}

// eventually reports whether something becomes true before the test is out of
// patience.
func eventually(f func() bool) bool {
	for range 1200 {
		if f() {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// freeAddress is an address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// start runs a program until the test ends, waits until it answers at an address,
// and returns the file that it prints to.
func start(t *testing.T, dir, address string, env []string, program string, args ...string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(dir, "printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Env = dir, out, append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if !eventually(func() bool {
		resp, err := http.Get("http://" + address)
		if err != nil {
			return false
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return true
	}) {
		t.Fatal("the program does not answer")
	}
	return out.Name()
}

// script runs shell blocks in one shell and returns the status of each curl in
// order, and what was printed.
func script(t *testing.T, address string, env []string, blocks ...string) (statuses []string, printed string) {
	t.Helper()
	text := "set -eu\ncurl() { command curl -w '%{stderr}<%{http_code}>' \"$@\"; }\n" + strings.Join(blocks, "\n")
	cmd := exec.Command("bash", "-c", strings.ReplaceAll(text, "127.0.0.1:8080", address))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stdout.String(), stderr.String())
	}
	for _, m := range regexp.MustCompile(`<(\d{3})>`).FindAllStringSubmatch(stderr.String(), -1) {
		statuses = append(statuses, m[1])
	}
	return statuses, stdout.String()
}

// client returns the shell blocks of a page that a client runs.
func client(t *testing.T, page string) (found []string) {
	t.Helper()
	for _, b := range blocks(t, page) {
		if b.lang == "sh" && !regexp.MustCompile(`(?m)^(go|\.ci/run) `).MatchString(b.text) {
			found = append(found, b.text)
		}
	}
	return found
}

// built builds a command and returns its file.
func built(t *testing.T, dir, pkg string, env ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-o", program, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestTheShellOfTheTourWorks(t *testing.T) {
	t.Parallel()
	shell(t)
	server := built(t, root, "./examples/inmemory")
	for _, c := range []struct {
		page string
		want string // the status of each request
	}{
		{"README.md", "201"},
		{"docs/tour.md", "201 200 200 200 200 201 200 200 204 200 200 200 200 200 200 200 204 404"},
	} {
		t.Run(c.page, func(t *testing.T) {
			t.Parallel()
			address := freeAddress(t)
			start(t, t.TempDir(), address, nil, server, "-addr", address)
			got, printed := script(t, address, nil, client(t, c.page)...)
			if strings.Join(got, " ") != c.want {
				t.Errorf("the answers are %s, want %s\n%s", strings.Join(got, " "), c.want, printed)
			}
		})
	}
}

// What a newcomer does who has the page and nothing else.
func TestThePageForTheStartLeadsToAGroupWithRoles(t *testing.T) {
	t.Parallel()
	shell(t)
	dir := t.TempDir()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	// In place of the module proxy, the checkout.
	files := map[string]string{
		"go.mod": fmt.Sprintf("module example.com/app\n\ngo 1.26.0\n\nrequire github.com/musterhq/muster v0.0.0\n\nreplace github.com/musterhq/muster => %s\n", checkout),
		"go.sum": read(t, "go.sum"),
	}
	address := freeAddress(t)
	said := ""
	for _, b := range blocks(t, "docs/start.md") {
		switch {
		case b.lang == "go" && strings.Contains(b.text, "func main()"):
			files["main.go"] = strings.ReplaceAll(b.text, "127.0.0.1:8080", address)
		case b.lang == "go":
			files["main_test.go"] = b.text
		case b.lang == "text":
			said += b.text
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"GOFLAGS=-mod=mod", "GOWORK=off"}
	test := exec.Command("go", "test", ".")
	test.Dir, test.Env = dir, append(os.Environ(), env...)
	if out, err := test.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	program := built(t, dir, ".", env...)
	env = []string{"SCIM_TOKEN=0123456789abcdef"}
	out := start(t, dir, address, env, program)
	// A person reads what the program says before going on to the last block.
	todo := client(t, "docs/start.md")
	first, _, _ := strings.Cut(said, "\n")
	todo = slices.Insert(todo, len(todo)-1, fmt.Sprintf("for _ in $(seq 600); do grep -qF '%s' '%s' && break; sleep 0.1; done", first, out))
	statuses, printed := script(t, address, env, todo...)
	if strings.Join(statuses, " ") != "200 201 200 201 200" {
		t.Errorf("the answers are %s\n%s", statuses, printed)
	}
	var does []byte
	if !eventually(func() bool {
		does, err = os.ReadFile(out)
		return err == nil && string(does) == said
	}) {
		t.Errorf("the program says\n%s\nand the page\n%s", does, said)
	}
}
