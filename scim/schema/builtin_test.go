package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/musterhq/muster/scim/schema"
)

// The definitions of RFC 7643 section 8.7 and RFC 9865 section 4 with errata 5368, 5607, 6001, 7522
// and 8011, one attribute a line. Only what differs from the defaults of
// section 2.2 is written: "*" is multi-valued, "!" required, "exact" caseExact,
// a|b canonical values, ->a|b reference types.
var rfcSchemas = map[string]string{
	schema.UserURN: `
userName string ! server
name complex
name.formatted string
name.familyName string
name.givenName string
name.middleName string
name.honorificPrefix string
name.honorificSuffix string
displayName string
nickName string
profileUrl reference exact ->external
title string
userType string
preferredLanguage string
locale string
timezone string
active boolean
password string writeOnly never
emails complex *
emails.value string
emails.display string
emails.type string work|home|other
emails.primary boolean
phoneNumbers complex *
phoneNumbers.value string
phoneNumbers.display string
phoneNumbers.type string work|home|mobile|fax|pager|other
phoneNumbers.primary boolean
ims complex *
ims.value string
ims.display string
ims.type string aim|gtalk|icq|xmpp|msn|skype|qq|yahoo|other
ims.primary boolean
photos complex *
photos.value reference exact ->external
photos.display string
photos.type string photo|thumbnail
photos.primary boolean
addresses complex *
addresses.formatted string
addresses.streetAddress string
addresses.locality string
addresses.region string
addresses.postalCode string
addresses.country string
addresses.type string work|home|other
addresses.primary boolean
groups complex * readOnly
groups.value string readOnly
groups.$ref reference exact readOnly ->Group
groups.display string readOnly
groups.type string readOnly direct|indirect
entitlements complex *
entitlements.value string
entitlements.display string
entitlements.type string
entitlements.primary boolean
roles complex *
roles.value string
roles.display string
roles.type string
roles.primary boolean
x509Certificates complex *
x509Certificates.value binary exact
x509Certificates.display string
x509Certificates.type string
x509Certificates.primary boolean
`,
	schema.GroupURN: `
displayName string !
members complex *
members.value string immutable
members.$ref reference exact immutable ->User|Group
members.type string immutable User|Group
members.display string immutable
`,
	schema.EnterpriseUserURN: `
employeeNumber string
costCenter string
organization string
division string
department string
manager complex
manager.value string
manager.$ref reference exact ->User
manager.displayName string readOnly
`,
	schema.ServiceProviderConfigURN: `
documentationUri reference exact readOnly ->external
patch complex ! readOnly
patch.supported boolean ! readOnly
bulk complex ! readOnly
bulk.supported boolean ! readOnly
bulk.maxOperations integer ! readOnly
bulk.maxPayloadSize integer ! readOnly
filter complex ! readOnly
filter.supported boolean ! readOnly
filter.maxResults integer ! readOnly
changePassword complex ! readOnly
changePassword.supported boolean ! readOnly
sort complex ! readOnly
sort.supported boolean ! readOnly
etag complex ! readOnly
etag.supported boolean ! readOnly
pagination complex readOnly
pagination.cursor boolean ! readOnly
pagination.index boolean ! readOnly
pagination.defaultPaginationMethod string readOnly cursor|index
pagination.defaultPageSize integer readOnly
pagination.maxPageSize integer readOnly
pagination.cursorTimeout integer readOnly
authenticationSchemes complex * ! readOnly
authenticationSchemes.type string ! readOnly oauth|oauth2|oauthbearertoken|httpbasic|httpdigest
authenticationSchemes.name string ! readOnly
authenticationSchemes.description string ! readOnly
authenticationSchemes.specUri reference exact readOnly ->external
authenticationSchemes.documentationUri reference exact readOnly ->external
authenticationSchemes.primary boolean readOnly
`,
	schema.ResourceTypeURN: `
id string readOnly
name string ! readOnly
description string readOnly
endpoint reference ! exact readOnly ->uri
schema reference ! exact readOnly ->uri
schemaExtensions complex * readOnly
schemaExtensions.schema reference ! exact readOnly ->uri
schemaExtensions.required boolean ! readOnly
`,
	schema.SchemaURN: `
id string ! readOnly
name string ! readOnly
description string readOnly
attributes complex * ! readOnly
attributes.name string ! exact readOnly
attributes.type string ! readOnly string|complex|boolean|decimal|integer|dateTime|reference|binary
attributes.multiValued boolean ! readOnly
attributes.description string exact readOnly
attributes.required boolean readOnly
attributes.canonicalValues string * exact readOnly
attributes.caseExact boolean readOnly
attributes.mutability string exact readOnly readOnly|readWrite|immutable|writeOnly
attributes.returned string exact readOnly always|never|default|request
attributes.uniqueness string exact readOnly none|server|global
attributes.referenceTypes string * exact readOnly
attributes.subAttributes complex * readOnly
attributes.subAttributes.name string ! exact readOnly
attributes.subAttributes.type string ! readOnly string|complex|boolean|decimal|integer|dateTime|reference|binary
attributes.subAttributes.multiValued boolean ! readOnly
attributes.subAttributes.description string exact readOnly
attributes.subAttributes.required boolean readOnly
attributes.subAttributes.canonicalValues string * exact readOnly
attributes.subAttributes.caseExact boolean readOnly
attributes.subAttributes.mutability string exact readOnly readOnly|readWrite|immutable|writeOnly
attributes.subAttributes.returned string exact readOnly always|never|default|request
attributes.subAttributes.uniqueness string exact readOnly none|server|global
attributes.subAttributes.referenceTypes string * exact readOnly
`,
}

func TestBuiltinSchemasAreThoseOfTheRFC(t *testing.T) {
	t.Parallel()
	for urn, want := range rfcSchemas {
		s := schema.Builtin(urn)
		if s == nil || s.ID != urn {
			t.Errorf("Builtin(%q) = %v", urn, s)
			continue
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSpace(want), "\n"), characteristics(nil, "", s.Attributes)); diff != "" {
			t.Errorf("%s (-RFC +have):\n%s", urn, diff)
		}
	}
}

func TestBuiltinSchemasAreDescribed(t *testing.T) {
	t.Parallel()
	var check func(where string, list []schema.Attribute)
	check = func(where string, list []schema.Attribute) {
		for _, a := range list {
			if a.Description == "" {
				t.Errorf("%s: no description of %s", where, a.Name)
			}
			check(where+" "+a.Name, a.SubAttributes)
		}
	}
	for urn := range rfcSchemas {
		s := schema.Builtin(urn)
		if s.Name == "" || s.Description == "" {
			t.Errorf("%s: name %q, description %q", urn, s.Name, s.Description)
		}
		check(urn, s.Attributes)
	}
}

func TestBuiltinIgnoresCaseAndReturnsNilForOthers(t *testing.T) {
	t.Parallel()
	if s := schema.Builtin(strings.ToUpper(schema.GroupURN)); s == nil || s.ID != schema.GroupURN {
		t.Errorf("Builtin of the group URN in capitals = %v", s)
	}
	for _, urn := range []string{"", "User", schema.UserURN + ":name", "urn:ietf:params:scim:schemas:core:2.0"} {
		if s := schema.Builtin(urn); s != nil {
			t.Errorf("Builtin(%q) = %v, want nil", urn, s.ID)
		}
	}
}

func TestBuiltinDeclarationsAreFresh(t *testing.T) {
	t.Parallel()
	a, b := schema.User(), schema.User()
	a.Schema.Attributes[1].SubAttributes[0].Name = "changed"
	a.Extensions[0].Schema.Attributes[0].Name = "changed"
	if diff := cmp.Diff(schema.User(), b); diff != "" {
		t.Errorf("a change of one declaration shows in another:\n%s", diff)
	}
}

// characteristics writes attributes in the notation of rfcSchemas.
func characteristics(lines []string, prefix string, list []schema.Attribute) []string {
	for _, a := range list {
		words := []string{prefix + a.Name, a.Type.String()}
		add := func(on bool, word string) {
			if on {
				words = append(words, word)
			}
		}
		add(a.MultiValued, "*")
		add(a.Required, "!")
		add(a.CaseExact, "exact")
		add(a.Mutability != schema.ReadWrite, a.Mutability.String())
		add(a.Returned != schema.ReturnedDefault, a.Returned.String())
		add(a.Uniqueness != schema.UniqueNone, a.Uniqueness.String())
		add(len(a.CanonicalValues) > 0, strings.Join(a.CanonicalValues, "|"))
		add(len(a.ReferenceTypes) > 0, "->"+strings.Join(a.ReferenceTypes, "|"))
		lines = append(lines, strings.Join(words, " "))
		lines = characteristics(lines, prefix+a.Name+".", a.SubAttributes)
	}
	return lines
}
