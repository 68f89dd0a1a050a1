package patch_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
)

// member reads "id", "Type/id" and "Type/id=display".
func member(s string) resource.Member {
	var m resource.Member
	s, m.Display, _ = strings.Cut(s, "=")
	if typ, id, ok := strings.Cut(s, "/"); ok {
		m.Type, s = typ, id
	}
	m.ID = s
	return m
}

func members(s string) []resource.Member {
	var list []resource.Member
	for _, f := range strings.Fields(s) {
		list = append(list, member(f))
	}
	return list
}

func memberText(m resource.Member) string {
	s := m.ID
	if m.Type != "" {
		s = m.Type + "/" + s
	}
	if m.Display != "" {
		s += "=" + m.Display
	}
	return s
}

func membersText(list []resource.Member) string {
	var out []string
	for _, m := range list {
		out = append(out, memberText(m))
	}
	return strings.Join(out, " ")
}

func editText(e patch.LinkEdit) string {
	s := ""
	if e.Reset {
		s = "reset "
	}
	return strings.TrimSpace(s + "+[" + membersText(e.Add) + "] -[" + membersText(e.Remove) + "]")
}

// selecting answers filters from members, by the filter package alone.
func selecting(have []resource.Member) func(*filter.Plan) ([]resource.Member, error) {
	return func(where *filter.Plan) ([]resource.Member, error) {
		var out []resource.Member
		for _, m := range have {
			parts := map[string]string{"value": m.ID, "type": m.Type, "display": m.Display}
			for k, v := range parts {
				if v == "" {
					delete(parts, k)
				}
			}
			raw, err := json.Marshal(parts)
			if err != nil {
				return nil, err
			}
			v, err := resource.DecodeValue(groupType().MustResolve("members"), raw, true, resource.DecodeOptions{})
			if err != nil {
				return nil, err
			}
			if where == nil || where.MatchElement(v) {
				out = append(out, m)
			}
		}
		return out, nil
	}
}

func memberOps(tb testing.TB, ops string) []patch.Operation {
	tb.Helper()
	req, err := patch.Parse(groupType(), body(ops), patch.ParseOptions{})
	if err != nil {
		tb.Fatalf("%v in %s", err, ops)
	}
	return req.Links()["members"]
}

func TestFoldLinks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ops, edit string
		selects         bool
	}{
		{"add", `[{"op":"add","path":"members","value":[{"value":"a"},{"value":"b","type":"user"}]}]`, "+[a User/b] -[]", false},
		{"add twice is one", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"a"}]}]`, "+[a] -[]", false},
		{"a type is learned later", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"add","path":"members","value":[{"value":"a","type":"Group"}]}]`, "+[Group/a] -[]", false},
		{"remove by filter", `[{"op":"remove","path":"members[value eq \"a\"]"}]`, "+[] -[a]", false},
		{"remove keeps the case of ids", `[{"op":"remove","path":"MEMBERS[VALUE EQ \"aB\"]"}]`, "+[] -[aB]", false},
		{"remove by filter with type", `[{"op":"remove","path":"members[type eq \"group\" and value eq \"a\"]"}]`, "+[] -[Group/a]", false},
		{"remove several", `[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\" or value eq \"a\"]"}]`, "+[] -[a b]", false},
		{"remove by list", `[{"op":"remove","path":"members","value":[{"value":"a"},{"value":"b"}]}]`, "+[] -[a b]", false},
		{"remove one object", `[{"op":"remove","path":"members","value":{"value":"a"}}]`, "+[] -[a]", false},
		{"remove all", `[{"op":"remove","path":"members"}]`, "reset +[] -[]", false},
		{"remove null is all", `[{"op":"remove","path":"members","value":null}]`, "reset +[] -[]", false},
		{"replace", `[{"op":"replace","path":"members","value":[{"value":"a"}]}]`, "reset +[a] -[]", false},
		{"replace with nothing", `[{"op":"replace","path":"members","value":[]}]`, "reset +[] -[]", false},
		{"replace with null", `[{"op":"replace","path":"members","value":null}]`, "reset +[] -[]", false},
		{"add nothing", `[{"op":"add","path":"members","value":[]},{"op":"add","path":"members","value":null}]`, "+[] -[]", false},
		{"replace forgets what was before", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove","path":"members","value":[{"value":"b"}]},{"op":"replace","path":"members","value":[{"value":"c"}]}]`, "reset +[c] -[]", false},
		{"replace, then add and remove", `[{"op":"replace","path":"members","value":[{"value":"a"},{"value":"b"}]},{"op":"add","path":"members","value":[{"value":"c"}]},{"op":"remove","path":"members[value eq \"a\"]"}]`, "reset +[b c] -[]", false},
		{"add, then remove", `[{"op":"add","path":"members","value":[{"value":"a"}]},{"op":"remove","path":"members[value eq \"a\"]"}]`, "+[] -[a]", false},
		{"remove, then add", `[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"a"}]}]`, "+[a] -[]", false},
		{"remove any type, then add one", `[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"add","path":"members","value":[{"value":"a","type":"Group"}]}]`, "+[Group/a] -[a]", false},
		{"path-less", `[{"op":"add","value":{"members":[{"value":"a"}]}}]`, "+[a] -[]", false},
		{"select", `[{"op":"remove","path":"members[type eq \"Group\"]"}]`, "+[] -[Group/g1 Group/g2]", true},
		{"select what is not", `[{"op":"remove","path":"members[not (value eq \"u1\")]"}]`, "+[] -[User/u2 Group/g1 Group/g2]", true},
		{"select sees what was added", `[{"op":"add","path":"members","value":[{"value":"g3","type":"Group"}]},{"op":"remove","path":"members[type eq \"Group\"]"}]`, "+[] -[Group/g1 Group/g2 Group/g3]", true},
		{"select does not see what was removed", `[{"op":"remove","path":"members","value":[{"value":"g1"}]},{"op":"remove","path":"members[type eq \"Group\"]"}]`, "+[] -[g1 Group/g2]", true},
		{"select after a reset", `[{"op":"replace","path":"members","value":[{"value":"g3","type":"Group"},{"value":"u3","type":"User"}]},{"op":"remove","path":"members[type eq \"Group\"]"}]`, "reset +[User/u3] -[]", true},
		{"select and list", `[{"op":"remove","path":"members[type eq \"Group\"]","value":[{"value":"g1"},{"value":"u1"}]}]`, "+[] -[Group/g1]", true},
		{"name and list", `[{"op":"remove","path":"members[value eq \"g1\"]","value":[{"value":"u1"}]}]`, "+[] -[]", false},
		{"record replaced by itself", `[{"op":"replace","path":"members[value eq \"u1\"]","value":{"value":"u1"}}]`, "+[u1] -[]", true},
		{"record replaced by null", `[{"op":"replace","path":"members[value eq \"u1\"]","value":null}]`, "+[] -[User/u1]", true},
		{"type repeated", `[{"op":"replace","path":"members[value eq \"u1\"].type","value":"user"}]`, "+[] -[]", true},
		{"display of a link", `[{"op":"add","path":"members[value eq \"u1\"].display","value":"Ann"}]`, "+[] -[]", true},
	}
	have := members("User/u1 User/u2 Group/g1 Group/g2")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ops := memberOps(t, test.ops)
			if got := patch.NeedsSelect(ops); got != test.selects {
				t.Errorf("NeedsSelect: %v", got)
			}
			var sel func(*filter.Plan) ([]resource.Member, error)
			if test.selects {
				sel = selecting(have)
			}
			edit, err := patch.FoldLinks(ops, sel)
			if err != nil {
				t.Fatal(err)
			}
			if got := editText(edit); got != test.edit {
				t.Errorf("got  %s\nwant %s", got, test.edit)
			}
			if edit.IsZero() != (test.edit == "+[] -[]") {
				t.Errorf("IsZero: %v", edit.IsZero())
			}
		})
	}
}

func TestFoldLinksRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, ops, scimType string }{
		{"another id", `[{"op":"replace","path":"members[value eq \"u1\"].value","value":"u9"}]`, "mutability"},
		{"no id", `[{"op":"remove","path":"members[value eq \"u1\"].value"}]`, "mutability"},
		{"ids of all", `[{"op":"replace","path":"members.value","value":"u9"}]`, "mutability"},
		{"another type", `[{"op":"add","path":"members[value eq \"u1\"].type","value":"Group"}]`, "mutability"},
		{"no type", `[{"op":"replace","path":"members[value eq \"u1\"].type","value":null}]`, "mutability"},
		{"another record", `[{"op":"replace","path":"members[value eq \"u1\"]","value":{"value":"u9"}}]`, "mutability"},
		{"no such member", `[{"op":"replace","path":"members[value eq \"u9\"].display","value":"x"}]`, "noTarget"},
		{"no such record", `[{"op":"add","path":"members[value eq \"u9\"]","value":{"value":"u9"}}]`, "noTarget"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := patch.FoldLinks(memberOps(t, test.ops), selecting(members("User/u1 User/u2=Ann")))
			var e *patch.Error
			if !errors.As(err, &e) || e.ScimType != test.scimType || e.Index != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFoldLinksReturnsTheErrorOfSelect(t *testing.T) {
	t.Parallel()
	broken := errors.New("no connection")
	ops := memberOps(t, `[{"op":"remove","path":"members[type eq \"Group\"]"}]`)
	_, err := patch.FoldLinks(ops, func(*filter.Plan) ([]resource.Member, error) { return nil, broken })
	if err != broken {
		t.Errorf("got %v", err)
	}
}

func TestApplyLinks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, have, add, remove string
		reset                   bool
		now                     string // "" for unchanged
	}{
		{"add", "a", "b", "", false, "a b"},
		{"add what is there", "User/a", "a", "", false, ""},
		{"add with more", "a", "User/a=Ann", "", false, "User/a=Ann"},
		{"a display stays", "User/a=Ann", "a=Bea", "", false, ""},
		{"another type is another member", "User/a", "Group/a", "", false, "User/a Group/a"},
		{"remove", "a b c", "", "b", false, "a c"},
		{"remove what is not there", "a", "", "b", false, ""},
		{"remove any type", "User/a Group/a b", "", "a", false, "b"},
		{"remove one type", "User/a Group/a b", "", "Group/a", false, "User/a b"},
		{"remove one type of an unknown one", "a b", "", "Group/a", false, "b"},
		{"the last goes", "a", "", "a", false, "-"},
		{"removed and added", "User/a=Ann b c", "a", "a b", false, "User/a=Ann c"},
		{"only removed and added", "User/a b", "User/a", "a", false, ""},
		{"added as another type", "User/a b", "Group/a", "a", false, "b Group/a"},
		{"reset", "a b", "b c", "", true, "b c"},
		{"reset to the same", "a b", "b a", "", true, ""},
		{"reset to the same without types", "User/a Group/b", "b a", "", true, ""},
		{"reset twice the same", "a", "a a", "", true, ""},
		{"reset learns", "a b", "a b=Bea", "", true, "a b=Bea"},
		{"reset to nothing", "a b", "", "", true, "-"},
		{"reset nothing to nothing", "", "", "", true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			have := members(test.have)
			now, changed := patch.ApplyLinks(have, patch.LinkEdit{Reset: test.reset, Add: members(test.add), Remove: members(test.remove)})
			if got := membersText(have); got != test.have {
				t.Errorf("the input became %s", got)
			}
			if changed != (test.now != "") {
				t.Errorf("changed: %v", changed)
			}
			want := cmp.Or(test.now, test.have)
			if want == "-" {
				want = ""
			}
			if got := membersText(now); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// sorted lists what of members is compared.
func sorted(list []resource.Member, show func(resource.Member) string) []string {
	out := []string{}
	for _, m := range list {
		out = append(out, show(m))
	}
	slices.Sort(out)
	return out
}

// Folding operations and applying the edit is the same as applying each by
// itself. In the first domain every entry has its type, and ids may repeat among
// types; in the second an id means one member, whose type clients may leave out,
// and filters do not ask about it.
func TestFoldedOperationsAreTheirSequence(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"typed", "untyped"} {
		t.Run(domain, func(t *testing.T) {
			t.Parallel()
			typed := domain == "typed"
			rapid.Check(t, func(t *rapid.T) {
				// Few ids meet often; many are kept in another way than few.
				ids, long := 4, 4
				if rapid.Bool().Draw(t, "many") {
					ids, long = 60, 40
				}
				id := rapid.Map(rapid.IntRange(1, ids), strconv.Itoa)
				member := rapid.Custom(func(t *rapid.T) resource.Member {
					m := resource.Member{ID: id.Draw(t, "id")}
					if typed {
						m.Type = rapid.SampledFrom([]string{"User", "Group"}).Draw(t, "type")
					} else if m.Type = []string{"User", "Group"}[m.ID[0]%2]; rapid.Bool().Draw(t, "untyped") {
						m.Type = ""
					}
					return m
				})
				key := func(m resource.Member) string { return m.Type + "/" + m.ID }
				if !typed {
					key = func(m resource.Member) string { return m.ID }
				}
				list := rapid.SliceOfN(member, 0, long)
				have := rapid.SliceOfNDistinct(member, 0, long+1, key).Draw(t, "have")
				value := func() string {
					var entries []string
					for _, m := range list.Draw(t, "members") {
						entries = append(entries, fmt.Sprintf(`{"value":%q,"type":%q}`, m.ID, m.Type))
					}
					return strings.ReplaceAll("["+strings.Join(entries, ",")+"]", `,"type":""`, "")
				}
				var texts []string
				for range rapid.IntRange(1, 6).Draw(t, "operations") {
					where := fmt.Sprintf(`members[value eq \"%s\"]`, id.Draw(t, "where"))
					switch rapid.IntRange(0, 8).Draw(t, "kind") {
					case 0, 1:
						texts = append(texts, `{"op":"add","path":"members","value":`+value()+`}`)
					case 2:
						texts = append(texts, `{"op":"replace","path":"members","value":`+value()+`}`)
					case 3:
						texts = append(texts, `{"op":"remove","path":"members","value":`+value()+`}`)
					case 4:
						texts = append(texts, `{"op":"remove","path":"members"}`)
					case 5:
						texts = append(texts, `{"op":"remove","path":"`+where+`"}`)
					case 6:
						texts = append(texts, `{"op":"remove","path":"`+where+`","value":`+value()+`}`)
					case 7:
						texts = append(texts, fmt.Sprintf(`{"op":"remove","path":"members[not (value eq \"%s\") and value ne \"%s\"]"}`, id.Draw(t, "not"), id.Draw(t, "nor")))
					case 8:
						if typed {
							texts = append(texts, `{"op":"remove","path":"members[type eq \"User\"]"}`)
						} else {
							texts = append(texts, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\" or value eq \"%s\"]"}`, id.Draw(t, "one"), id.Draw(t, "other")))
						}
					}
				}
				req, err := patch.Parse(groupType(), body("["+strings.Join(texts, ",")+"]"), patch.ParseOptions{})
				if err != nil {
					t.Fatal(err)
				}
				ops := req.Links()["members"]
				want := have
				for i := range ops {
					edit, err := patch.FoldLinks(ops[i:i+1], selecting(want))
					if err != nil {
						t.Fatal(err)
					}
					want, _ = patch.ApplyLinks(want, edit)
				}
				edit, err := patch.FoldLinks(ops, selecting(have))
				if err != nil {
					t.Fatal(err)
				}
				checkNormal(t, edit)
				got, changed := patch.ApplyLinks(have, edit)
				if d := gocmp.Diff(sorted(want, key), sorted(got, key)); d != "" {
					t.Errorf("have %s\n%s\nedit %s\n%s", membersText(have), strings.Join(texts, "\n"), editText(edit), d)
				}
				if same := gocmp.Equal(sorted(have, memberText), sorted(got, memberText)); changed == same {
					t.Errorf("changed %v: %s to %s", changed, membersText(have), membersText(got))
				}
			})
		})
	}
}

func checkNormal(t fataler, e patch.LinkEdit) {
	seen := map[string]bool{}
	for _, m := range append(slices.Clone(e.Add), e.Remove...) {
		if k := m.Type + "/" + m.ID; seen[k] {
			t.Errorf("%s stands twice in %s", k, editText(e))
		} else {
			seen[k] = true
		}
	}
	if e.Reset && len(e.Remove) > 0 {
		t.Errorf("reset with removes: %s", editText(e))
	}
}
