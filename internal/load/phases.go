package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A phase is one kind of operation. do performs the i-th, from 0.
type phase struct {
	name string
	do   func(l *load, ctx context.Context, i int) error
}

var phases = []phase{
	{"create", (*load).create},
	{"get", (*load).get},
	{"lookup", (*load).lookup},
	{"patch", (*load).patch},
	{"members", (*load).addMember},
	{"list", (*load).list},
	{"deactivate", (*load).deactivate},
}

// load is the state that phases share. ids has a place for every user, each
// written by the one worker that creates it; phases do not overlap.
type load struct {
	*client
	run    string // part of every name, so that runs do not clash
	ids    []string
	made   []int // the places in ids that are filled, once create is over
	groups []string
}

func newLoad(c config) *load {
	return &load{client: newClient(c), run: fmt.Sprintf("%x", time.Now().UnixNano()), ids: make([]string, c.operations)}
}

func (l *load) userName(i int) string { return fmt.Sprintf("load-%s-%d@example.com", l.run, i) }

// userBody is a user as large as the ones that identity providers send: name,
// addresses of several kinds, roles and the enterprise extension, about 1.2 KB.
func (l *load) userBody(i int) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":"ext-%[1]s-%[2]d","userName":%[3]q,"active":true,"displayName":"Robin Example %[2]d","title":"Field Engineer","preferredLanguage":"en-GB",`+
		`"name":{"formatted":"Robin Q Example","familyName":"Example","givenName":"Robin","middleName":"Quill"},`+
		`"emails":[{"primary":true,"type":"work","value":%[3]q},{"type":"home","value":"robin.%[2]d@home.example"}],`+
		`"phoneNumbers":[{"type":"work","value":"+44 20 7946 0958"},{"type":"mobile","value":"+44 7700 900123"}],`+
		`"addresses":[{"type":"work","streetAddress":"100 Harbour Way","locality":"Leith","region":"Edinburgh","postalCode":"EH6 6LU","country":"GB","formatted":"100 Harbour Way, Leith, Edinburgh EH6 6LU"}],`+
		`"roles":[{"primary":true,"type":"app","value":"member","display":"Member"}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-%[2]d","costCenter":"4130","organization":"Example Ltd","division":"Field","department":"Tour Operations"}}`,
		l.run, i, l.userName(i))
}

const patchHead = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`

func (l *load) create(ctx context.Context, i int) error {
	var user struct{ ID string }
	if err := l.send(ctx, http.MethodPost, "/Users", l.userBody(i), &user); err != nil {
		return err
	}
	if user.ID == "" {
		return errors.New("the new user has no id")
	}
	l.ids[i] = user.ID
	return nil
}

// pick returns the number of the user for the i-th operation, the path and the
// id of that user.
func (l *load) pick(i int) (n int, path, id string) {
	n = l.made[i%len(l.made)]
	id = l.ids[n]
	return n, "/Users/" + url.PathEscape(id), id
}

func (l *load) get(ctx context.Context, i int) error {
	_, path, _ := l.pick(i)
	return l.send(ctx, http.MethodGet, path, "", nil)
}

func (l *load) lookup(ctx context.Context, i int) error {
	n, _, id := l.pick(i)
	var page struct {
		Resources []struct{ ID string }
	}
	filter := fmt.Sprintf("userName eq %q", l.userName(n))
	if err := l.send(ctx, http.MethodGet, "/Users?filter="+url.QueryEscape(filter), "", &page); err != nil {
		return err
	}
	if len(page.Resources) != 1 || page.Resources[0].ID != id {
		return fmt.Errorf("the look-up found %d users, want the one that was created", len(page.Resources))
	}
	return nil
}

func (l *load) patch(ctx context.Context, i int) error {
	_, path, _ := l.pick(i)
	ops := fmt.Sprintf(`[{"op":"replace","path":"active","value":true},{"op":"replace","path":"displayName","value":"Robin Renamed %d"}]}`, i)
	return l.send(ctx, http.MethodPatch, path, patchHead+ops, nil)
}

func (l *load) addMember(ctx context.Context, i int) error {
	_, _, id := l.pick(i)
	member, err := json.Marshal(id)
	if err != nil {
		return err
	}
	group := "/Groups/" + url.PathEscape(l.groups[i%len(l.groups)])
	ops := fmt.Sprintf(`[{"op":"add","path":"members","value":[{"value":%s}]}]}`, member)
	return l.send(ctx, http.MethodPatch, group, patchHead+ops, nil)
}

func (l *load) list(ctx context.Context, i int) error {
	pages := (len(l.made) + 99) / 100
	return l.send(ctx, http.MethodGet, fmt.Sprintf("/Users?count=100&startIndex=%d", 100*(i%pages)+1), "", nil)
}

func (l *load) deactivate(ctx context.Context, i int) error {
	_, path, _ := l.pick(i)
	return l.send(ctx, http.MethodPatch, path, patchHead+`[{"op":"replace","path":"active","value":false}]}`, nil)
}

// createGroups makes the groups that members are added to.
func (l *load) createGroups(ctx context.Context, n int) error {
	for i := range n {
		var group struct{ ID string }
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"load-%s-%d"}`, l.run, i)
		if err := l.send(ctx, http.MethodPost, "/Groups", body, &group); err != nil {
			return err
		}
		l.groups = append(l.groups, group.ID)
	}
	return nil
}

// cleanUp deletes what was created and returns the first error.
func (l *load) cleanUp(ctx context.Context) error {
	var first error
	remove := func(path string) {
		if err := l.send(ctx, http.MethodDelete, path, "", nil); err != nil && first == nil {
			first = err
		}
	}
	for _, id := range l.groups {
		remove("/Groups/" + url.PathEscape(id))
	}
	for _, n := range l.made {
		remove("/Users/" + url.PathEscape(l.ids[n]))
	}
	return first
}
