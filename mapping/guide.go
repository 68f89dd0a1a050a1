package mapping

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/musterhq/muster/scim/schema"
)

// Host is what a set-up guide has to know of the host application. Texts are for
// the admins of its customers; they are escaped, so that any text is safe.
type Host struct {
	// Name is the application's name. It is required, as is BaseURL.
	Name string
	// BaseURL is the SCIM URL of the customer that the guide is for, as the server
	// is mounted: "https://harbour.example/tenants/acme/scim/v2".
	BaseURL string
	// Settings says where in the application admins make tokens and assign groups:
	// "Settings › Provisioning in Harbour". Default "the settings of" and the name.
	Settings string
	// Support says whom to ask, such as an e-mail address or a URL. Without it the
	// guide sends nobody anywhere.
	Support string
	// Auth is how identity providers authenticate. Default [Bearer].
	Auth Auth

	// Users is the resource type as it was given to the server. Default
	// schema.User().
	Users schema.ResourceType
	// Fields are the attributes that the application has a use for: those of
	// [Mapping.Fields], or of a handler of package mapping/sqltable. Nil means all,
	// for servers whose store keeps whatever comes.
	Fields []FieldInfo

	// Roles are the roles of the organisation that users get by their attribute
	// roles, the highest first; none when the server does not manage them. With
	// any, roles is an attribute that the application has a use for.
	Roles []string
	// Groups are the ways from groups to rights, see package roles. The zero value
	// says that groups give none.
	Groups GroupWays
}

// GroupWays are the ways from groups to workspaces that are on. They are what
// roles.Settings says, for people.
type GroupWays struct {
	// Table: groups are assigned to workspaces, on a page of the application.
	Table bool
	// Convention: names of groups say workspace and role. Nil means off.
	Convention *GroupNames
	// AsRoles: each group is a role of its own.
	AsRoles bool
}

// GroupNames is the form of names of groups that give a role: prefix, workspace,
// separator, role.
type GroupNames struct {
	Prefix    string   // default "ws-"
	Separator string   // default "-role-"
	Roles     []string // the highest first; default admin, manager, member
	Ceiling   string   // the highest role that a name gives; "" is no bound
}

// Guide is a set-up guide: how an admin connects an identity provider to the
// host. [Guide.Markdown] and [Guide.HTML] render it, and encoding/json its
// parts. It is plain data of the caller's.
type Guide struct {
	// IdP is the ID of the identity provider.
	IdP string `json:"idp"`
	// Title is a line above it all.
	Title string `json:"title"`
	// BaseURL is what the admin enters.
	BaseURL string `json:"baseURL"`
	// Attributes are those that the host takes, each with its source; first those
	// that the identity provider has a name for.
	Attributes []GuideAttribute `json:"attributes"`
	// Remove are the attributes that the identity provider sends unless it is
	// told not to, and that this host has no use for.
	Remove []GuideAttribute `json:"remove"`
	// Sections are the text, in order.
	Sections []GuideSection `json:"sections"`
}

// GuideAttribute is a row of a guide's tables.
type GuideAttribute struct {
	// Path is the attribute in SCIM, as the identity provider's table or the host's
	// field has it, with double quotes.
	Path string `json:"path"`
	// Source is the identity provider's name for it; "" when the admin has to
	// choose one.
	Source string `json:"source,omitempty"`
	// Label is what the host shows it as; the usual name where the host's field
	// has no label.
	Label string `json:"label,omitempty"`
	// Default, Fixed, Note and Uncertain are those of [IdPAttribute].
	Default   bool   `json:"default,omitempty"`
	Fixed     bool   `json:"fixed,omitempty"`
	Note      string `json:"note,omitempty"`
	Uncertain bool   `json:"uncertain,omitempty"`
	// Required: without it there is no user. WriteOnce: later changes are refused.
	// ReadOnly: the host sets it itself and ignores what is sent.
	Required  bool `json:"required,omitempty"`
	WriteOnce bool `json:"writeOnce,omitempty"`
	ReadOnly  bool `json:"readOnly,omitempty"`
	// Field is the host's field; nil without one.
	Field *FieldInfo `json:"-"`
}

// GuideSection is a part of a guide.
type GuideSection struct {
	// ID is one of needs, setup, attributes, roles, groups, rights, check and errors.
	// Sections of which there is nothing to say are left out.
	ID string `json:"id"`
	// Title is its heading, and Markdown the text below it. All that came from the
	// host is escaped in it.
	Title    string `json:"title"`
	Markdown string `json:"markdown"`
}

// NewGuide makes the guide for connecting idp, one of [IdPs] or one of the
// host's own, to host. The error says which part of host or idp is missing or
// wrong: a BaseURL that is no URL, a way of authenticating that the identity
// provider does not have, an attribute whose path does not parse.
func NewGuide(idp IdP, host Host) (*Guide, error) {
	host, err := host.complete()
	if err == nil {
		err = idp.check(host.Auth)
	}
	if err != nil {
		return nil, fmt.Errorf("mapping: guide: %w", err)
	}
	g := &Guide{
		IdP: idp.ID, Title: host.Name + " and " + idp.Name, BaseURL: host.BaseURL,
		Attributes: []GuideAttribute{}, Remove: []GuideAttribute{},
	}
	if err := g.addAttributes(idp, host); err != nil {
		return nil, fmt.Errorf("mapping: guide: %w", err)
	}
	if g.Sections, err = writeSections(idp, host, g); err != nil {
		return nil, fmt.Errorf("mapping: guide: %w", err)
	}
	return g, nil
}

// complete checks what the host said and fills in the rest.
func (h Host) complete() (Host, error) {
	if strings.TrimSpace(h.Name) == "" {
		return h, errors.New("Host.Name is empty")
	}
	u, err := url.Parse(h.BaseURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return h, errors.New("Host.BaseURL is not a URL such as https://harbour.example/tenants/acme/scim/v2")
	}
	h.BaseURL = strings.TrimSuffix(h.BaseURL, "/")
	if h.Fields != nil && len(h.Fields) == 0 {
		return h, errors.New("Host.Fields is empty, not nil: a handler of mapping/sqltable has fields once it was given to scim.New")
	}
	if h.Settings == "" {
		h.Settings = "the settings of " + h.Name
	}
	if h.Auth == "" {
		h.Auth = Bearer
	}
	if h.Users.Schema == nil {
		h.Users = schema.User()
	}
	if c := h.Groups.Convention; c != nil {
		names := *c
		if names.Prefix == "" {
			names.Prefix = "ws-"
		}
		if names.Separator == "" {
			names.Separator = "-role-"
		}
		if len(names.Roles) == 0 {
			names.Roles = []string{"admin", "manager", "member"}
		}
		if names.Ceiling != "" && !slices.Contains(names.Roles, names.Ceiling) {
			return h, errors.New("Host.Groups.Convention.Ceiling is none of its Roles")
		}
		h.Groups.Convention = &names
	}
	return h, h.checkTexts()
}

// checkTexts refuses texts that span lines, which tables could not show.
func (h Host) checkTexts() error {
	texts := append([]string{h.Name, h.BaseURL, h.Settings, h.Support}, h.Roles...)
	if c := h.Groups.Convention; c != nil {
		texts = append(append(texts, c.Prefix, c.Separator), c.Roles...)
	}
	for _, f := range h.Fields {
		texts = append(texts, f.Label)
	}
	if slices.ContainsFunc(texts, hasControl) {
		return errors.New("a text of Host has a line break or another control character")
	}
	return nil
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// check finds what is wrong with an identity provider.
func (p IdP) check(auth Auth) error {
	switch {
	case strings.TrimSpace(p.ID) == "" || strings.TrimSpace(p.Name) == "":
		return errors.New("IdP.ID or IdP.Name is empty")
	case hasControl(p.Name):
		return errors.New("IdP.Name has a control character")
	case !slices.Contains(p.Auth, auth):
		return fmt.Errorf("%s cannot authenticate by %q, only by %q; a server takes several ways with scim.AnyOf", p.ID, auth, p.Auth)
	}
	for _, a := range p.Attributes {
		if hasControl(a.Source) || hasControl(a.Note) {
			return fmt.Errorf("the source or the note of %s has a control character", a.Path)
		}
	}
	return nil
}
