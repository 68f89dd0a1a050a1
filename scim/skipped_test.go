package scim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
)

func TestMembersThatDoNotExistAreListedForTheHost(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	srv := newServer(t)
	ada := send(t, srv, "POST /Users", fmt.Sprintf(userBody, "ada")).want(t, 201).id()
	group := send(t, srv, "POST /Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[{"value":"gone1"},{"value":%q}]}`, ada)).want(t, 201).id()
	send(t, srv, "PATCH /Groups/"+group, patchBody(`[{"op":"add","path":"members","value":[{"value":"gone2"},{"value":"gone1"}]}]`)).want(t, 204)
	ids, err := srv.Skipped(ctx, "", "Group", group)
	if err != nil || !slices.Equal(ids, []string{"gone1", "gone2"}) {
		t.Fatalf("skipped %v, %v", ids, err)
	}
	send(t, srv, "DELETE /Groups/"+group, "").want(t, 204)
	if ids, err := srv.Skipped(ctx, "", "Group", group); err != nil || len(ids) > 0 {
		t.Errorf("the list of a deleted group is still there: %v, %v", ids, err)
	}
	if _, err := srv.Skipped(ctx, "", "Robot", "x"); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("a type that is not served: %v", err)
	}
}

func TestWhatIsListedForTheHostIsBoundedAndErased(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	group := send(t, srv, "POST /Groups", `{"displayName":"G","members":[{"value":"gone"},{"value":"`+strings.Repeat("x", 5000)+`"}]}`).want(t, 201).id()
	if ids, err := srv.Skipped(t.Context(), "", "Group", group); err != nil || !slices.Equal(ids, []string{"gone"}) {
		t.Errorf("skipped %.100q, %v", ids, err)
	}
	if err := srv.Erase(t.Context(), "", "Group", group); err != nil {
		t.Fatal(err)
	}
	if ids, err := srv.Skipped(t.Context(), "", "Group", group); err != nil || len(ids) > 0 {
		t.Errorf("the list of an erased group is still there: %v, %v", ids, err)
	}
}
