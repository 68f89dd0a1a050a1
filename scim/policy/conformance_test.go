package policy_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/policy"
	"github.com/musterhq/muster/scim/scimtest"
	"github.com/musterhq/muster/storage/memory"
)

func TestAServerWithAllPoliciesConforms(t *testing.T) {
	t.Parallel()
	many := func(context.Context, string) (int, error) { return 10_000, nil }
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"),
		scim.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
		scim.WithGuard(
			policy.Domains{Allowed: allow("*")}.Guard(),
			policy.Seats{Limit: many}.Guard(),
			policy.LastOwner{LetGo: true}.Guard(),
			policy.Fuse{Limit: 10_000}.Guard(),
		),
		scim.WithAmendment(policy.Fields{Host: []string{"profileUrl"}}.Amendment()))
	if err != nil {
		t.Fatal(err)
	}
	target := scimtest.Target{Handler: srv, Token: "secret"}
	scimtest.Run(t, target)
	scimtest.Replay(t, target, scimtest.Transcripts())
}
