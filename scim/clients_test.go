package scim_test

import (
	"context"
	"os"
	"testing"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/vectors"
	"github.com/musterhq/muster/internal/wire"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
)

func TestTranscriptsOfRealClientsPass(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"entra", "entra-legacy", "okta", "jumpcloud", "google", "edge"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, err := transcript.Load(os.DirFS("scimtest/transcripts"), name+".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			client := wire.Handler(newServer(t))
			for _, f := range transcript.Replay(context.Background(), client, steps, transcript.Options{Token: "secret"}) {
				t.Error(f.Error())
			}
		})
	}
}

// userWithTestExtension is User with the extension that the vectors use.
func userWithTestExtension(t testing.TB) scim.ResourceType {
	t.Helper()
	users, err := vectors.LoadFilterUsers(os.DirFS("../testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.ParseSchema(users.CustomSchema)
	if err != nil {
		t.Fatal(err)
	}
	u := schema.User()
	u.Extensions = append(u.Extensions, schema.Extension{Schema: s})
	return u
}

func TestVectorsHoldOverHTTP(t *testing.T) {
	t.Parallel()
	files := os.DirFS("../testdata/vectors")
	for _, mode := range []struct {
		name   string
		strict bool
		set    dialect.Set
	}{{"tolerant", false, dialect.Tolerant()}, {"strict", true, dialect.Strict()}} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			newVectorServer := func() vectors.Server {
				srv := newServer(t, scim.WithDialect(mode.set), scim.WithResourceType(userWithTestExtension(t)))
				return vectors.Server{Client: wire.Handler(srv), Token: "secret", Strict: mode.strict}
			}
			patches, err := vectors.LoadPatch(files)
			if err != nil {
				t.Fatal(err)
			}
			report, err := vectors.RunPatch(context.Background(), newVectorServer(), patches)
			check(t, report, err)
			users, err := vectors.LoadFilterUsers(files)
			if err != nil {
				t.Fatal(err)
			}
			filters, err := vectors.LoadFilter(files)
			if err != nil {
				t.Fatal(err)
			}
			report, err = vectors.RunFilter(context.Background(), newVectorServer(), users, filters)
			check(t, report, err)
		})
	}
}

func check(t *testing.T, report *vectors.Report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Failures {
		t.Error(f.String())
	}
	for _, s := range report.Skipped {
		t.Log("cannot be told over HTTP: ", s.String())
	}
	if report.Passed < 100 {
		t.Errorf("only %d rows were run", report.Passed)
	}
}
