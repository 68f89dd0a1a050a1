package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim/resource"
)

func TestDecodeMembers(t *testing.T) {
	t.Parallel()
	type members = []resource.Member
	for _, c := range []struct {
		raw  string
		want members
		err  string
	}{
		{`null`, members{}, ``},
		{`[]`, members{}, ``},
		{`[null]`, nil, `members: has entries that name nothing; send [] or null to empty it (at byte 0)`},
		{`[[], null]`, nil, `members: has entries that name nothing; send [] or null to empty it (at byte 0)`},
		{`[null,{"value":"1"}]`, members{{ID: "1"}}, ``},
		{`[{"value":"1"}]`, members{{ID: "1"}}, ``},
		{`[{"VALUE":"1","Type":"User","$REF":"../Users/1","display":"\u0041"}]`, members{{ID: "1", Type: "User", Ref: "../Users/1", Display: "A"}}, ``},
		{`[{"value":"1","type":null,"$ref":null,"display":null}]`, members{{ID: "1"}}, ``},
		{`[{"value":"2"},{"value":"1"}]`, members{{ID: "2"}, {ID: "1"}}, ``},
		{`[{"value":"1","display":"a"},{"value":"1","display":"b"}]`, members{{ID: "1", Display: "a"}}, ``},
		{`[{"value":"1"},{"value":"1","type":"User"}]`, members{{ID: "1"}}, ``},
		{`[{"value":"1","type":"Group"},{"value":"1","type":"User"}]`, members{{ID: "1", Type: "Group"}, {ID: "1", Type: "User"}}, ``},
		{`[{"value":"a"},{"value":"A"}]`, members{{ID: "a"}, {ID: "A"}}, ``},
		{`[{"value":"1","foo":{"x":1},"bar":[]}]`, members{{ID: "1"}}, ``},
		{`{}`, nil, `members: must be an array, not an object (at byte 0)`},
		{`{"value":"1"}`, nil, `members: must be an array, not an object (at byte 0)`},
		{`"1"`, nil, `members: must be an array, not a string (at byte 0)`},
		{`["1"]`, nil, `members[0]: must be an object, not a string (at byte 1)`},
		{`[{"value":"1"},{}]`, nil, `members[1]: needs a "value" that is not empty (at byte 15)`},
		{`[{"value":""}]`, nil, `members[0]: needs a "value" that is not empty (at byte 1)`},
		{`[{"value":null,"display":"x"}]`, nil, `members[0]: needs a "value" that is not empty (at byte 1)`},
		{`[{"value":1}]`, nil, `members[0].value: must be a string, not a number (at byte 10)`},
		{`[{"value":"1\u0000"}]`, nil, `members[0].value: must not hold the character U+0000 (at byte 10)`},
		{`[{"value":"1"},{"value":"1","Value":"2"}]`, nil, `members[1].Value: the name stands twice in one object; names are equal whatever their letter case (at byte 28)`},
		{`[{"value":"1","x":1,"X":2}]`, nil, `members[0].X: the name stands twice in one object; names are equal whatever their letter case (at byte 20)`},
		{`[{"value":"1"}`, nil, `the text ends where a comma or the end of the array was expected (at byte 14)`},
		{`[{"value":"1"}] x`, nil, `there is more text behind the end of the JSON value (at byte 16)`},
	} {
		got, err := resource.DecodeMembers(groupType.MustResolve("members"), []byte(c.raw), resource.DecodeOptions{})
		if d := cmp.Diff(c.want, got); d != "" || (err != nil || c.err != "") && fmt.Sprint(err) != c.err {
			t.Errorf("%s: %v\n%s", c.raw, err, d)
		}
	}
}

func TestDecodeDropsRepeatedMembersOfLongLists(t *testing.T) {
	t.Parallel()
	for _, n := range []int{15, 16, 17, 500} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `{"value":"%d"},{"value":"%d","type":"User"},`, i, i)
		}
		got, err := resource.DecodeMembers(groupType.MustResolve("members"), []byte(`[`+b.String()+`{"value":"0"}]`), resource.DecodeOptions{})
		if err != nil || len(got) != n {
			t.Errorf("%d members of %d, %v", len(got), n, err)
		}
	}
}

func TestDecodeTellsAbsentRelationsFromEmptyOnes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]resource.Relations{
		`{"displayName":"x"}`:                           nil,
		`{"displayName":"x","members":[]}`:              {"members": {}},
		`{"displayName":"x","members":null}`:            {"members": {}},
		`{"displayName":"x","MEMBERS":[{"value":"1"}]}`: {"members": {{ID: "1"}}},
	} {
		d := decode(t, groupType, body, partial)
		if diff := cmp.Diff(want, d.Relations); diff != "" {
			t.Errorf("%s\n%s", body, diff)
		}
		if got := string(d.Resource.Document()); got != `{"displayName":"x"}` {
			t.Errorf("%s: document %s", body, got)
		}
	}
}

func TestDecodeIgnoresRelationsShownBackwards(t *testing.T) {
	t.Parallel()
	d := decode(t, userType, `{"userName":"x","groups":[{"value":5}]}`, partial)
	if d.Relations != nil || len(d.Ignored) > 0 || len(d.Nulls) > 0 {
		t.Errorf("got %+v", d)
	}
}

func TestDecodeMemberLimit(t *testing.T) {
	t.Parallel()
	o := resource.DecodeOptions{MaxMembers: 2}
	p := groupType.MustResolve("members")
	if got, err := resource.DecodeMembers(p, []byte(`[{"value":"1"},{"value":"2"}]`), o); err != nil || len(got) != 2 {
		t.Errorf("at the limit: %v, %v", got, err)
	}
	_, err := resource.DecodeMembers(p, []byte(`[{"value":"1"},{"value":"2"},{"value":3}]`), o)
	if fmt.Sprint(err) != "members: has more than 2 entries (at byte 0)" {
		t.Errorf("over the limit: %v", err)
	}
}
