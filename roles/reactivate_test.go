package roles_test

import (
	"testing"

	"github.com/musterhq/muster/roles"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func TestAnAddReactivatesWhereTheHostSaysSo(t *testing.T) {
	t.Parallel()
	const patchOp = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	for _, c := range []struct {
		name string
		when func(scim.Principal) bool
		on   bool // the interceptor is given to the server
		op   func(user string) string
		want bool
	}{
		{"an add", nil, true, func(u string) string { return `{"op":"add","path":"members","value":[{"value":"` + u + `"}]}` }, true},
		{"an add, by default", nil, false, func(u string) string { return `{"op":"add","path":"members","value":[{"value":"` + u + `"}]}` }, false},
		{"an add of another connection", func(p scim.Principal) bool { return p.Connection == "jumpcloud" }, true,
			func(u string) string { return `{"op":"add","path":"members","value":[{"value":"` + u + `"}]}` }, false},
		{"the whole list", nil, true, func(u string) string { return `{"op":"replace","path":"members","value":[{"value":"` + u + `"}]}` }, false},
		{"a removal", nil, true, func(u string) string { return `{"op":"remove","path":"members","value":[{"value":"` + u + `"}]}` }, false},
		{"another attribute", nil, true, func(string) string { return `{"op":"replace","path":"displayName","value":"Ops"}` }, false},
		{"a member that is a group", nil, true, func(string) string { return `{"op":"add","path":"members","value":[{"value":"none"}]}` }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var srv *scim.Server
			var options []scim.Option
			if c.on {
				options = append(options, scim.WithInterceptor(roles.ReactivateAdded(func() *scim.Server { return srv }, c.when)))
			}
			srv, err := scim.New(memory.New(), scim.BearerToken("t"), options...)
			if err != nil {
				t.Fatal(err)
			}
			user := send(t, srv, "POST", "/Users", `{"schemas":["`+schema.UserURN+`"],"userName":"ada","active":true}`)
			group := send(t, srv, "POST", "/Groups", `{"schemas":["`+schema.GroupURN+`"],"displayName":"G","members":[{"value":"`+user+`"}]}`)
			send(t, srv, "PATCH", "/Users/"+user, patchOp+`{"op":"replace","path":"active","value":false}]}`)
			send(t, srv, "PATCH", "/Groups/"+group, patchOp+c.op(user)+`]}`)
			entry, err := srv.Directory().Get(t.Context(), "", storage.Ref{Type: "User", ID: user})
			if err != nil {
				t.Fatal(err)
			}
			if got := entry.Resource.Active(); got != c.want {
				t.Errorf("active is %v", got)
			}
		})
	}
}
