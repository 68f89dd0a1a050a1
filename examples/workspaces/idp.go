package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/musterhq/muster/roles"
)

// idp is an identity provider, as far as a host sees it.
type idp struct {
	ctx   context.Context
	base  string
	out   io.Writer
	after func() error
	err   error // the first
}

type object = map[string]any

// send sends a request, says what it is, and returns the id of the answer.
func (d *idp) send(what, method, path string, body object) string {
	if d.err != nil {
		return ""
	}
	fmt.Fprintln(d.out, what)
	var answer struct{ ID string }
	d.err = d.request(method, path, body, &answer)
	if d.err == nil {
		d.err = d.after()
	}
	return answer.ID
}

func (d *idp) request(method, path string, body object, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(d.ctx, method, d.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, got)
	}
	if len(got) == 0 {
		return nil
	}
	return json.Unmarshal(got, answer)
}

func (d *idp) user(name string) string {
	return d.send("user "+name, "POST", "/Users", object{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": name, "active": true,
	})
}

func (d *idp) group(name string, members ...string) string {
	list := []object{}
	for _, m := range members {
		list = append(list, object{"value": m})
	}
	return d.send(fmt.Sprintf("group %q", name), "POST", "/Groups", object{
		"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": name, "members": list,
	})
}

func (d *idp) patch(what, path string, operation object) {
	d.send(what, "PATCH", path, object{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []object{operation},
	})
}

func (d *idp) active(what, user string, active bool) {
	d.patch(what, "/Users/"+user, object{"op": "replace", "path": "active", "value": active})
}

// here is what the host's own admin does, between the requests.
func (d *idp) here(what string, f func() error) {
	if d.err != nil {
		return
	}
	fmt.Fprintln(d.out, what)
	if d.err = f(); d.err == nil {
		d.err = d.after()
	}
}

// tell plays the story.
func (d *idp) tell(rec *roles.Reconciler, tenant string) error {
	ada, bob := d.user("ada@example.com"), d.user("bob@example.com")
	sales := d.group("ws-Sales-role-admin", ada)
	members := d.group("WS-SALES-role-member")
	d.patch("ada and bob become members too: ada is in conflict, and stays admin", "/Groups/"+members,
		object{"op": "add", "path": "members", "value": []object{{"value": ada}, {"value": bob}}})

	d.here("who is in conflict", func() error {
		list, err := rec.Assignments(d.ctx, tenant, roles.UserQuery{Conflicts: true})
		for _, u := range list {
			for _, c := range u.Conflicts {
				fmt.Fprintf(d.out, "  one user, in %s: %s%s\n", c.Scope.ID, c.Given, because(c.Causes))
			}
		}
		return err
	})

	finance := d.group("Finance people", bob)
	proposal := roles.Proposal{Add: []roles.Row{{Group: finance, Scope: roles.Workspace("general"), Role: "manager"}}}
	d.here("preview of a row for \"Finance people\"", func() error {
		for c, err := range rec.Preview(d.ctx, tenant, proposal) {
			if err != nil {
				return err
			}
			fmt.Fprintf(d.out, "  would give %s in %s to one user\n", c.To, c.Scope.ID)
		}
		return nil
	})
	d.here("the row is added", func() error {
		_, err := rec.AddRow(d.ctx, tenant, proposal.Add[0])
		return err
	})
	d.patch("ws-Sales-role-admin is renamed to ws-Support-role-admin", "/Groups/"+sales,
		object{"op": "replace", "path": "displayName", "value": "ws-Support-role-admin"})
	d.here("why ada is what she is", func() error {
		for _, w := range []string{"sales", "support", "general"} {
			x, err := rec.Explain(d.ctx, tenant, ada, roles.Workspace(w))
			if err != nil {
				return err
			}
			fmt.Fprintf(d.out, "  in %s: %q%s\n", w, x.Role, because(x.Causes))
		}
		return nil
	})
	d.active("ada is deactivated", ada, false)
	d.active("ada is reactivated", ada, true)
	d.send("Finance people is deleted", "DELETE", "/Groups/"+finance, nil)
	d.send("WS-SALES-role-member is deleted", "DELETE", "/Groups/"+members, nil)
	return d.err
}
