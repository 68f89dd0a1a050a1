package dialect

import (
	"math/bits"
	"slices"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// Session applies a set to one request and remembers which rules fired. It is
// used by one goroutine, and so is what its methods return.
type Session struct {
	set   Set
	fired uint64
	roles int // that came as JSON text, so far
}

// Session starts a request.
func (s Set) Session() *Session { return &Session{set: s} }

// Fired returns the names of the rules that the request relied on, sorted; nil
// when none. A rule may have fired on a request that was refused all the same.
func (x *Session) Fired() []string {
	if x.fired == 0 {
		return nil
	}
	list := make([]string, 0, bits.OnesCount64(x.fired))
	for r := range numRules {
		if x.fired&r.bit() != 0 {
			list = append(list, rules[r].Name)
		}
	}
	slices.Sort(list)
	return list
}

// Accepts reports whether a rule is in the set, and counts it as fired if so. It
// serves rules that the caller itself puts into effect, such as
// [MissingBulkID]. It panics when there is no rule of that name.
func (x *Session) Accepts(rule string) bool { return x.fire(mustFind(rule)) }

// fire reports whether a rule is in the set, and notes that it was relied on.
func (x *Session) fire(r rule) bool {
	on := x.set.on & r.bit()
	x.fired |= on
	return on != 0
}

// Repair is what the decoder asks about bodies; nil when no rule would repair
// anything.
func (x *Session) Repair() resource.Repair {
	if x.set.on&repairing == 0 {
		return nil
	}
	return (*repair)(x)
}

// Filter returns the parser's options for filters in URLs and search requests.
func (x *Session) Filter() filter.ParseOptions {
	o := x.pathFilter()
	o.BareWords = x.set.has(bareFilterWords)
	o.ValuePathSub = x.set.has(valuePathSub)
	return o
}

// pathFilter returns the parser's options for filters in PATCH paths, which
// write rather than search, and guess less.
func (x *Session) pathFilter() filter.ParseOptions {
	return filter.ParseOptions{BooleanCase: x.set.has(literalCase), Used: x.used}
}

// Plan returns the planner's options for them.
func (x *Session) Plan() filter.Options {
	return filter.Options{
		BooleanText:  x.set.has(filterBooleanText),
		ComplexValue: x.set.has(complexValue),
		DottedURN:    x.set.has(dottedURN),
		Used:         x.used,
	}
}

// Patch returns the tolerance for a PATCH request.
func (x *Session) Patch() patch.Tolerance {
	t := patch.Tolerance{
		Repair:            x.Repair(),
		Filter:            x.pathFilter(),
		Plan:              x.Plan(),
		MissingSchemas:    x.set.has(missingSchemas),
		EmptyOperations:   x.set.has(emptyOperations),
		KeysAsPaths:       x.set.has(keysAsPaths),
		IgnoreReadOnly:    x.set.has(ignoreReadOnly),
		IgnoreUnknown:     x.set.has(ignoreUnknown),
		SkipUnknownSchema: x.set.has(skipUnknownSchema),
		WholeExtension:    x.set.has(wholeExtension),
		Used:              x.used,
	}
	for _, form := range [...]struct {
		rule rule
		form schema.NameForms
	}{{unqualifiedExtension, schema.Unqualified}, {dottedURN, schema.DottedURN}, {oldURNs, schema.DraftURN}} {
		if x.set.has(form.rule) {
			t.Names |= form.form
		}
	}
	if x.set.on&tidying != 0 {
		t.Rewrite = x.rewrite
	}
	return t
}

// Apply returns the options for applying it.
func (x *Session) Apply() patch.ApplyOptions {
	if !x.set.has(createElement) {
		return patch.ApplyOptions{}
	}
	return patch.ApplyOptions{CreateElement: func() bool { return x.fire(createElement) }}
}

// KeepsAbsent reports whether a replace that does not name the relation p, such
// as a group's members, keeps its links: clients leave it out without meaning to
// empty the group. It counts as fired when it says yes. That a user's active is
// kept is not a rule but a safety, and holds without being asked about.
func (x *Session) KeepsAbsent(p schema.Path) bool {
	_, ok := p.Relation()
	return ok && x.fire(keepAbsentMembers)
}

// SkipsUnknownMembers reports whether members that do not exist are skipped
// rather than refused. It does not count as fired: whether any was skipped shows
// only when the change is committed, and is reported by itself.
func (x *Session) SkipsUnknownMembers() bool { return x.set.has(skipUnknownMembers) }

// used notes that an option of a lower package was relied on.
func (x *Session) used(option string) {
	switch option {
	case "BareWords":
		x.fire(bareFilterWords)
	case "BooleanCase":
		x.fire(literalCase)
	case "ValuePathSub":
		x.fire(valuePathSub)
	case "BooleanText":
		x.fire(filterBooleanText)
	case "ComplexValue":
		x.fire(complexValue)
	case "DottedURN":
		if !x.fire(dottedURN) {
			x.fire(oldURNs) // package patch does not tell the two apart
		}
	case "DraftURN":
		x.fire(oldURNs)
	case "Unqualified":
		x.fire(unqualifiedExtension)
	case "MissingSchemas":
		x.fire(missingSchemas)
	case "EmptyOperations":
		x.fire(emptyOperations)
	case "KeysAsPaths":
		x.fire(keysAsPaths)
	case "IgnoreReadOnly":
		x.fire(ignoreReadOnly)
	case "IgnoreUnknown":
		x.fire(ignoreUnknown)
	case "SkipUnknownSchema":
		x.fire(skipUnknownSchema)
	case "WholeExtension":
		x.fire(wholeExtension)
	}
}
