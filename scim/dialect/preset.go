package dialect

import "slices"

// Tolerant has every rule: no known client suffers from any of them. It is the
// default, and the one to use when several clients share a connection.
func Tolerant() Set { return Set{on: 1<<numRules - 1} }

// Strict has no rules.
func Strict() Set { return Set{} }

// Entra has the rules that Microsoft Entra ID needs, with and without its
// aadOptscim062020 flag.
func Entra() Set {
	return Strict().With(
		BooleanText, EmptyText, EmptyElement, EmptyReference, TextReference, WrappedReference, WrappedScalar,
		SingleElement, StringElement, RoleJSON, RoleJSONReplaces, DisplayName,
		ForeignSchemas, SkipUnknownMembers,
		EmptyOperations, KeysAsPaths, IgnoreReadOnly, IgnoreUnknown, SkipUnknownSchema, WholeExtension,
		UnqualifiedExtension, DottedURN, CreateElement,
		BareFilterWords, LiteralCase, FilterBooleanText, ValuePathSub, ComplexValue,
	)
}

// Okta has the rules that Okta needs, for apps of its network and of the app
// integration wizard.
func Okta() Set {
	return Strict().With(
		StringElement,
		MissingSchemas, KeepAbsentMembers, SkipUnknownMembers,
		KeysAsPaths, IgnoreReadOnly, IgnoreUnknown, WholeExtension,
		FilterBooleanText,
	)
}

// JumpCloud has the rules that JumpCloud needs.
func JumpCloud() Set {
	return Strict().With(MissingSchemas, KeepAbsentMembers, SkipUnknownMembers)
}

// OneLogin has the rules that OneLogin needs, whose bodies are made from a
// template of the administrator.
func OneLogin() Set {
	return Strict().With(
		BooleanText, EmptyText, EmptyElement, EmptyReference, TextReference, SingleElement, StringElement,
		MissingSchemas, ForeignSchemas, OldURNs, KeepAbsentMembers, SkipUnknownMembers,
		IgnoreUnknown, SkipUnknownSchema,
	)
}

// Google has the rules that Google Workspace needs, which sends users only, and
// little of them.
func Google() Set {
	return Strict().With(MissingSchemas)
}

// Authentik has the rules that authentik needs, before and after it put quotes
// into its filters.
func Authentik() Set {
	return Strict().With(
		EmptyElement,
		ForeignSchemas, KeepAbsentMembers, SkipUnknownMembers,
		KeysAsPaths, IgnoreReadOnly, IgnoreUnknown, SkipUnknownSchema,
		BareFilterWords,
	)
}

// Ping has the rules that PingOne and PingFederate need.
func Ping() Set {
	return Strict().With(MissingSchemas, KeepAbsentMembers, SkipUnknownMembers, BareFilterWords)
}

// Presets returns the names by which [Preset] knows the presets, sorted.
func Presets() []string {
	list := make([]string, 0, len(presets))
	for _, p := range presets {
		list = append(list, p.name)
	}
	slices.Sort(list)
	return list
}

// Preset returns the preset of a name, such as "entra", for settings that are
// kept as text.
func Preset(name string) (s Set, ok bool) {
	for _, p := range presets {
		if p.name == name {
			return p.set(), true
		}
	}
	return Set{}, false
}

var presets = [...]struct {
	name string
	set  func() Set
}{
	{"tolerant", Tolerant},
	{"strict", Strict},
	{"entra", Entra},
	{"okta", Okta},
	{"jumpcloud", JumpCloud},
	{"onelogin", OneLogin},
	{"google", Google},
	{"authentik", Authentik},
	{"ping", Ping},
}
