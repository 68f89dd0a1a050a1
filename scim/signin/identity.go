package signin

import (
	"github.com/musterhq/muster/scim"
)

// Identity is what the host knows of a person who signs in, from an assertion or a
// token that it has verified. Empty fields are not looked for. Fields that are filled
// must hold what SCIM calls so: a claim that is something else, such as an object id
// where the identity provider sends another value as externalId, finds nobody or
// contradicts everybody.
type Identity struct {
	// Connection is the connection of the identity provider that vouches for the
	// person. A user of another connection is refused, so that one identity provider of
	// a tenant cannot sign in as the users of another. "" vouches for all users of the
	// tenant, those that the host made itself too: for a host whose tenants have one
	// identity provider each and whose users are all that provider's.
	Connection string
	// UserID is the id of the user whom the same subject of the same issuer was at an
	// earlier sign-in, if the host keeps that. It is the surest of all.
	UserID string
	// ExternalID is the claim that the identity provider sends as externalId: for
	// Entra ID "oid", when the mapping has objectId there; for Okta the user's id.
	ExternalID string
	// UserName is the claim that it sends as userName, as a rule the NameID or
	// "preferred_username".
	UserName string
	// Email is an address, used when EmailVerified: the identity provider says that it
	// belongs to the person, and is one that the host believes about this domain.
	Email         string
	EmailVerified bool
}

// Outcome says what becomes of a sign-in.
type Outcome uint8

const (
	// Refused: nobody is signed in; [Decision.Reason] says why.
	Refused Outcome = iota
	// Existing: the person is a user, who is active.
	Existing
	// MayCreate: the person is not a user and may become one. [Rules.SignIn] never
	// answers this.
	MayCreate
	// Created: the person has become a user just now.
	Created
)

// OK reports whether there is a user to begin a session for.
func (o Outcome) OK() bool { return o == Existing || o == Created }

func (o Outcome) String() string {
	return [...]string{"refused", "existing", "may create", "created"}[o]
}

// Reason says why a sign-in was refused. It is a sentence for the person and names
// nobody; what to log besides is the id of [Decision.User].
type Reason string

// Reasons.
const (
	// Deactivated: the user is inactive. Only the identity provider, through SCIM, or
	// the host's administrator reactivates it.
	Deactivated Reason = "this account is deactivated; ask the administrator of your organisation"
	// Deleted: the user was deleted and is kept as a tombstone, or the id that the
	// host knew is gone. The identity provider has to create it again.
	Deleted Reason = "this account was deleted; ask the administrator of your organisation"
	// NotProvisioned: nobody is found, and the tenant does not let people in whom the
	// identity provider has not sent.
	NotProvisioned Reason = "there is no account for you yet; ask the administrator of your organisation to assign you to the application"
	// OtherConnection: the user belongs to another identity provider of the tenant, or
	// is one of the host's own. Linking the two is for the host to decide.
	OtherConnection Reason = "this account signs in in another way; ask the administrator of your organisation"
	// Ambiguous: several users fit.
	Ambiguous Reason = "several accounts fit; ask the administrator of your organisation"
	// Contradicted: the user that fits has another externalId than the person: the
	// name or the address may have belonged to somebody else before.
	Contradicted Reason = "the account with this name belongs to somebody else; ask the administrator of your organisation"
	// Unidentified: the identity has no field that could be looked for.
	Unidentified Reason = "your identity provider did not say who you are; ask the administrator of your organisation"
)

// Decision is the answer to a sign-in.
type Decision struct {
	Outcome Outcome
	// User is the user that was found or created. It is also set when one was found and
	// refused; its Resource is nil when there is none, or several.
	User   scim.DirectoryEntry
	Reason Reason // "" unless refused
}

func refused(why Reason, user scim.DirectoryEntry) *Decision {
	return &Decision{Outcome: Refused, Reason: why, User: user}
}
