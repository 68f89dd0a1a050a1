package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/internal/wire"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/scim/scimtest"
)

// overEachStore runs a test with a store of each kind, as the flag opens it.
func overEachStore(t *testing.T, test func(t *testing.T, open func() closer)) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"memory":   func(*testing.T) string { return "memory" },
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "directory.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func() closer {
				store, err := openStore(t.Context(), where(t), true)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := store.Close(); err != nil {
						t.Error(err)
					}
				})
				return store
			})
		})
	}
}

// serve is the example with a store. Tenants have names of their own, since
// tests may share a database.
func serve(t *testing.T, store closer, args ...string) http.Handler {
	c, err := parse(append(args, "-token", rand.Text()+"=secret", "-token", rand.Text()+"=other"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.handler(store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTranscriptsPassOverEachStore(t *testing.T) {
	overEachStore(t, func(t *testing.T, open func() closer) {
		target := scimtest.Target{Handler: serve(t, open()), URL: "http://scim.test/scim/v2", Token: "secret"}
		scimtest.Replay(t, target, scimtest.Transcripts())
	})
}

func TestConformanceHoldsOverEachStore(t *testing.T) {
	overEachStore(t, func(t *testing.T, open func() closer) {
		store := open()
		t.Run("tolerant", func(t *testing.T) {
			t.Parallel()
			scimtest.Run(t, scimtest.Target{Handler: serve(t, store), URL: "http://scim.test/scim/v2", Token: "secret", OtherToken: "other"})
		})
		t.Run("strict", func(t *testing.T) {
			t.Parallel()
			scimtest.Run(t, scimtest.Target{Handler: serve(t, store, "-strict"), URL: "http://scim.test/scim/v2", Token: "secret", OtherToken: "other", Mode: scimtest.Strict})
		})
	})
}

func TestVectorsHoldOverEachStore(t *testing.T) {
	files := os.DirFS("../../testdata/vectors")
	patches, err := vectors.LoadPatch(files)
	if err != nil {
		t.Fatal(err)
	}
	users, err := vectors.LoadFilterUsers(files)
	if err != nil {
		t.Fatal(err)
	}
	filters, err := vectors.LoadFilter(files)
	if err != nil {
		t.Fatal(err)
	}
	extension, err := schema.ParseSchema(users.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	user := schema.User()
	user.Extensions = append(user.Extensions, schema.Extension{Schema: extension})
	overEachStore(t, func(t *testing.T, open func() closer) {
		store := open()
		for name, strict := range map[string]bool{"tolerant": false, "strict": true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				set := dialect.Tolerant()
				if strict {
					set = dialect.Strict()
				}
				server := func() vectors.Server {
					tokens := map[string]scim.Principal{"secret": {Tenant: rand.Text()}}
					srv, err := scim.New(store, scim.BearerTokens(tokens), scim.WithDialect(set), scim.WithResourceType(user))
					if err != nil {
						t.Fatal(err)
					}
					return vectors.Server{Client: wire.Handler(srv), Token: "secret", Strict: strict}
				}
				report, err := vectors.RunPatch(t.Context(), server(), patches)
				holds(t, report, err)
				report, err = vectors.RunFilter(t.Context(), server(), users, filters)
				holds(t, report, err)
			})
		}
	})
}

func holds(t *testing.T, report *vectors.Report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Failures {
		t.Error(f.String())
	}
	if report.Passed < 100 {
		t.Errorf("only %d rows were run", report.Passed)
	}
}
