package dialect

import (
	"slices"
	"strings"
)

// Rule describes one tolerance.
type Rule struct {
	Name    string // as in [Set.With] and in reports, such as "boolean-text"
	Summary string // what is accepted and what it is taken for
	Example string // what a client sends
	Clients string // who is known to send it
}

// Rules returns all rules there are, by name. The result is the caller's.
func Rules() []Rule {
	list := slices.Clone(rules[:])
	slices.SortFunc(list, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// The names of the rules, those about values first, then those about bodies,
// PATCH and filters. [Rules] tells what each one does.
const (
	BooleanText      = "boolean-text"
	EmptyText        = "empty-text"
	EmptyElement     = "empty-element"
	EmptyReference   = "empty-reference"
	TextReference    = "text-reference"
	WrappedReference = "wrapped-reference"
	WrappedScalar    = "wrapped-scalar"
	SingleElement    = "single-element"
	StringElement    = "string-element"
	RoleJSON         = "role-json"
	RoleJSONReplaces = "role-json-replaces"
	DisplayName      = "display-name"

	MissingSchemas     = "missing-schemas"
	ForeignSchemas     = "foreign-schemas"
	OldURNs            = "old-urns"
	KeepAbsentMembers  = "keep-absent-members"
	SkipUnknownMembers = "skip-unknown-members"
	MissingBulkID      = "missing-bulk-id"

	EmptyOperations      = "empty-operations"
	KeysAsPaths          = "keys-as-paths"
	IgnoreReadOnly       = "ignore-read-only"
	IgnoreUnknown        = "ignore-unknown"
	SkipUnknownSchema    = "skip-unknown-schema"
	WholeExtension       = "whole-extension"
	UnqualifiedExtension = "unqualified-extension"
	DottedURN            = "dotted-urn"
	CreateElement        = "create-element"

	BareFilterWords   = "bare-filter-words"
	LiteralCase       = "literal-case"
	FilterBooleanText = "filter-boolean-text"
	ValuePathSub      = "value-path-sub"
	ComplexValue      = "complex-value"
)

// rule is a rule's number, which is its place in rules and its bit in a Set.
type rule uint8

const (
	booleanText rule = iota
	emptyText
	emptyElement
	emptyReference
	textReference
	wrappedReference
	wrappedScalar
	singleElement
	stringElement
	roleJSON
	roleJSONReplaces
	displayName
	missingSchemas
	foreignSchemas
	oldURNs
	keepAbsentMembers
	skipUnknownMembers
	missingBulkID
	emptyOperations
	keysAsPaths
	ignoreReadOnly
	ignoreUnknown
	skipUnknownSchema
	wholeExtension
	unqualifiedExtension
	dottedURN
	createElement
	bareFilterWords
	literalCase
	filterBooleanText
	valuePathSub
	complexValue
	numRules
)

func (r rule) bit() uint64 { return 1 << r }

func find(name string) (rule, bool) {
	for r := range numRules {
		if rules[r].Name == name {
			return r, true
		}
	}
	return 0, false
}

func mustFind(name string) rule {
	r, ok := find(name)
	if !ok {
		panic("dialect: there is no rule " + name)
	}
	return r
}

// rules describes every rule; it is never changed.
var rules = [numRules]Rule{
	booleanText: {
		Name:    BooleanText,
		Summary: "A boolean may come as the word true or false in quotes, in any letter case. No other text is a boolean.",
		Example: `{"op":"Replace","path":"active","value":"False"}`,
		Clients: "Entra ID, OneLogin",
	},
	emptyText: {
		Name:    EmptyText,
		Summary: "An empty string for an attribute that does not hold text (a boolean, a number, a time, an object, a list) leaves it unassigned. For active that means no change.",
		Example: `{"userName":"ada","active":""}`,
		Clients: "Entra ID, OneLogin",
	},
	emptyElement: {
		Name:    EmptyElement,
		Summary: "An e-mail address, telephone number, role or other element whose value is an empty string is no element; setting the value of one to an empty string removes it.",
		Example: `{"op":"Replace","path":"emails[type eq \"work\"].value","value":""}`,
		Clients: "Entra ID, OneLogin, authentik",
	},
	emptyReference: {
		Name:    EmptyReference,
		Summary: "An empty string, alone or as value, clears a reference to another resource, such as the manager.",
		Example: `{"op":"Replace","path":"manager","value":{"value":""}}`,
		Clients: "Entra ID, OneLogin",
	},
	textReference: {
		Name:    TextReference,
		Summary: "A bare string for a reference to another resource, such as the manager, is its value.",
		Example: `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"2819c223"}`,
		Clients: "Entra ID, OneLogin",
	},
	wrappedReference: {
		Name:    WrappedReference,
		Summary: "A list of one stands for the one where there can only be one reference, such as the manager.",
		Example: `{"op":"Replace","path":"manager","value":[{"$ref":"../Users/2819c223","value":"2819c223"}]}`,
		Clients: "Entra ID",
	},
	wrappedScalar: {
		Name:    WrappedScalar,
		Summary: "A list of one object that holds value, and perhaps $ref, and nothing else stands for the value of a single-valued simple attribute.",
		Example: `{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ada L"}]}`,
		Clients: "Entra ID",
	},
	singleElement: {
		Name:    SingleElement,
		Summary: "In a body, one object or string stands for the list of it where the attribute is multi-valued. In a search request, attributes and excludedAttributes may be one text with commas.",
		Example: `{"userName":"ada","emails":{"type":"work","value":"ada@example.com"}}`,
		Clients: "OneLogin, Entra ID",
	},
	stringElement: {
		Name:    StringElement,
		Summary: "A bare string in a list of objects that have a value, such as members, roles and emails, is the value of one.",
		Example: `{"op":"add","path":"members","value":["2819c223"]}`,
		Clients: "Entra ID, Okta, OneLogin",
	},
	roleJSON: {
		Name:    RoleJSON,
		Summary: "A role whose value is the text of a JSON object with a value is the role that the object describes, with its display or displayName.",
		Example: `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"admin\",\"displayName\":\"Admin\"}"}]}`,
		Clients: "Entra ID",
	},
	roleJSONReplaces: {
		Name:    RoleJSONReplaces,
		Summary: "An add of roles in the form of role-json replaces the roles that are there, of whatever form, since whoever writes them so never removes one. It is the first operation of a request on all roles that counts; behind a replace or a remove an add is an add.",
		Example: `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"2\",\"value\":\"member\",\"displayName\":\"Member\"}"}]}`,
		Clients: "Entra ID",
	},
	displayName: {
		Name:    DisplayName,
		Summary: "displayName in an element of a list, such as a role, stands for display.",
		Example: `{"userName":"ada","roles":[{"value":"admin","displayName":"Admin"}]}`,
		Clients: "Entra ID",
	},
	missingSchemas: {
		Name:    MissingSchemas,
		Summary: "schemas may be missing, or lack the URN of the core schema or of the PATCH message. Bulk and search requests may go without it too.",
		Example: `{"Operations":[{"op":"replace","value":{"active":false}}]}`,
		Clients: "Okta, OneLogin, JumpCloud, Google, Ping",
	},
	foreignSchemas: {
		Name:    ForeignSchemas,
		Summary: "schemas may list URNs that the resource type does not have. They are not kept.",
		Example: `{"schemas":["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"Tour Guides"}`,
		Clients: "Entra ID, OneLogin, authentik",
	},
	oldURNs: {
		Name:    OldURNs,
		Summary: "The URNs that SCIM 1 and drafts of SCIM 2.0 had for the core schemas and the enterprise extension stand for the present ones.",
		Example: `{"schemas":["urn:scim:schemas:core:2.0"],"userName":"ada","urn:scim:schemas:extension:enterprise:2.0":{"department":"Sales"}}`,
		Clients: "OneLogin",
	},
	keepAbsentMembers: {
		Name:    KeepAbsentMembers,
		Summary: "A PUT of a group that does not name members keeps them; only an empty list or null empties the group.",
		Example: `PUT /Groups/7 {"displayName":"Tour Guides"}`,
		Clients: "Okta, JumpCloud, OneLogin, authentik, Ping",
	},
	skipUnknownMembers: {
		Name:    SkipUnknownMembers,
		Summary: "A member that does not exist is skipped and reported, so that one stale id does not lose the others.",
		Example: `{"op":"add","path":"members","value":[{"value":"known"},{"value":"gone"}]}`,
		Clients: "Entra ID, Okta, JumpCloud, OneLogin, authentik, Ping",
	},
	missingBulkID: {
		Name:    MissingBulkID,
		Summary: "A POST inside a bulk request may go without a bulkId.",
		Example: `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"ada"}}]}`,
		Clients: "scripts that import users in bulk",
	},
	emptyOperations: {
		Name:    EmptyOperations,
		Summary: "A PATCH with an empty list of operations succeeds and changes nothing.",
		Example: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}`,
		Clients: "Entra ID (its validator)",
	},
	keysAsPaths: {
		Name:    KeysAsPaths,
		Summary: "The keys of a PATCH value without a path may be paths, with dots, URNs and filters.",
		Example: `{"op":"replace","value":{"name.givenName":"Ada","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Sales"}}`,
		Clients: "Entra ID, Okta, authentik",
	},
	ignoreReadOnly: {
		Name:    IgnoreReadOnly,
		Summary: "Read-only attributes in a PATCH value without a path, such as id, meta and groups, are skipped. A path that names one is still an error.",
		Example: `{"op":"replace","value":{"id":"7","displayName":"Tour Guides"}}`,
		Clients: "Okta, Entra ID, authentik",
	},
	ignoreUnknown: {
		Name:    IgnoreUnknown,
		Summary: "Unknown attributes and sub-attributes in the value of a PATCH are skipped and reported. A path that names one is still an error.",
		Example: `{"op":"replace","value":{"shoeSize":"38","displayName":"Ada"}}`,
		Clients: "Entra ID, Okta, OneLogin, authentik",
	},
	skipUnknownSchema: {
		Name:    SkipUnknownSchema,
		Summary: "A PATCH operation whose path lies in a schema that is not registered is skipped and reported.",
		Example: `{"op":"replace","path":"urn:example:schemas:2.0:User:badge","value":"38"}`,
		Clients: "Entra ID, OneLogin, authentik",
	},
	wholeExtension: {
		Name:    WholeExtension,
		Summary: "The URN of an extension alone may be the path of a PATCH operation; its value is an object of attributes.",
		Example: `{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}`,
		Clients: "Entra ID, Okta",
	},
	unqualifiedExtension: {
		Name:    UnqualifiedExtension,
		Summary: "In a PATCH, an attribute of an extension may go without the URN as long as no other attribute has the name.",
		Example: `{"op":"replace","path":"department","value":"Sales"}`,
		Clients: "Entra ID",
	},
	dottedURN: {
		Name:    DottedURN,
		Summary: "A dot instead of a colon may follow the URN of a schema, in PATCH paths and filters.",
		Example: `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department","value":"Sales"}`,
		Clients: "Entra ID (customappsso)",
	},
	createElement: {
		Name:    CreateElement,
		Summary: "Adding or replacing a part of an element that a filter of eq terms describes, and that is not there, creates the element.",
		Example: `{"op":"Replace","path":"addresses[type eq \"work\"].locality","value":"Oslo"}`,
		Clients: "Entra ID",
	},
	bareFilterWords: {
		Name:    BareFilterWords,
		Summary: "In a filter of a URL, a word of letters, digits and @ . _ + - need not stand in quotes.",
		Example: `userName eq ada@example.com`,
		Clients: "authentik (until 2025.8), Ping (PingFederate), Entra ID (an example in its manual)",
	},
	literalCase: {
		Name:    LiteralCase,
		Summary: "true, false and null in a filter may be in any letter case.",
		Example: `active eq True`,
		Clients: "Entra ID",
	},
	filterBooleanText: {
		Name:    FilterBooleanText,
		Summary: "In a filter, a boolean may be compared with the word true or false in quotes.",
		Example: `{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"admin"}`,
		Clients: "Entra ID, Okta",
	},
	valuePathSub: {
		Name:    ValuePathSub,
		Summary: "In a filter, a comparison of a sub-attribute may follow the brackets of a value path; it is taken as one more term inside them.",
		Example: `emails[type eq "work"].value eq "ada@example.com"`,
		Clients: "Entra ID",
	},
	complexValue: {
		Name:    ComplexValue,
		Summary: "In a filter, a reference such as manager may be compared; its value is meant.",
		Example: `id eq "7" and manager eq "9"`,
		Clients: "Entra ID",
	},
}
