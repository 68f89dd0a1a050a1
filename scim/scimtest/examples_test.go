package scimtest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// The programs that a newcomer runs hold what the library promises.
func TestExamplesHoldEveryRequirement(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds programs")
	}
	for _, example := range []struct {
		name string
		args []string
		to   Target
	}{
		{"inmemory", []string{"-addr", "127.0.0.1:0"}, Target{Token: "secret"}},
		{"server", []string{"-addr", "127.0.0.1:0", "-token", "a=secret", "-token", "b=other"}, Target{Token: "secret", OtherToken: "other"}},
		{"server", []string{"-addr", "127.0.0.1:0", "-token", "a=secret", "-strict"}, Target{Token: "secret", Mode: Strict}},
	} {
		t.Run(example.name, func(t *testing.T) {
			t.Parallel()
			to := example.to
			to.URL = start(t, example.name, example.args...)
			Run(t, to)
			if to.Mode == Tolerant {
				Replay(t, to, Transcripts())
			}
		})
	}
}

// start builds and runs an example and returns the URL that it says it listens on.
func start(t *testing.T, name string, args ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s does not stop cleanly: %v", name, err)
		}
	})
	listening := regexp.MustCompile(`listening on (\S+)`)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	t.Fatalf("%s does not say where it listens", name)
	return ""
}
