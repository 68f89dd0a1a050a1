package signin

import (
	"context"
	"errors"
	"net/http"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// SignIn is [Rules.Decide], and creates the user when that is the answer. complete,
// unless nil, sets what else the token says of a new user, such as name; userName,
// externalId, a verified address and active are set already, and no others should be
// taken from a token: roles come through SCIM or from the host.
//
// The create goes through the host's interceptors and guards; when one of them
// refuses, such as a limit of seats, SignIn returns its [*scim.Error]. When the identity
// provider creates the same user at the same moment, there is one user, whoever comes
// first: SignIn finds it. [Identity.Connection] owns the new user, unless
// [Rules.Connection] says otherwise.
func (r Rules) SignIn(ctx context.Context, srv *scim.Server, tenant string, id Identity, complete func(*scim.Builder)) (*Decision, error) {
	const attempts = 3 // each after somebody else was faster
	for attempt := 1; ; attempt++ {
		decision, err := r.Decide(ctx, srv.Directory(), tenant, id)
		if err != nil || decision.Outcome != MayCreate {
			return decision, err
		}
		decision, err = r.create(ctx, srv, tenant, id, complete)
		var refusal *scim.Error
		if err == nil || attempt == attempts || !errors.As(err, &refusal) || refusal.Status != http.StatusConflict {
			return decision, err
		}
	}
}

// create makes the user of an identity.
func (r Rules) create(ctx context.Context, srv *scim.Server, tenant string, id Identity, complete func(*scim.Builder)) (*Decision, error) {
	t := srv.Type(userType)
	b := scim.NewResource(t)
	if id.EmailVerified && id.Email != "" {
		b.Set("emails", []map[string]any{{"value": id.Email, "type": "work", "primary": true}})
	}
	if complete != nil {
		complete(b)
	}
	b.Set("userName", id.newName()).Set("active", true)
	if id.ExternalID != "" {
		b.Set("externalId", id.ExternalID)
	}
	user, err := b.Build()
	if err != nil {
		return nil, err
	}
	p := scim.Principal{Tenant: tenant, Connection: id.Connection, Subject: "sign-in"}
	if r.Connection != "" {
		p.Connection = r.Connection
	}
	res, err := srv.Do(ctx, p, &scim.Operation{Method: scim.Create, Type: t, Resource: user})
	if err != nil {
		return nil, err
	}
	entry, err := srv.Directory().Get(ctx, tenant, storage.Ref{Type: userType, ID: res.Resource.ID()})
	if err != nil {
		return nil, err
	}
	return &Decision{Outcome: Created, User: entry}, nil
}
