package schema

// draftURNs are the URNs of schemas in SCIM 1 and in drafts of SCIM 2.0, which
// some clients still send. "" stands for the core schema of the type in
// question: the drafts had one URN for users and groups at times.
var draftURNs = [...]struct{ draft, current string }{
	{"urn:scim:schemas:core:2.0:User", UserURN},
	{"urn:scim:schemas:core:2.0:Group", GroupURN},
	{"urn:scim:schemas:core:2.0", ""},
	{"urn:scim:schemas:core:1.0", ""},
	{"urn:scim:schemas:extension:enterprise:2.0:User", EnterpriseUserURN},
	{"urn:scim:schemas:extension:enterprise:2.0", EnterpriseUserURN},
	{"urn:scim:schemas:extension:enterprise:1.0", EnterpriseUserURN},
}

// CurrentURN returns the URN of the schema of t that was known under another one
// in SCIM 1 or in a draft of SCIM 2.0. ok is false when urn is no such URN or t
// does not have the schema. Letter case does not matter.
func (t *Type) CurrentURN(urn string) (current string, ok bool) {
	for _, d := range draftURNs {
		if sameName(d.draft, urn) {
			return t.replacement(d.current)
		}
	}
	return "", false
}

// replacement returns the URN of draftURNs in the spelling of t.
func (t *Type) replacement(current string) (string, bool) {
	switch core := t.Schema(); {
	case sameName(core, current), current == "" && (sameName(core, UserURN) || sameName(core, GroupURN)):
		return core, true
	case current == "":
		return "", false
	}
	n := find(t.nodes[0], current)
	if n == nil || !n.ext {
		return "", false
	}
	return n.urn, true
}

// modernise puts the present URN in front of a name that has one of draftURNs.
func (t *Type) modernise(name string, allow NameForms) (string, bool) {
	for _, d := range draftURNs { // longer ones stand before their prefixes
		if len(name) < len(d.draft) || !equalFoldASCII(d.draft, name[:len(d.draft)]) {
			continue
		}
		rest := name[len(d.draft):]
		if rest == "" || rest[0] == ':' || rest[0] == '.' && allow&DottedURN != 0 {
			if current, ok := t.replacement(d.current); ok {
				return current + rest, true
			}
		}
	}
	return "", false
}
