// Package conformance runs the scenarios in testdata/conformance against the
// server. They are transcripts as package transcript describes them; q names the
// requirements of docs/conformance.md that a step holds.
package conformance

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/internal/wire"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

func TestScenarios(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "testdata", "conformance")
	names, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, name := range names {
		name = filepath.Base(name)
		t.Run(strings.TrimSuffix(name, ".jsonl"), func(t *testing.T) {
			t.Parallel()
			steps, err := transcript.Load(os.DirFS(dir), name)
			if err != nil {
				t.Fatal(err)
			}
			rules := dialect.Tolerant()
			if strings.HasPrefix(name, "strict") {
				rules = dialect.Strict()
			}
			client := wire.Handler(newServer(t, rules))
			for _, f := range transcript.Replay(t.Context(), client, steps, transcript.Options{Token: "secret"}) {
				t.Error(f.Error())
			}
		})
	}
}

// newServer makes an empty server whose users have the enterprise extension and
// the one of the filter vectors, which has attributes of every type.
func newServer(t *testing.T, rules dialect.Set) *scim.Server {
	t.Helper()
	users, err := vectors.LoadFilterUsers(os.DirFS(filepath.Join("..", "..", "testdata", "vectors")))
	if err != nil {
		t.Fatal(err)
	}
	custom, err := schema.ParseSchema(users.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	user := schema.User()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: custom})
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"),
		scim.WithResourceType(user), scim.WithDialect(rules), scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}
