package scim_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

func TestPasswordsGoToTheHostAndNowhereElse(t *testing.T) {
	t.Parallel()
	const first, second, third, weak = "correct-horse", "battery-staple", "tr0ub4dor", "weakling"
	var log, info bytes.Buffer
	var got []string
	store := memory.New()
	srv, err := scim.New(store, scim.BearerToken("secret"),
		scim.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		scim.WithReport(func(_ context.Context, r scim.Report) { fmt.Fprintf(&info, "%+v\n", r) }),
		scim.WithPassword(func(_ context.Context, p scim.Principal, user *scim.Resource, password string) error {
			if password == weak {
				return scim.Errorf(400, scim.InvalidValue, "the password is too short for this service")
			}
			got = append(got, user.String("userName")+" "+password)
			if strings.Contains(string(user.Document()), password) {
				t.Error("the user of the hook holds the password")
			}
			return nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	var answers bytes.Buffer
	do := func(request, body string, status int) *answer {
		t.Helper()
		a := send(t, srv, request, body)
		fmt.Fprintln(&answers, a.Header(), a.Body)
		return a.want(t, status)
	}
	id := do("POST /Users", `{"userName":"ada","password":"`+first+`"}`, 201).id()
	do("PUT /Users/"+id, `{"userName":"ada"}`, 200)
	do("PUT /Users/"+id, `{"userName":"ada","password":"`+second+`"}`, 200)
	do("PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"password","value":"`+third+`"},{"op":"replace","path":"title","value":"Dr"}]`), 200)
	do("PATCH /Users/"+id, patchBody(`[{"op":"replace","value":{"password":"`+third+`"}}]`), 200)
	do("PATCH /Users/"+id, patchBody(`[{"op":"remove","path":"password"}]`), 200)
	do("POST /Users", `{"userName":"bea","password":"`+weak+`"}`, 400)
	do("PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"password","value":"`+weak+`"},{"op":"replace","path":"title","value":"Prof"}]`), 400)
	do("PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"password","value":["`+third+`"]}]`), 400)
	do("PATCH /Users/"+id, patchBody(`[{"op":"replace","path":"password[value eq \"`+third+`\"]","value":"x"}]`), 400)
	if a := do("GET /Users/"+id+"?attributes=password,title", "", 200); a.get("title") != "Dr" {
		t.Errorf("a refused password did not refuse the rest: %s", a.Body)
	}
	do("GET /Users", "", 200)
	if want := "ada " + first + "|ada " + second + "|ada " + third + "|ada " + third; strings.Join(got, "|") != want {
		t.Errorf("the hook got %q", got)
	}
	rec, err := store.Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"the store": fmt.Sprintf("%s %+v", rec.Doc, rec), "answers": answers.String(), "the log": log.String(), "reports": info.String()}
	for _, password := range []string{first, second, third, weak} {
		for place, text := range places {
			if strings.Contains(text, password) {
				t.Errorf("%s holds a password:\n%s", place, text)
			}
		}
	}
}

func TestWithoutAHookPasswordsAreForgotten(t *testing.T) {
	t.Parallel()
	store := memory.New()
	srv, err := scim.New(store, scim.BearerToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	id := send(t, srv, "POST /Users", `{"userName":"ada","password":"correct-horse"}`).want(t, 201).id()
	rec, err := store.Get(t.Context(), "", storage.Ref{Type: "User", ID: id})
	if err != nil || strings.Contains(fmt.Sprintf("%s %+v", rec.Doc, rec), "correct-horse") {
		t.Errorf("%+v %v", rec, err)
	}
	if got := send(t, srv, "GET /ServiceProviderConfig", "").get("changePassword", "supported"); got != false {
		t.Errorf("changePassword %v", got)
	}
	hooked := newServer(t, scim.WithPassword(func(context.Context, scim.Principal, *scim.Resource, string) error { return nil }))
	if got := send(t, hooked, "GET /ServiceProviderConfig", "").get("changePassword", "supported"); got != true {
		t.Errorf("changePassword %v with a hook", got)
	}
}

func TestNothingPersonalIsLoggedAtInfo(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv := newServer(t, scim.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
			if effects[0].Kind == scim.Delete {
				return fmt.Errorf("the seat service is away")
			}
			return nil
		}))
	id := send(t, srv, "POST /Users", `{"userName":"lovelace","emails":[{"value":"lovelace@example.com"}]}`).want(t, 201).id()
	send(t, srv, "POST /Users", `{"userName":"lovelace"}`).want(t, 409)
	send(t, srv, "POST /Users", `{"userName":"lovelace","active":"lovelace"}`).want(t, 400)
	send(t, srv, "GET /Users?filter=userName%20eq%20%22lovelace%22", "").want(t, 200)
	send(t, srv, "GET /Users?filter=userName%20is%20%22lovelace%22", "").want(t, 400)
	send(t, srv, "GET /Users/lovelace", "").want(t, 404)
	send(t, srv, "DELETE /Users/"+id, "").want(t, 500)
	if got := log.String(); strings.Contains(got, "lovelace") || !strings.Contains(got, "the seat service is away") {
		t.Errorf("log:\n%s", got)
	}
}
