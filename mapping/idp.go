package mapping

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// templates holds the tables of identity providers and the text of the guides.
//
//go:embed templates
var templates embed.FS

// IdP is an identity provider as set-up guides speak of it: what its admin
// console calls the attributes that it sends.
type IdP struct {
	// ID is its name in URLs and file names, "entra".
	ID string `json:"id"`
	// Name is its name for people.
	Name string `json:"name"`
	// Auth are the ways in which it can authenticate to a SCIM server, preferred
	// ones first.
	Auth []Auth `json:"auth"`
	// Attributes are those that it can send of a user.
	Attributes []IdPAttribute `json:"attributes"`
}

// IdPAttribute says from what an identity provider fills an attribute of SCIM.
type IdPAttribute struct {
	// Path is the attribute, as [ParsePath] reads it.
	Path string `json:"path"`
	// Source is what the admin console calls the value: an attribute of the
	// identity provider, or an expression.
	Source string `json:"source"`
	// Default says that it is sent unless an admin takes it out, and Fixed that
	// it cannot be taken out.
	Default bool `json:"default,omitempty"`
	Fixed   bool `json:"fixed,omitempty"`
	// Note is what an admin has to know about it, a few words without a full stop.
	Note string `json:"note,omitempty"`
	// Uncertain marks what was found in no document of the provider. Guides say so.
	Uncertain bool `json:"uncertain,omitempty"`
}

// Auth is a way of authenticating to a SCIM server.
type Auth string

// The ways of authenticating that guides explain.
const (
	Bearer Auth = "bearer" // a secret token, see scim.BearerToken
	Basic  Auth = "basic"  // a user name and a password, see scim.Basic
)

// catalogue is the file idps.json.
type catalogue struct {
	// Standard are the attributes that most hosts have, with the labels that are
	// used where the host has none.
	Standard []struct{ Path, Label string } `json:"standard"`
	IdPs     []IdP                          `json:"idps"`
}

func readCatalogue() catalogue {
	var c catalogue
	data, err := templates.ReadFile("templates/idps.json")
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		panic(fmt.Sprintf("mapping: the embedded tables of identity providers: %v", err))
	}
	return c
}

// IdPs returns the identity providers that tables are built in of: entra, okta,
// jumpcloud, onelogin, google, pingone, pingfederate, authentik, keycloak, and
// last generic, which knows no names and stands for any other. The result is the
// caller's.
func IdPs() []IdP { return readCatalogue().IdPs }

// FindIdP returns the identity provider with an ID, one of those that [IdPs]
// lists.
func FindIdP(id string) (IdP, bool) {
	all := IdPs()
	i := slices.IndexFunc(all, func(p IdP) bool { return p.ID == id })
	if i < 0 {
		return IdP{}, false
	}
	return all[i], true
}

// With returns a copy in which attributes take the place of those with the same
// path, and are added where there are none: the attribute for an extension of
// the host, or another source than the usual one.
//
//	entra = entra.With(mapping.IdPAttribute{Path: "userName", Source: "mail"})
//
// One without a source takes the attribute out: the identity provider does not
// send it.
func (p IdP) With(attributes ...IdPAttribute) IdP {
	p.Attributes = slices.Clone(p.Attributes)
	for _, a := range attributes {
		i := slices.IndexFunc(p.Attributes, func(b IdPAttribute) bool { return samePath(a.Path, b.Path) })
		switch {
		case i >= 0 && a.Source == "":
			p.Attributes = slices.Delete(p.Attributes, i, i+1)
		case i >= 0:
			p.Attributes[i] = a
		case a.Source != "":
			p.Attributes = append(p.Attributes, a)
		}
	}
	return p
}

// samePath compares paths as text: letter case and the kind of quotes aside.
func samePath(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "'", `"`), strings.ReplaceAll(b, "'", `"`))
}
