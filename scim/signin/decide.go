package signin

import (
	"context"
	"errors"
	"slices"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

// Rules are what a host decides about signing in. The zero value lets users in and
// creates none.
type Rules struct {
	// JustInTime returns whether somebody whom the identity provider has not sent may
	// become a user by signing in. Where a tenant is provisioned by SCIM the answer
	// should be no: being assigned is what makes a user there. Where a handler keeps
	// users there are no tombstones, so it should also be no for somebody whom the
	// host's table knows as deleted. nil never lets anybody.
	JustInTime func(ctx context.Context, tenant string, id Identity) (bool, error)
	// Connection owns the users that are created just in time. "" is the identity's
	// own, so that the identity provider finds the user when it looks for it. Another,
	// such as [scim.Adopting.Host], makes the user one of the host's until the
	// identity provider sends it and the host's rule of adoption agrees. Every identity
	// provider of the tenant can vouch for those users, so it is for tenants with one.
	Connection string
}

// Decide finds out whom an identity belongs to. It changes nothing. The surest field
// that finds anybody decides: UserID, ExternalID, UserName, then a verified Email,
// which is compared with emails and userName. All but the first are looked up by an
// index of the store, so it takes the same time however many users there are.
func (r Rules) Decide(ctx context.Context, d *scim.Directory, tenant string, id Identity) (*Decision, error) {
	q := &question{d: d, tenant: tenant, id: id, own: r.Connection}
	if done, err := q.byUserID(ctx); done != nil || err != nil {
		return done, err
	}
	keys := q.keys()
	if len(keys) == 0 && id.UserID == "" {
		return refused(Unidentified, scim.DirectoryEntry{}), nil
	}
	for _, k := range keys {
		if done, err := q.by(ctx, k); done != nil || err != nil {
			return done, err
		}
	}
	if q.elsewhere.Resource != nil {
		return refused(OtherConnection, q.elsewhere), nil
	}
	gone, err := q.deleted(ctx, keys)
	switch {
	case err != nil:
		return nil, err
	case gone || id.UserID != "":
		return refused(Deleted, scim.DirectoryEntry{}), nil
	}
	may, err := r.mayCreate(ctx, tenant, id)
	switch {
	case err != nil:
		return nil, err
	case !may:
		return refused(NotProvisioned, scim.DirectoryEntry{}), nil
	}
	return &Decision{Outcome: MayCreate}, nil
}

// mayCreate asks the host, when there is something to call the user.
func (r Rules) mayCreate(ctx context.Context, tenant string, id Identity) (bool, error) {
	if r.JustInTime == nil || id.newName() == "" {
		return false, nil
	}
	return r.JustInTime(ctx, tenant, id)
}

// newName is the userName of a user that is created for an identity.
func (id *Identity) newName() string {
	if id.UserName == "" && id.EmailVerified {
		return id.Email
	}
	return id.UserName
}

// question is a look-up under way.
type question struct {
	d      *scim.Directory
	tenant string
	id     Identity
	own    string
	// elsewhere is a user who fits and belongs to another connection.
	elsewhere scim.DirectoryEntry
}

// key is one way to look for a user: what fits one of the filters.
type key struct {
	filters []*scim.Filter // each is one look into an index
	// sure says that what is found among the identity provider's own cannot be another
	// person.
	sure bool
}

const userType = "User"

// keys are the ways to look for a user, the surest first.
func (q *question) keys() (keys []key) {
	t := q.d.Type(userType)
	if t == nil {
		return nil
	}
	add := func(sure bool, value string, names ...string) {
		k := key{sure: sure}
		for _, name := range names {
			if p, err := t.Resolve(name); err == nil {
				folded, _ := filter.Key(resource.Text(p, value))
				k.filters = append(k.filters, filter.NewPlan(t, filter.Compare{Path: p, Op: filter.Eq, Operand: filter.Operand{Text: value, Key: folded}}))
			}
		}
		if value != "" && len(k.filters) > 0 {
			keys = append(keys, k)
		}
	}
	add(true, q.id.ExternalID, "externalId")
	add(false, q.id.UserName, "userName")
	if q.id.EmailVerified {
		add(false, q.id.Email, "userName", "emails.value")
	}
	return keys
}

// byUserID looks for the user whom the host knows.
func (q *question) byUserID(ctx context.Context) (*Decision, error) {
	if q.id.UserID == "" {
		return nil, nil
	}
	entry, err := q.d.Get(ctx, q.tenant, storage.Ref{Type: userType, ID: q.id.UserID})
	switch {
	case errors.Is(err, scim.ErrNotFound):
		return nil, nil // the identity provider may have made the person anew
	case err != nil:
		return nil, err
	}
	switch may, err := q.vouches(ctx, entry); {
	case err != nil:
		return nil, err
	case !may:
		return refused(OtherConnection, entry), nil
	}
	return judge(entry), nil
}

// by looks for a user by one key. It decides when it finds anybody whom the identity
// provider may vouch for. Whatever others have of the same key makes no difference: of an
// externalId because identity providers give them as they like, and otherwise because one
// of them could keep people out who are not its own.
func (q *question) by(ctx context.Context, k key) (*Decision, error) {
	var fit []scim.DirectoryEntry
	for _, where := range k.filters {
		for after := ""; ; {
			found, err := q.d.Find(ctx, q.tenant, where, after, pageSize)
			if err != nil {
				return nil, err
			}
			for _, entry := range found {
				after = entry.Resource.ID()
				may, err := q.vouches(ctx, entry)
				switch {
				case err != nil:
					return nil, err
				case !may:
					if q.elsewhere.Resource == nil && !k.sure {
						q.elsewhere = entry
					}
				case !slices.ContainsFunc(fit, func(o scim.DirectoryEntry) bool { return o.Resource.ID() == after }):
					fit = append(fit, entry)
				}
				if len(fit) > 1 {
					return refused(Ambiguous, scim.DirectoryEntry{}), nil
				}
			}
			if len(found) < pageSize {
				break
			}
		}
	}
	switch {
	case len(fit) == 0:
		return nil, nil
	case !k.sure && q.contradicts(fit[0].Resource):
		return refused(Contradicted, fit[0]), nil
	}
	return judge(fit[0]), nil
}

// pageSize is how many users are read at once; as a rule one key has one.
const pageSize = 20

// deleted reports whether a tombstone fits. One of another identity provider that has the
// same externalId says nothing; where there are many, one of this one's may be among them.
func (q *question) deleted(ctx context.Context, keys []key) (bool, error) {
	const many = 100
	others := func(e scim.DirectoryEntry) bool {
		return q.id.Connection != "" && e.Connection != q.id.Connection && e.Connection != q.own
	}
	for _, k := range keys {
		for _, where := range k.filters {
			gone, err := q.d.FindDeleted(ctx, q.tenant, where, many)
			if err != nil {
				return false, err
			}
			if len(gone) < many && k.sure {
				gone = slices.DeleteFunc(gone, others)
			}
			if len(gone) > 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// vouches reports whether the identity provider may sign this user in: one of its own, or
// one that belongs to nobody and that it is shown through SCIM too. A row that the host
// had before, which no connection is shown, is the host's own.
func (q *question) vouches(ctx context.Context, entry scim.DirectoryEntry) (bool, error) {
	switch {
	case q.id.Connection == "" || entry.Connection == q.id.Connection || q.own != "" && entry.Connection == q.own:
		return true, nil
	case entry.Connection != "":
		return false, nil
	}
	return q.d.Shows(ctx, q.tenant, q.id.Connection, storage.Ref{Type: userType, ID: entry.Resource.ID()})
}

// contradicts reports whether a user has another externalId than the person.
func (q *question) contradicts(user *scim.Resource) bool {
	has := user.String("externalId")
	return has != "" && q.id.ExternalID != "" && has != q.id.ExternalID
}

func judge(entry scim.DirectoryEntry) *Decision {
	if !entry.Resource.Active() {
		return refused(Deactivated, entry)
	}
	return &Decision{Outcome: Existing, User: entry}
}
