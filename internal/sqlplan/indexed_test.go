package sqlplan

import (
	"testing"

	"github.com/musterhq/muster/scim/schema"
)

func TestAnAttributeIsUsableWhenItsKeysAreCompleteAndOfItsForm(t *testing.T) {
	t.Parallel()
	user := schema.MustCompile(schema.User(), schema.Group())
	whole := func() map[string]Listing {
		listed := map[string]Listing{"title": {"string", true}} // of another program
		for _, p := range Keyed(user) {
			listed[p.String()] = Listing{KeyForm(p), true}
		}
		return listed
	}
	name := user.MustResolve("userName")
	for what, c := range map[string]struct {
		change      func(map[string]Listing)
		usable, all bool
	}{
		"as it is":        {func(map[string]Listing) {}, true, true},
		"not listed":      {func(l map[string]Listing) { delete(l, "userName") }, false, false},
		"not complete":    {func(l map[string]Listing) { l["userName"] = Listing{KeyForm(name), false} }, false, false},
		"of another form": {func(l map[string]Listing) { l["userName"] = Listing{KeyForm(name) + " exact", true} }, false, false},
		"another is not":  {func(l map[string]Listing) { delete(l, "emails.value") }, true, false},
	} {
		listed := whole()
		c.change(listed)
		usable, all := Usable(user, listed)
		if usable[name] != c.usable || all != c.all {
			t.Errorf("userName %s: usable %v, all %v; want %v, %v", what, usable[name], all, c.usable, c.all)
		}
		if usable[user.MustResolve("title")] {
			t.Error("an attribute that the type does not index is usable")
		}
	}
}
