package sqltable_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim"
)

func TestWhatClientsCannotSetIsReported(t *testing.T) {
	t.Parallel()
	db := sqliteDatabase(t).seed()
	table := users()
	table.Columns["title"] = sqltable.Column{Name: "job", ReadOnly: true}
	var ignored []string
	srv := newServer(t, newHandler(t, db, table), nil,
		scim.WithReport(func(_ context.Context, r scim.Report) { ignored = append(ignored, r.Ignored...) }))
	w := request(t, srv, "secret", "POST /Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada.new","title":"Pilot",
		"name":{"givenName":"Ada","familyName":"King"}}`)
	if w.Code != http.StatusCreated || !slices.Equal(ignored, []string{"title"}) {
		t.Errorf("reported as ignored are %q, %d %s", ignored, w.Code, w.Body)
	}
}
