package mapping

import (
	"html/template"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/schema"
)

// hostile are texts that mean something in Markdown or HTML.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `[a](javascript:alert(1))`, "`code` and ``more``", `**bold** _it_ ~~no~~`,
	`| a | b |`, `a\|b`, `\`, "`", "``", "1. one", "- two", "# three", "> four", `&lt;`, `{{.Host}}`, `a **`, `$x$`, ` `,
}

func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(hostile), rapid.StringOfN(rapid.RuneFrom([]rune("ab`\\|*_[]<>&#~-+.1 \"'{}é")), 1, 12, -1))
}

// joined is the text of spans, which are all of one kind.
func joined(t *rapid.T, spans []span, code bool) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Code != code || s.Strong {
			t.Fatalf("%+v is not all plain, or all code", spans)
		}
		b.WriteString(s.Text)
	}
	return b.String()
}

func TestTextIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "text")
		if got := joined(t, parseSpans(prose(s).String()), false); got != s {
			t.Errorf("prose %q is read as %q", s, got)
		}
		if got := joined(t, parseSpans(codeSpan(prose(s))), true); strings.TrimSpace(got) != strings.TrimSpace(s) {
			t.Errorf("code %q is read as %q", s, got)
		}
		cells := parseCells("| " + prose(s).String() + " | " + codeCell(prose(s)) + " | x |")
		if len(cells) != 3 {
			t.Fatalf("%d cells, want 3: %+v", len(cells), cells)
		}
		for i, code := range []bool{false, true} {
			if got := joined(t, cells[i], code); strings.TrimSpace(got) != strings.TrimSpace(s) {
				t.Errorf("cell %d, %q, is read as %q", i, s, got)
			}
		}
	})
}

func TestProseIsNeverABlock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.TrimSpace(anyText().Draw(t, "text"))
		if s == "" {
			return
		}
		blocks := parseBlocks(prose(s).String() + "\n")
		if len(blocks) != 1 || blocks[0].Kind != "paragraph" {
			t.Errorf("%q is read as %+v", s, blocks)
		}
	})
}

func TestHostileTextsAreText(t *testing.T) {
	t.Parallel()
	for _, p := range IdPs() {
		want := tags(pageWith(t, p, "N"))
		for _, h := range hostile {
			if strings.TrimSpace(h) == "" {
				continue
			}
			page := pageWith(t, p, h)
			if diff := cmp.Diff(want, tags(page)); diff != "" {
				t.Errorf("%q, %s: the page is built otherwise than with a harmless text:\n%s", h, p.ID, diff)
			}
			if !strings.Contains(page, template.HTMLEscapeString(h)) {
				t.Errorf("%q, %s: the text is not on the page", h, p.ID)
			}
		}
	}
}

// pageWith renders a guide in which every text of the host and of the table is
// the same.
func pageWith(t *testing.T, p IdP, text string) string {
	t.Helper()
	p = p.With(IdPAttribute{Path: "userName", Source: text, Note: text})
	p.Name = text
	g, err := NewGuide(p, Host{
		Name: text, BaseURL: "https://harbour.example/scim", Settings: text, Support: text, Roles: []string{"a", text},
		Fields: []FieldInfo{{Path: "userName", Label: text}, {Path: "title", Label: text}},
		Groups: GroupWays{Table: true, AsRoles: true, Convention: &GroupNames{Prefix: text, Separator: text, Roles: []string{text}, Ceiling: text}},
	})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return string(g.HTML())
}

// tags are the tags of a page, without what is between them.
func tags(page string) []string {
	var list []string
	for {
		_, rest, ok := strings.Cut(page, "<")
		if !ok {
			return list
		}
		tag, rest, _ := strings.Cut(rest, ">")
		list = append(list, tag)
		page = rest
	}
}

// What a guide shows in HTML is what it says in Markdown.
func TestEveryBlockOfTheTemplatesIsRead(t *testing.T) {
	t.Parallel()
	for _, p := range IdPs() {
		g, err := NewGuide(p, Host{
			Name: "Harbour", BaseURL: "https://harbour.example/scim", Roles: []string{"owner"},
			Fields: []FieldInfo{{Path: "userName"}, {Path: "active"}}, Groups: GroupWays{Table: true, Convention: &GroupNames{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range g.Sections {
			for _, b := range parseBlocks(s.Markdown) {
				for _, row := range b.Rows {
					if len(row) != len(b.Head) {
						t.Errorf("%s, %s: a row of %d cells in a table of %d: %+v", p.ID, s.ID, len(row), len(b.Head), row)
					}
				}
				for _, item := range b.Items {
					for _, x := range item {
						if !x.Code && strings.ContainsAny(x.Text, "`|") || strings.Contains(x.Text, "**") || strings.Contains(x.Text, "<no value>") {
							t.Errorf("%s, %s: %q is not read", p.ID, s.ID, x.Text)
						}
					}
				}
			}
		}
	}
}

func TestLabelsOfUnusualAttributesAreMade(t *testing.T) {
	t.Parallel()
	h, err := newHostFields(Host{Users: schema.User()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"preferredLanguage", "Preferred language"},
		{"name.formatted", "Name: formatted"},
		{"phoneNumbers[type eq 'fax'].value", "Phone numbers (fax)"},
		{"addresses[type eq 'work'].formatted", "Addresses (work): formatted"},
		{"emails.value", "Work e-mail"},
		{"emails[type eq 'home'].value", "Emails (home)"},
		{schema.EnterpriseUserURN + ":manager.value", "Manager"},
		{schema.EnterpriseUserURN + ":costCenter", "Cost centre"},
	} {
		target, err := ParsePath(h.typ, c.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.labelOf(target); got != c.want {
			t.Errorf("%s is shown as %q, want %q", c.path, got, c.want)
		}
	}
}
