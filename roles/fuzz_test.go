package roles_test

import (
	"strings"
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim/schema"
)

// FuzzMatch holds what may be said of any name: it is read without a panic, a role
// is given only where the ASCII text of prefix, separator and role stand in the name
// itself, and a look-alike is a character of the name.
func FuzzMatch(f *testing.F) {
	for _, name := range []string{
		"ws-Sales-role-admin", "WS-SALES -role-member", "ws\u2013Sales\u2013role\u2013admin", "w\u017f-Sales-role-admin",
		"ws-Sales-role-\u0430dmin", "ws-A-role-B-role-admin", "ws--role-admin", "ws-Sales-role-", "\u200bws-a-role-admin\u00a0",
		"ws-role-role-admin", "ws-\xff-role-admin", "org-eu-x-role-member", "\U0001d430s-a-role-admin", "",
	} {
		f.Add(name)
	}
	rules := mustRules(f, convention(roles.Convention{Prefixes: []string{"ws-", "org-", "org-eu-"}}))
	f.Fuzz(func(t *testing.T, name string) {
		m := rules.Match(name)
		switch m.Reason {
		case "":
			rest, ok := strings.CutSuffix(strings.ToLower(name), "-role-"+string(m.Role))
			if !ok || !strings.HasPrefix(rest, "ws-") && !strings.HasPrefix(rest, "org-") {
				t.Errorf("%q gives %+v, and does not have the parts", name, m)
			}
			if m.Workspace == "" || m.Workspace != strings.TrimSpace(m.Workspace) || m.Key != schema.Fold(m.Workspace) || !strings.Contains(name, m.Workspace) {
				t.Errorf("%q gives %+v, whose workspace is odd", name, m)
			}
		case roles.LookAlike:
			if !strings.ContainsRune(name, m.Char) || m.Role != "" {
				t.Errorf("%q gives %+v", name, m)
			}
			// Of ASCII only spaces, control characters and DEL cannot be seen.
			if m.Char > ' ' && m.Char < 0x7f {
				t.Errorf("%q: %q is an ordinary character", name, m.Char)
			}
		default:
			if m.Workspace != "" || m.Role != "" || m.Char != 0 {
				t.Errorf("%q gives nothing, and %+v", name, m)
			}
		}
	})
}

// FuzzRoleText holds that text is read without a panic, and that what does not look
// like JSON stays as it is.
func FuzzRoleText(f *testing.F) {
	for _, text := range []string{
		`admin`, ` {"value":"admin"} `, `{"id":"1","value":"Admin","displayName":"x"}`, `{"value":{"value":"a"}}`, `{"value":7}`, `{`, `{"a":[{}],"value":""}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := roles.RoleText(text)
		if v.Value != strings.TrimSpace(v.Value) {
			t.Errorf("%q: spaces around %q", text, v.Value)
		}
		if trimmed := strings.TrimSpace(text); !v.JSONText && v.Value != trimmed || v.JSONText && !strings.HasSuffix(trimmed, "}") {
			t.Errorf("%q is read as %+v", text, v)
		}
	})
}
