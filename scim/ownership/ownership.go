package ownership

import (
	"context"
	"fmt"
	"slices"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// Ownership does what the host decides about connections: replacements, transfers and
// reviews. It keeps what it knows in the server's store, so that any process of the
// host may call it. It is safe for concurrent use.
type Ownership struct {
	srv   *scim.Server
	dir   *scim.Directory
	store storage.Store
	kinds *kinds
}

// New returns the ownership of what a server has. The server has to have the option of
// a [Rule] for replacements to count and for reviews to learn what is sent.
func New(srv *scim.Server) *Ownership {
	dir := srv.Directory()
	return &Ownership{srv: srv, dir: dir, store: dir.Store(), kinds: newKinds()}
}

// Replace declares that a connection takes the place of another one of the tenant: an
// application at the identity provider that was deleted and set up anew, and sends
// everybody again under other ids. From then on it adopts what the old one had, user
// by user and group by group as it sends them: users by userName, groups by their
// name. What it does not send stays with the old connection; [Ownership.Transfer]
// moves it. A connection may replace several. Declaring it twice changes nothing.
//
// End the credentials of the old connection first.
func (o *Ownership) Replace(ctx context.Context, tenant, old, new string) error {
	if old, new = named(old), named(new); old == new {
		return fmt.Errorf("ownership: the connection %q cannot take its own place", new)
	}
	return o.editReplacement(ctx, tenant, new, func(r *replacement) bool {
		if slices.Contains(r.Old, old) {
			return false
		}
		r.Old = append(r.Old, old)
		return true
	})
}

// EndReplacement takes back what [Ownership.Replace] declared. What was adopted stays
// adopted.
func (o *Ownership) EndReplacement(ctx context.Context, tenant, old, new string) error {
	return o.editReplacement(ctx, tenant, named(new), func(r *replacement) bool {
		n := len(r.Old)
		r.Old = slices.DeleteFunc(r.Old, func(c string) bool { return c == named(old) })
		return len(r.Old) < n
	})
}

// Replaced returns the connections whose place a connection takes.
func (o *Ownership) Replaced(ctx context.Context, tenant, connection string) ([]string, error) {
	old, err := o.kinds.replacedBy(ctx, o.store, tenant, named(connection))
	if err != nil {
		return nil, fmt.Errorf("ownership: %w", err)
	}
	return old, nil
}

func (o *Ownership) editReplacement(ctx context.Context, tenant, connection string, f func(*replacement) bool) error {
	err := o.kinds.replacements.Edit(ctx, o.store, tenant, connection, o.dir.Now(), func(r *kept.State[replacement]) (bool, error) {
		return f(&r.Value), nil
	})
	if err != nil {
		return fmt.Errorf("ownership: %w", err)
	}
	return nil
}

// named is the name of a connection as the server knows it.
func named(connection string) string {
	if connection == "" {
		return "default"
	}
	return connection
}
