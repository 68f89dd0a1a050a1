package signin

import (
	"context"
	"log/slog"

	"github.com/musterhq/muster/scim"
)

// FirstSignIn finds users who need a way in: they are active, do not sign in through
// an identity provider, and have no password or other credential yet. A user made by
// SCIM is in this state, since identity providers do not send passwords that people
// know.
//
// The host's user table has the truth, so that nothing is lost in a crash: Subscriber
// says promptly that somebody may need a mail, and Pending lists all who do, at any
// time. docs/sso.md has a flow for the link in the mail.
type FirstSignIn struct {
	// HasCredential returns whether a user has a password, a passkey or a link that is
	// still good. It is required.
	HasCredential func(ctx context.Context, tenant string, user scim.DirectoryEntry) (bool, error)
	// SSO returns whether a user signs in through an identity provider. nil: nobody.
	SSO func(ctx context.Context, tenant string, user scim.DirectoryEntry) (bool, error)
	// Needed is told of a user who was created active, or activated. It is required by
	// Subscriber. When wait is true, the connection is sending everybody for the first
	// time: a host that does not want to send a thousand mails to people who have not
	// heard of it lets an administrator start that, and finds them by Pending.
	Needed func(ctx context.Context, tenant string, user scim.DirectoryEntry, wait bool)
	// Log is where Subscriber says that the functions above failed. Default
	// slog.Default().
	Log *slog.Logger
}

// Subscriber returns what tells Needed, for [scim.Server.Subscribe]. In the
// background ([scim.InBackground]) the identity provider does not wait for it.
func (f FirstSignIn) Subscriber() scim.Subscriber {
	if f.HasCredential == nil || f.Needed == nil {
		panic("signin: FirstSignIn needs HasCredential and Needed")
	}
	return func(ctx context.Context, e scim.Event) {
		if e.Type.Name() != userType || !e.Activates() {
			return
		}
		user := scim.DirectoryEntry{Resource: e.After, Connection: e.Principal.Connection}
		needs, err := f.needs(ctx, e.Principal.Tenant, user)
		if err != nil {
			log := f.Log
			if log == nil {
				log = slog.Default()
			}
			log.WarnContext(ctx, "signin: whether a user needs a first sign-in is not known; Pending finds it later", "id", e.ID, "error", err.Error())
			return
		}
		if needs {
			f.Needed(ctx, e.Principal.Tenant, user, e.FirstSync)
		}
	}
}

// Pending looks at the users of a tenant behind the id after, in the order of their
// ids, at most limit of them, and returns those who need a first sign-in. next is
// where to go on; "" when these were the last.
func (f FirstSignIn) Pending(ctx context.Context, d *scim.Directory, tenant, after string, limit int) (users []scim.DirectoryEntry, next string, err error) {
	page, err := d.List(ctx, tenant, userType, "", after, limit)
	if err != nil {
		return nil, "", err
	}
	for _, user := range page {
		if !user.Resource.Active() {
			continue
		}
		needs, err := f.needs(ctx, tenant, user)
		if err != nil {
			return nil, "", err
		}
		if needs {
			users = append(users, user)
		}
	}
	if len(page) == limit && limit > 0 {
		next = page[limit-1].Resource.ID()
	}
	return users, next, nil
}

func (f FirstSignIn) needs(ctx context.Context, tenant string, user scim.DirectoryEntry) (bool, error) {
	if f.SSO != nil {
		if sso, err := f.SSO(ctx, tenant, user); sso || err != nil {
			return false, err
		}
	}
	has, err := f.HasCredential(ctx, tenant, user)
	return !has && err == nil, err
}
