package schema

// The URNs of the schemas that the RFC defines (RFC 7643 sections 4 to 7).
const (
	UserURN                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseUserURN        = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ServiceProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeURN          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaURN                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// User returns the resource type User (RFC 7643 section 4.1) with the optional
// enterprise extension (section 4.3). The result is the caller's to change.
func User() ResourceType {
	return ResourceType{
		ID:          "User",
		Name:        "User",
		Endpoint:    "/Users",
		Description: "People and other holders of an account",
		Schema:      UserSchema(),
		Extensions:  []Extension{{Schema: EnterpriseUserSchema()}},
		Label:       "displayName",
	}
}

// Group returns the resource type Group (RFC 7643 section 4.2). Its members are
// a relation to users and groups, which a user shows backwards as groups. Two
// groups of one connection cannot share a displayName, since clients look
// groups up by it; clear UniquePerConnection to allow that. The result is the
// caller's to change.
func Group() ResourceType {
	return ResourceType{
		ID:                  "Group",
		Name:                "Group",
		Endpoint:            "/Groups",
		Description:         "Named sets of users and groups",
		Schema:              GroupSchema(),
		Relations:           []Relation{{Attribute: "members", Targets: []string{"User", "Group"}, Inverse: "groups"}},
		Label:               "displayName",
		UniquePerConnection: []string{"displayName"},
	}
}

// Builtin returns a fresh copy of the schema that the RFC defines under a URN,
// or nil when it defines none. Letter case does not matter. It serves as the
// look-up of [ParseResourceType].
func Builtin(urn string) *Schema {
	for _, build := range []func() *Schema{
		UserSchema, GroupSchema, EnterpriseUserSchema, ServiceProviderConfigSchema, ResourceTypeSchema, SchemaSchema,
	} {
		if s := build(); len(s.ID) == len(urn) && equalFoldASCII(s.ID, urn) {
			return s
		}
	}
	return nil
}

// UserSchema returns the core schema of users (RFC 7643 sections 4.1 and
// 8.7.1). It departs from the printed definition where errata and the text
// correct it: references and binary values are case exact (erratum 6001), an
// address may be primary (section 2.4), an instant messaging address may be of
// type other (section 4.1.2), and groups point to groups only.
func UserSchema() *Schema {
	return &Schema{
		ID:          UserURN,
		Name:        "User",
		Description: "A user account",
		Attributes: []Attribute{
			{Name: "userName", Description: "The name by which the user signs in, unique whatever its letter case", Required: true, Uniqueness: UniqueServer},
			{Name: "name", Description: "The parts of the user's name", Type: Complex, SubAttributes: []Attribute{
				text("formatted", "The whole name, ready for display"),
				text("familyName", "Family name, or last name"),
				text("givenName", "Given name, or first name"),
				text("middleName", "Middle names"),
				text("honorificPrefix", "What stands before the name, such as Dr."),
				text("honorificSuffix", "What stands behind the name, such as III"),
			}},
			text("displayName", "The name to show to others"),
			text("nickName", "The casual name, such as Bob for Robert"),
			{Name: "profileUrl", Description: "A page about the user", Type: Reference, CaseExact: true, ReferenceTypes: []string{"external"}},
			text("title", "Job title, such as Vice President"),
			text("userType", "How the user relates to the organisation, such as Employee or Contractor"),
			text("preferredLanguage", "Languages the user likes to read, as in an Accept-Language header"),
			text("locale", "Where the user is, for the format of dates and numbers, such as en-US"),
			text("timezone", "Time zone by its IANA name, such as Europe/Oslo"),
			{Name: "active", Description: "Whether the account may be used", Type: Boolean},
			{Name: "password", Description: "A new password; never shown", Mutability: WriteOnly, Returned: ReturnedNever},
			plural("emails", "E-mail addresses", text("value", "The address"), "work", "home", "other"),
			plural("phoneNumbers", "Telephone numbers", text("value", "The number, best as a tel URI of RFC 3966"), "work", "home", "mobile", "fax", "pager", "other"),
			plural("ims", "Instant messaging addresses", text("value", "The address"), "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other"),
			plural("photos", "Pictures of the user", Attribute{
				Name: "value", Description: "Where the image file is", Type: Reference, CaseExact: true, ReferenceTypes: []string{"external"},
			}, "photo", "thumbnail"),
			{Name: "addresses", Description: "Postal addresses", Type: Complex, MultiValued: true, SubAttributes: []Attribute{
				text("formatted", "The whole address, ready for a label; may hold line breaks"),
				text("streetAddress", "Street and house number; may hold line breaks"),
				text("locality", "City or town"),
				text("region", "State or region"),
				text("postalCode", "Postal code"),
				text("country", "Country by its ISO 3166-1 code of two letters"),
				{Name: "type", Description: "What the address is for", CanonicalValues: []string{"work", "home", "other"}},
				primary(),
			}},
			{Name: "groups", Description: "Groups that the user is in, directly or by nesting; changed through the groups", Type: Complex, MultiValued: true, Mutability: ReadOnly, SubAttributes: []Attribute{
				{Name: "value", Description: "The id of the group", Mutability: ReadOnly},
				{Name: "$ref", Description: "The URI of the group", Type: Reference, CaseExact: true, ReferenceTypes: []string{"Group"}, Mutability: ReadOnly},
				{Name: "display", Description: "The name of the group", Mutability: ReadOnly},
				{Name: "type", Description: "Whether the membership is direct", CanonicalValues: []string{"direct", "indirect"}, Mutability: ReadOnly},
			}},
			plural("entitlements", "Things that the user has a right to", text("value", "The entitlement")),
			plural("roles", "Roles that the user has", text("value", "The role")),
			plural("x509Certificates", "Certificates issued to the user", Attribute{
				Name: "value", Description: "One DER certificate in base64", Type: Binary, CaseExact: true,
			}),
		},
	}
}

// GroupSchema returns the core schema of groups (RFC 7643 sections 4.2 and
// 8.7.1). It departs from the printed definition where errata and the text
// correct it: displayName is required (erratum 5368), references are case
// exact (erratum 6001), and members have a display (section 2.4).
func GroupSchema() *Schema {
	return &Schema{
		ID:          GroupURN,
		Name:        "Group",
		Description: "A group of users",
		Attributes: []Attribute{
			{Name: "displayName", Description: "The name of the group", Required: true},
			{Name: "members", Description: "Who is in the group", Type: Complex, MultiValued: true, SubAttributes: []Attribute{
				{Name: "value", Description: "The id of the member", Mutability: Immutable},
				{Name: "$ref", Description: "The URI of the member", Type: Reference, CaseExact: true, ReferenceTypes: []string{"User", "Group"}, Mutability: Immutable},
				{Name: "type", Description: "The resource type of the member", CanonicalValues: []string{"User", "Group"}, Mutability: Immutable},
				{Name: "display", Description: "The name of the member", Mutability: Immutable},
			}},
		},
	}
}

// EnterpriseUserSchema returns the extension of users for organisations
// (RFC 7643 sections 4.3 and 8.7.1). References are case exact (erratum 6001).
func EnterpriseUserSchema() *Schema {
	return &Schema{
		ID:          EnterpriseUserURN,
		Name:        "EnterpriseUser",
		Description: "What an organisation adds to a user account",
		Attributes: []Attribute{
			text("employeeNumber", "The number or other mark by which the organisation knows the person"),
			text("costCenter", "Cost centre"),
			text("organization", "Organisation"),
			text("division", "Division"),
			text("department", "Department"),
			{Name: "manager", Description: "The user's manager", Type: Complex, SubAttributes: []Attribute{
				text("value", "The id of the manager"),
				{Name: "$ref", Description: "The URI of the manager", Type: Reference, CaseExact: true, ReferenceTypes: []string{"User"}},
				{Name: "displayName", Description: "The name of the manager", Mutability: ReadOnly},
			}},
		},
	}
}

// text declares an attribute with the defaults of the RFC.
func text(name, description string) Attribute {
	return Attribute{Name: name, Description: description}
}

// plural declares a multi-valued attribute with the sub-attributes value,
// display, type and primary (RFC 7643 section 2.4).
func plural(name, description string, value Attribute, types ...string) Attribute {
	return Attribute{Name: name, Description: description, Type: Complex, MultiValued: true, SubAttributes: []Attribute{
		value,
		text("display", "A name to show"),
		{Name: "type", Description: "What kind it is", CanonicalValues: types},
		primary(),
	}}
}

func primary() Attribute {
	return Attribute{Name: "primary", Description: "Whether this is the preferred one; true at most once", Type: Boolean}
}
