package mapping

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// sections are the sections of a guide in order. Each is a template of its ID,
// and left out when that writes nothing.
var sections = [...]string{"needs", "setup", "attributes", "roles", "groups", "rights", "check", "errors"}

// prose is text of the host or of a table. It escapes itself where it is
// written into Markdown; code and cell take it as it is.
type prose string

// String returns the text with everything escaped that means something in
// Markdown.
func (p prose) String() string {
	var b strings.Builder
	text := string(p)
	if first := lineStart.FindString(text); first != "" { // a list, a heading or a quotation
		b.WriteString(first[:len(first)-1])
		b.WriteByte('\\')
		b.WriteByte(first[len(first)-1])
		text = text[len(first):]
	}
	for _, r := range text {
		if strings.ContainsRune("\\`*_[]<>|&~#", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lineStart matches what begins a block at the start of a line.
var lineStart = regexp.MustCompile(`^(\d+[.)]|[-+#>=])`)

// codeSpan writes text as code, with as many backquotes around it as it takes.
func codeSpan(text any) string {
	s := plain(text)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " "
	}
	return fence + s + fence
}

// codeCell is codeSpan for a table, in which a bar ends the cell.
func codeCell(text any) string { return strings.ReplaceAll(codeSpan(text), "|", `\|`) }

func plain(text any) string {
	if p, ok := text.(prose); ok {
		return string(p)
	}
	return fmt.Sprint(text)
}

// listOf writes `a`, `b` and `c`.
func listOf(items []prose) string {
	var b strings.Builder
	for i, item := range items {
		switch {
		case i > 0 && i == len(items)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(codeSpan(item))
	}
	return b.String()
}

// view is what the templates see.
type view struct {
	guide *Guide

	Host, IdP, BaseURL, Settings prose
	Support, Contact             prose // Contact is a sentence without a full stop, or ""
	Basic                        bool
	Attributes, Remove           []attributeView
	Sources, Uncertain           bool // whether a row has one
	Roles                        []prose
	Ways, Table, AsRoles         bool
	Convention                   *namesView
}

type attributeView struct {
	Path, Source, Label, Remarks prose
	Fixed, Uncertain             bool
}

// Has reports whether the host takes an attribute from the identity provider.
func (v *view) Has(path string) bool {
	return slices.ContainsFunc(v.guide.Attributes, func(a GuideAttribute) bool { return samePath(a.Path, path) })
}

// AttributesIntro tells how to read the table.
func (v *view) AttributesIntro() string {
	if !v.Sources {
		return fmt.Sprintf("%s takes these. The path is what the attribute is called in SCIM.", v.Host)
	}
	return fmt.Sprintf("%s takes these. %s sends them by itself, except those \"to be added\": map these yourself.", v.Host, v.IdP)
}

// namesView is a naming convention.
type namesView struct {
	Prefix, Separator, Ceiling prose
	Roles                      []prose // those that names give
	Examples                   []nameExample
}

type nameExample struct{ Group, Workspace, Role prose }

func newNamesView(names *GroupNames) *namesView {
	if names == nil {
		return nil
	}
	v := &namesView{Prefix: prose(names.Prefix), Separator: prose(names.Separator), Ceiling: prose(names.Ceiling)}
	given := names.Roles[max(0, slices.Index(names.Roles, names.Ceiling)):]
	v.Roles = proses(given)
	for i, workspace := range []string{"Sales", "Customer Care"} {
		role := given[min(i, len(given)-1)]
		v.Examples = append(v.Examples, nameExample{prose(names.Prefix + workspace + names.Separator + role), prose(workspace), prose(role)})
	}
	return v
}

func proses(texts []string) []prose {
	list := make([]prose, len(texts))
	for i, t := range texts {
		list[i] = prose(t)
	}
	return list
}

func newView(idp IdP, host Host, g *Guide) *view {
	v := &view{
		guide: g,
		Host:  prose(host.Name), IdP: prose(idp.Name), BaseURL: prose(host.BaseURL), Settings: prose(host.Settings),
		Support: "the people of " + prose(host.Name),
		Basic:   host.Auth == Basic,
		Roles:   proses(host.Roles),
		Table:   host.Groups.Table, AsRoles: host.Groups.AsRoles, Convention: newNamesView(host.Groups.Convention),
	}
	if host.Support != "" {
		v.Support, v.Contact = prose(host.Support), "Ask "+prose(host.Support)
	}
	v.Ways = v.Table || v.AsRoles || v.Convention != nil
	for i := range g.Attributes {
		a := &g.Attributes[i]
		v.Sources = v.Sources || a.Source != ""
		v.Uncertain = v.Uncertain || a.Uncertain
		v.Attributes = append(v.Attributes, newAttributeView(a, a.remarks(len(idp.Attributes) > 0)))
	}
	for i := range g.Remove {
		a := &g.Remove[i]
		v.Uncertain = v.Uncertain || a.Uncertain
		why := ""
		if a.ReadOnly {
			why = "set by " + host.Name + " itself"
		}
		v.Remove = append(v.Remove, newAttributeView(a, why))
	}
	return v
}

func newAttributeView(a *GuideAttribute, remarks string) attributeView {
	return attributeView{
		Path: prose(a.Path), Source: prose(a.Source), Label: prose(a.Label), Remarks: prose(remarks),
		Fixed: a.Fixed, Uncertain: a.Uncertain,
	}
}

// remarks is what a guide says of an attribute in its last column, known whether
// something is known of what the identity provider sends.
func (a *GuideAttribute) remarks(known bool) string {
	var said []string
	say := func(is bool, text string) {
		if is {
			said = append(said, text)
		}
	}
	say(a.Required, "required")
	say(a.WriteOnce, "set once: later changes are refused")
	say(known && !a.Default, "to be added")
	say(a.Note != "", a.Note)
	return strings.Join(said, "; ")
}

// writeSections writes the sections from the templates: those of all guides, and
// over them those of the identity provider, if there are any.
func writeSections(idp IdP, host Host, g *Guide) ([]GuideSection, error) {
	t, err := template.New("guide").Funcs(template.FuncMap{
		"code": codeSpan,
		"cell": codeCell,
		"list": listOf,
		"last": func(items []prose) string { return string(items[len(items)-1]) },
	}).ParseFS(templates, "templates/guide.md")
	if err != nil {
		return nil, err
	}
	if own := "templates/" + idp.ID + ".md"; idp.ID != "guide" {
		switch _, err := fs.Stat(templates, own); {
		case err == nil:
			if _, err := t.ParseFS(templates, own); err != nil {
				return nil, err
			}
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid):
			return nil, err
		}
	}
	v := newView(idp, host, g)
	var written []GuideSection
	for _, id := range sections {
		var b strings.Builder
		if err := t.ExecuteTemplate(&b, id, v); err != nil {
			return nil, err
		}
		text := strings.TrimSpace(blankLines.ReplaceAllString(b.String(), "\n\n"))
		title, text, ok := strings.Cut(strings.TrimPrefix(text, "## "), "\n")
		if ok {
			written = append(written, GuideSection{ID: id, Title: title, Markdown: strings.TrimSpace(text) + "\n"})
		}
	}
	return written, nil
}

// blankLines matches more than one blank line.
var blankLines = regexp.MustCompile(`\n(?:[ \t]*\n){2,}`)

// Markdown returns the guide as a page of Markdown (CommonMark with the tables of
// GitHub).
func (g *Guide) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", prose(g.Title))
	for _, s := range g.Sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s", s.Title, s.Markdown)
	}
	return b.String()
}
