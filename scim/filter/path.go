package filter

import "strings"

// PatchPath is the parsed path of a PATCH operation (RFC 7644 section 3.5.2),
// names as written: "name", "name[Filter]" or "name[Filter].sub".
type PatchPath struct {
	// Name is everything before the bracket, or the whole path: an attribute,
	// "attribute.sub", or either behind a URN; or a URN alone.
	Name   string
	Filter Expr   // nil without a bracket
	Sub    string // behind the bracket; "" when there is none
}

// ParsePath reads the path of a PATCH operation. Value paths in it obey
// the same limits as filters; bare words are never accepted. An error is an
// [*Error] whose Path tells a malformed path from a malformed filter inside it.
// White space around a path and between its parts is not accepted.
func ParsePath(text string, o ParseOptions) (PatchPath, error) {
	o.BareWords, o.ValuePathSub = false, false
	p, err := newParser(text, o)
	if err != nil {
		e := err.(*Error)
		e.Path = !e.Limit
		return PatchPath{}, e
	}
	p.path = true
	open := strings.IndexByte(text, '[')
	if open < 0 {
		if err := checkPathName(text, true); err != nil {
			return PatchPath{}, err
		}
		return PatchPath{Name: text}, nil
	}
	name := text[:open]
	if err := checkPathName(name, false); err != nil {
		return PatchPath{}, err
	}
	p.lex.pos = open
	p.advance()
	if err := p.node(); err != nil {
		return PatchPath{}, err
	}
	x, err := p.bracket()
	if err != nil {
		return PatchPath{}, err
	}
	path := PatchPath{Name: name, Filter: x}
	if p.tok.kind == tokEnd && !p.tok.spaced {
		return path, nil
	}
	rest := text[p.tok.offset:]
	if p.tok.spaced || rest[0] != '.' || !isSegment(rest[1:]) {
		return PatchPath{}, &Error{Offset: p.tok.offset, Path: true, Detail: "only a dot and one sub-attribute can follow \"]\""}
	}
	path.Sub = rest[1:]
	return path, nil
}

// checkPathName checks what stands outside the brackets. Only the schemas tell
// where a URN ends, so behind one a sub-attribute is found out later.
func checkPathName(name string, whole bool) error {
	e := &Error{Path: true}
	urn := len(name) >= 4 && strings.EqualFold(name[:4], "urn:")
	switch {
	case name == "":
		e.Detail = "the path is empty; leave it out to address the whole resource"
	case !isName(name):
		e.Detail = "this is no path; write \"attribute\", \"attribute.subAttribute\", \"attribute[filter]\" or \"attribute[filter].subAttribute\", with the schema URN and a colon in front where needed"
	case !whole && !urn && strings.Contains(name, "."):
		e.Offset = strings.IndexByte(name, '.')
		e.Detail = "a filter stands behind a whole attribute, not behind a sub-attribute: \"attribute[filter].subAttribute\""
	default:
		return nil
	}
	return e
}
