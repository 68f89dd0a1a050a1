package scim

import (
	"context"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
)

// ResourceHandler serves a resource type from where the host keeps it. Get and
// List are enough for a read-only type; [Creator], [Replacer], [Patcher] and
// [Deleter] each switch an operation on, and the service provider configuration
// says what is there. Register one with [WithHandler].
//
// Methods are called concurrently and answer promptly when the context ends.
// Errors: [ErrNotFound], [ErrConflict], [NotUnique], an [*Error] of the host's
// own, or anything else, which is logged and answered 500 without detail. So are
// panics, and results that cannot be: no resource, one of another type or id, a page
// with more resources than its total. A call that takes longer than [Limits.Handler] is answered 503.
//
// A handler that can iterate over its resources needs little more: [Find], [Page] and
// [CheckUnique] make the rest of that.
//
// Resources are of the type that the server compiled. A handler gets it as a
// [Binder]; [Server.Type] has it too, once there is a server, and so has every
// request for a list.
//
// Relations of such a type, those that it owns (a group's members) and those that
// lead to it (a user's groups), stay in the server's store, unless the handler is a
// [Linker]: its resources have no members in them. A write makes the links first and
// calls the handler then. A version that clients see covers both, so that it is the
// handler's with a number behind it once there have been links.
//
// A tenant's connections all see what a handler has, unless it keeps them apart, as
// the server's store does: [ScopeFromContext] says to which connection a call is
// confined, and [PrincipalFromContext] which one owns what the call creates.
type ResourceHandler interface {
	// Get returns the tenant's resource of that id, with its Meta, or
	// [ErrNotFound]. An id of any shape may be asked for, and is compared to the letter:
	// where "007" finds 7, or a database in any case, what is found has another id and is
	// answered 404. Of the Meta only the id is required; for a version that is missing
	// clients see [ContentVersion].
	Get(ctx context.Context, tenant, id string) (*Resource, error)
	// List returns the page that req asks for; [Page] does all of it for a handler
	// that can only iterate.
	List(ctx context.Context, req *ListRequest) (*ListPage, error)
}

// Binder is a [ResourceHandler] that wants to know its type before the first
// request: to make a mapping for it, to look whether the host's table fits.
type Binder interface {
	// Bind is called by [New], once, with the type as the server compiled it, for
	// handlers in the order in which their types were declared. An error is among
	// those that New returns, with the name of the resource type in front.
	//
	// Each server compiles types of its own and refuses the resources of others (500).
	// So a handler serves the server that it was bound to last, and one that is to
	// serve several at once is made once for each of them.
	Bind(t *Type) error
}

// Creator switches POST on.
type Creator interface {
	// Create keeps a new resource and returns it with its Meta, of which the handler
	// assigns the id. r's Meta is empty.
	Create(ctx context.Context, tenant string, r *Resource) (*Resource, error)
}

// Replacer switches PUT on, and PATCH, which becomes Get and Replace.
type Replacer interface {
	// Replace keeps r in place of the resource that it names by its Meta.ID and
	// returns what is kept. r's Meta.Version is the version that r was made from, ""
	// when the handler keeps none: when the resource is not in that version any
	// more, Replace changes nothing and returns [ErrConflict].
	Replace(ctx context.Context, tenant string, r *Resource) (*Resource, error)
}

// Patcher is for handlers that can apply changes with less than a whole
// resource. Without it PATCH is Get and Replace.
type Patcher interface {
	// Patch applies operations to the resource, all or none, and returns what is
	// kept. ifVersion, when not empty, is the version it must be in, else
	// [ErrConflict].
	Patch(ctx context.Context, tenant, id string, ops []patch.Operation, ifVersion string) (*Resource, error)
}

// Deleter switches DELETE on.
type Deleter interface {
	// Delete removes a resource. ifVersion, when not empty, is the version it must
	// be in, else [ErrConflict].
	Delete(ctx context.Context, tenant, id, ifVersion string) error
}

// ListRequest is a list as a handler gets it.
type ListRequest struct {
	Tenant string
	// Connection is the connection that asks, "" when the server asks for itself.
	Connection string
	// Scope is the connection to which the list is confined, as [ScopeFromContext]
	// says for the other methods; "" for all.
	Scope  string
	Type   *Type
	Filter *Filter // nil: all
	Sort   Sort    // zero: by id; by meta.version it is by id too
	// After, if not nil, starts behind a position in the order, whether or not a
	// resource stands there; Offset is 0 then. Only a handler whose pages have
	// Keyset set gets to see it.
	After *Position
	// Offset skips matches; Limit bounds the page, 0 asks for the total alone.
	Offset, Limit int
	// Links answers the tests on relations in Filter, see [Filter.UsesLinks] and
	// [Filter.Match]. It asks the store or a [Linker], this handler perhaps, and is of
	// use until List returns.
	Links filter.LinkTest
}

// ListPage is a page of resources, in the order asked for.
type ListPage struct {
	Resources []*Resource
	// Total is the number of matches in all, regardless of After, Offset and Limit.
	// Where After is set it may be [UnknownTotal].
	Total int
	// Keyset says that the handler minds [ListRequest.After]. A client that pages by
	// cursor then misses nothing and meets nothing twice while others write. Without
	// it a cursor stands for an offset, and whatever is created or deleted in front
	// of it shifts the pages.
	Keyset bool
}
