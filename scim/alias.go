package scim

import (
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// The types that a host names, so that it imports this package and a store and
// as a rule nothing else of ours.
type (
	// Resource is a user, group or other resource: an immutable value.
	Resource = resource.Resource
	// Meta is a resource's id, version and times.
	Meta = resource.Meta
	// Member is one entry of a relation, such as a group's members.
	Member = resource.Member
	// Relations are the relation attributes that a request named.
	Relations = resource.Relations
	// Value is one value inside a resource.
	Value = resource.Value
	// Builder makes resources; start one with [NewResource].
	Builder = resource.Builder
	// PatchBuilder makes what Operation.Patch takes; start one with [NewPatch].
	PatchBuilder = patch.Builder
	// Ref names a resource inside a tenant: its type and its id.
	Ref = storage.Ref
	// Change is one attribute whose value a write changes.
	Change = patch.Change
	// Filter is a filter resolved for a resource type. A nil Filter matches all.
	Filter = filter.Plan
	// Sort is the order of a list.
	Sort = storage.Sort
	// Position is a place in such an order.
	Position = storage.Position
	// Schema is a set of attribute definitions.
	Schema = schema.Schema
	// Attribute is the definition of one attribute.
	Attribute = schema.Attribute
	// ResourceType declares a kind of resource.
	ResourceType = schema.ResourceType
	// Type is a compiled resource type.
	Type = schema.Type
	// Path names an attribute of a Type.
	Path = schema.Path
)

// NewResource starts a resource of type t, for hosts that serve their own or create
// some with [Server.Do]. t is the server's, see [Server.Type].
func NewResource(t *Type) *Builder { return resource.New(t) }

// NewPatch starts a PATCH of resources of type t, for [Server.Do]:
//
//	change, err := scim.NewPatch(users).Replace("active", false).Request()
func NewPatch(t *Type) *PatchBuilder { return patch.NewRequest(t) }
