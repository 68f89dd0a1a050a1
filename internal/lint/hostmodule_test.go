package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The repository is one module, with drivers and routers among what it requires.
// This is a host that requires it and imports what every host imports.
func TestAHostGetsTheModulesOfWhatItImportsAndNoOthers(t *testing.T) {
	t.Parallel()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, imports string
		want          []string // beside those of the core
	}{
		{"the core", "", nil},
		{"with SQLite", `_ "` + module + `/storage/sqlite"`, []string{"modernc.org/sqlite"}},
		{"with PostgreSQL", `_ "` + module + `/storage/postgres"`, []string{"github.com/jackc/pgx/v5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{
				"go.mod": "module host.example/app\n\ngo 1.26.0\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + checkout + "\n",
				"go.sum": string(read(t, "go.sum")),
				"main.go": `package main

import (
	"log"
	"net/http"

	"` + module + `/roles"
	"` + module + `/scim"
	"` + module + `/storage/memory"
	` + c.imports + `
)

func main() {
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"))
	if err != nil {
		log.Fatal(err)
	}
	_ = roles.Settings{}
	log.Fatal(http.ListenAndServe("127.0.0.1:0", srv))
}
`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := func(args ...string) string {
				cmd := exec.Command("go", args...)
				cmd.Dir = dir
				// Nearly all that it asks for is in the module cache already. The versions are
				// exact, so nothing is looked up that is there.
				cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
				return string(out)
			}
			run("build", "-o", filepath.Join(dir, "app"), ".")
			modules := strings.Fields(run("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "."))
			slices.Sort(modules)
			modules = slices.Compact(modules)
			gomod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			always := []string{"host.example/app", module, "github.com/go-json-experiment/json", "golang.org/x/text"}
			for _, name := range slices.Concat(always, c.want) {
				if !slices.Contains(modules, name) {
					t.Errorf("%s is missing among %q", name, modules)
				}
			}
			if c.want == nil && len(modules) != len(always) {
				t.Errorf("the host builds %q", modules)
			}
			for _, name := range []string{"chi", "gin-gonic", "echo", "opentelemetry", "bbolt", "rapid", "go-cmp", "sqlite", "pgx"} {
				wanted := slices.ContainsFunc(c.want, func(w string) bool { return strings.Contains(w, name) })
				for _, got := range modules {
					if strings.Contains(got, name) && !wanted {
						t.Errorf("the host builds %s", got)
					}
				}
				if strings.Contains(string(gomod), name) && !wanted {
					t.Errorf("the host's go.mod lists %s:\n%s", name, gomod)
				}
			}
		})
	}
}
