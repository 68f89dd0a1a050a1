// Package policy has rules that most hosts want between an identity provider and
// their users, each a few lines to switch on:
//
//   - [Domains]: users have e-mail addresses of the customer's own domains.
//   - [Seats]: no more users are active than were paid for.
//   - [LastOwner]: an organisation does not lose its last owner.
//   - [Fuse]: a mistake at the identity provider does not deactivate everybody.
//   - [Fields]: some attributes are the host's, the others the identity provider's.
//
// All but the last are a [scim.Guard]; Fields is a [scim.Amendment]:
//
//	srv, err := scim.New(store, auth,
//		scim.WithGuard(
//			policy.Domains{Allowed: customers.Domains}.Guard(),
//			policy.Seats{Limit: customers.Seats}.Guard(),
//			policy.Fuse{Limit: 20, Share: 0.05, Blown: pager.Fuse}.Guard(),
//		),
//		scim.WithAmendment(policy.Fields{Host: []string{"timezone", "locale"}}.Amendment()),
//	)
//
// They are about resources of type User and leave all others alone. They see
// effects, not requests: it is the same to them whether a user is deactivated by
// PUT, by any form of PATCH, in a bulk request or in process, and whether users are
// in a store or in the host's own tables.
//
// # Refusals
//
// A refusal is a 403 with a sentence for the person who runs the identity provider:
// what is wrong, and what to do. Identity providers show it in their provisioning log
// and send the change again in a later cycle, so that nothing has to be done there
// once the cause is gone. In a bulk request each operation is judged by itself, with
// those before it done; with [scim.WithAtomicBulk] the request as a whole.
//
// # Counting
//
// Seats, LastOwner and Fuse keep account in records of private types in the store
// that the server was given, one for each tenant or connection, which are written in
// the commit that they judge (see [scim.Commit.Keep]). So they hold with any number
// of requests at the same moment and of processes, and what they cost does not grow
// with the number of users. The price is that the activations of one tenant wait for
// each other.
//
// Where a [scim.ResourceHandler] keeps users, the account is written before the
// handler is called. Each rule says what that means for it.
//
// The values here are made once and copied; their methods may be called
// concurrently, and so may the functions in their fields. Time is the server's
// ([scim.WithClock]).
package policy

import (
	"context"
	"errors"
	"time"

	"github.com/musterhq/muster/scim"
)

// userType is the resource type that the rules are about (RFC 7643 section 4.1).
const userType = "User"

// net are the effects on users, one for each: operations of an atomic bulk request
// may change a user more than once, and what counts is how it was and how it will be.
func net(effects []scim.Effect) (users []scim.Effect) {
	at := make(map[string]int, len(effects))
	for _, e := range effects {
		if e.Type.Name() != userType {
			continue
		}
		if i, again := at[e.ID]; again {
			users[i].After = e.After
			continue
		}
		at[e.ID] = len(users)
		users = append(users, e)
	}
	return users
}

// errNoCommit is for who calls a guard that keeps account by hand.
var errNoCommit = errors.New("policy: a guard that keeps account works in a server only, see scim.WithGuard")

func commitOf(ctx context.Context) (*scim.Commit, error) {
	c, ok := scim.CommitFromContext(ctx)
	if !ok {
		return nil, errNoCommit
	}
	return c, nil
}

// passed reports whether so much time lies between two moments. Clocks of different
// processes differ a little; one that was wrong by more than d does not stop the rule
// for ever.
func passed(since, now time.Time, d time.Duration) bool { return now.Sub(since).Abs() >= d }

// inFlight is the time that a handler is expected to take for a write at most.
const inFlight = time.Minute
