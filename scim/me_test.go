package scim_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/musterhq/muster/scim"
)

func TestErrorsOfTheHostAboutMe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what   string
		typ    string
		err    error
		status int
	}{
		{"nobody", "", scim.ErrNotFound, 404},
		{"an error of its own", "", scim.Errorf(http.StatusForbidden, "", "not for robots"), 403},
		{"something else", "", errors.New("the directory is down"), 500},
		{"a type that is not served", "Robot", nil, 500},
		{"a resource that is gone", "User", nil, 404},
	} {
		srv := newServer(t, scim.WithMe(func(context.Context, scim.Principal) (string, string, error) {
			return test.typ, "7", test.err
		}))
		for _, method := range []string{"GET", "DELETE"} {
			if a := send(t, srv, method+" /Me", ""); a.Code != test.status {
				t.Errorf("%s, %s: %d, want %d", test.what, method, a.Code, test.status)
			}
		}
	}
}

func TestMeOfATypeThatIsOnlyRead(t *testing.T) {
	t.Parallel()
	type onlyRead struct{ scim.ResourceHandler }
	srv := newServer(t, scim.WithHandler(thingType(), onlyRead{&things{}}),
		scim.WithMe(func(context.Context, scim.Principal) (string, string, error) { return "Thing", "", nil }))
	send(t, srv, "POST /Me", `{"displayName":"a"}`).want(t, 405)
	send(t, srv, "GET /Me", "").want(t, 404)
}

// Searches report like lists do.
func TestSearchesReportWhatTheyReliedOn(t *testing.T) {
	t.Parallel()
	var reports []scim.Report
	srv := newServer(t, scim.WithReport(func(_ context.Context, r scim.Report) { reports = append(reports, r) }))
	for _, test := range []struct{ path, typ string }{{"/Users/.search", "User"}, {"/.search", ""}} {
		reports = nil
		send(t, srv, "POST "+test.path, `{"attributes":"id","filter":"nosuch pr"}`).want(t, 200)
		if len(reports) != 1 || reports[0].Type != test.typ || reports[0].Method != scim.List ||
			len(reports[0].Rules) != 2 || len(reports[0].Ignored) != 1 || reports[0].Ignored[0] != "nosuch" {
			t.Errorf("%s: %+v", test.path, reports)
		}
	}
}
