package scim_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/schema"
)

func TestDoRefusesWhatNoRequestCouldAskFor(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	user, group := srv.Type("User"), srv.Type("Group")
	nameless := scim.NewResource(user).Set("title", "Countess").Resource()
	for _, test := range []struct {
		name   string
		op     scim.Operation
		status int
		detail string
	}{
		{"no type", scim.Operation{Method: scim.Get, ID: "7"}, 500, "a type"},
		{"a type of another server", scim.Operation{Method: scim.List, Type: schema.MustCompile(schema.User(), schema.Group())}, 404, "not served"},
		{"no method", scim.Operation{Type: user}, 500, "method"},
		{"create without a resource", scim.Operation{Method: scim.Create, Type: user}, 500, "a resource"},
		{"create of another type's resource", scim.Operation{Method: scim.Create, Type: group, Resource: nameless}, 500, "a resource of its type"},
		{"create without a required attribute", scim.Operation{Method: scim.Create, Type: user, Resource: nameless}, 400, "userName"},
		{"replace without a required attribute", scim.Operation{Method: scim.Replace, Type: user, ID: "7", Resource: nameless}, 400, "userName"},
		{"patch without changes", scim.Operation{Method: scim.Patch, Type: user, ID: "7"}, 500, "what to change"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := srv.Do(t.Context(), scim.Principal{}, &test.op)
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != test.status || !strings.Contains(e.Detail, test.detail) {
				t.Errorf("%v, want %d with %q", err, test.status, test.detail)
			}
		})
	}
}

func TestTheTextOfAnErrorSaysAThingOnce(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	_, err := srv.ParseFilter(scim.Principal{}, srv.Type("User"), "userName eqq 1")
	if err == nil || strings.Count(err.Error(), "eqq") != 1 {
		t.Errorf("%v", err)
	}
	hidden := scim.Errorf(500, "", "try later").WithCause(errors.New("disk full"))
	if text := hidden.Error(); text != "try later: disk full" {
		t.Error(text)
	}
}
