package dialect_test

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/wire"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/storage/memory"
)

// A preset is enough for what its client was seen to send.
func TestPresetsServeTheirClients(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]dialect.Set{
		"entra": dialect.Entra(), "entra-legacy": dialect.Entra(), "okta": dialect.Okta(),
		"jumpcloud": dialect.JumpCloud(), "google": dialect.Google(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, err := transcript.Load(os.DirFS("../scimtest/transcripts"), name+".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			srv, err := scim.New(memory.New(), scim.BearerToken("secret"),
				scim.WithDialect(set), scim.WithLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range transcript.Replay(context.Background(), wire.Handler(srv), steps, transcript.Options{Token: "secret"}) {
				t.Error(f.Error())
			}
		})
	}
}
