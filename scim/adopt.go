package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// An identity provider that is connected to a host with users in it sends somebody
// whom the host has already. By default such a create is answered 409 (uniqueness):
// a name alone does not prove that two accounts are one person's. WithAdoption lets
// the host decide; this file says what is decided about, claim.go how it is found
// and done, approval.go keeps what waits for a person.

// Adoption is the answer to a [Claim].
type Adoption uint8

// What becomes of a claim.
const (
	// Decline leaves the existing resource alone, as it is without [WithAdoption]: the
	// create is answered 409 (uniqueness) when the value is unique in the tenant, and
	// makes a resource of its own when it is unique in a connection only, as the
	// names of groups are.
	Decline Adoption = iota
	// Adopt gives the existing resource to the caller's connection.
	Adopt
	// Queue lets a person decide: the create is answered 409 with a sentence that
	// says so, and the claim is listed by [Server.Approvals]. Once it is approved,
	// the next create of the same resource adopts.
	Queue
)

// Claim is a create that has met a resource which may be the same one: it has the
// same userName, or for a group the same displayName, and does not belong to the
// caller's connection.
type Claim struct {
	// Directory reads what the server has, and knows its store and its clock.
	Directory *Directory
	Principal Principal
	Type      *Type
	// Attribute is the unique attribute that both have the same value of, such as
	// "userName", or what [Adopting.Alike] or [HeldBy] says.
	Attribute string
	// Existing is the resource that is there, and the connection that it belongs to:
	// [Adopting.Host], or one that the caller's replaces, or "" for a resource of a
	// handler that belongs to none.
	Existing DirectoryEntry
	// Sent is what the client sent, without its password and without an id.
	Sent *Resource
	// Relations are the relation attributes that came with it.
	Relations Relations
}

// Adopting is what [WithAdoption] needs to know.
type Adopting struct {
	// Host is the connection under which the host makes resources of its own, through
	// [Server.Do] with a [Principal] of that connection. No identity provider may be
	// connected under the same name. "" when the host makes none.
	Host string
	// Replaced returns the connections that the caller's connection takes the place
	// of: an application at the identity provider that was deleted and set up anew.
	// nil: none. It is called on every create.
	Replaced func(ctx context.Context, d *Directory, p Principal) ([]string, error)
	// Alike returns further resources that a create may mean, by id, although no
	// unique value says so: accounts with the same e-mail address under another
	// userName. attribute is what they have in common, for [Claim.Attribute]. When all
	// of these claims are declined, or rejected by a person, the create makes a resource
	// of its own. nil: none.
	// It is called when no unique value led to an adoption; sent is as in a [Claim].
	Alike func(ctx context.Context, d *Directory, p Principal, sent *Resource) (attribute string, ids []string, err error)
	// Decide answers a claim. It is required. It is called before the guards, once
	// for a request as a rule, and again when somebody else has changed the existing
	// resource meanwhile. An error refuses the request.
	Decide func(ctx context.Context, c *Claim) (Adoption, error)
}

// WithAdoption lets the host decide what a create means that has the userName of a
// user whom the host made itself (or the displayName of a group): package ownership
// has a rule that is ready for use. Without it such a create is answered 409.
//
// Only resources of [Adopting.Host], of connections that [Adopting.Replaced] names,
// and resources of a [ResourceHandler] that belong to no connection can be adopted:
// never those of another identity provider, and never those of another tenant.
//
// An adopted resource keeps its id, its time of creation, and the links that lead to
// it. What the client sent takes the place of what was there, attribute by attribute;
// what it did not send stays. A list, such as emails, is replaced as a whole. An
// inactive user becomes active only by an explicit true. Members of a group that the
// client sent are added, and those that were there stay. Guards and subscribers see
// a Replace that has [Effect.Owner] set. The client gets 201 with the existing id.
//
// From then on the connection that it belonged to no longer sees it.
//
// What is there is found by the attributes that are unique and indexed, as userName
// and the displayName of groups are. A tenant whose connections share ([WithSharing])
// needs none of this: they see and change everything, the host's own too.
func WithAdoption(a Adopting) Option {
	return option(func(s *Server) error {
		if a.Decide == nil {
			return errors.New("WithAdoption: Decide is nil; package ownership has a rule that is ready for use")
		}
		s.adopting = &a
		return nil
	})
}

// OwnerChange says that a resource goes from one connection to another.
type OwnerChange struct{ From, To string }

// Adopter is a [ResourceHandler] whose resources can change hands: they can be
// adopted ([WithAdoption]) and transferred ([Server.Transfer]). A resource that no
// connection created, a row that the host had before there was SCIM, belongs to "".
type Adopter interface {
	Owned
	// Adopt keeps r in place of the resource that it names by its Meta.ID and gives it
	// to the connection to, in one step, and returns what is kept. r's Meta.Version is
	// the version that r was made from, "" when the handler keeps none. When the
	// resource is not in that version any more, or does not belong to from any more,
	// Adopt changes nothing and returns [ErrConflict]. A change of hands need not be a
	// new version. The call is not confined to a connection.
	Adopt(ctx context.Context, tenant string, r *Resource, from, to string) (*Resource, error)
}

// HeldBy is [NotUnique] with the id of the resource that has the value, for handlers
// that are an [Adopter]: so the create can be answered by adoption, also when the
// value is unique in the host's table and not in the schema. The client does not see
// the id.
func HeldBy(attribute, id string) error {
	return notUnique(attribute).WithCause(&held{attribute, id})
}

// held is the cause of an error that names the holder of a value.
type held struct{ attribute, id string }

func (h *held) Error() string { return fmt.Sprintf("%s is held by the resource %s", h.attribute, h.id) }

// errAsked is the answer to a claim that waits for a person.
func errAsked(attribute string) error {
	return Errorf(http.StatusConflict, Uniqueness,
		"the application already has one with the same %s; an administrator of the application was asked to approve the link, after which it is enough to send it again", attribute)
}

// errRejected is the answer to a claim that a person has refused.
func errRejected(attribute string) error {
	return Errorf(http.StatusConflict, Uniqueness,
		"the application already has one with the same %s, and an administrator of the application refused to link it", attribute).WithCause(errRejection)
}

var errRejection = errors.New("a person refused the link")
