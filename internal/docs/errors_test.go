package docs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
)

// Each row of the table of errors is an answer that a request gets.
func TestEveryErrorOfTheReferenceIsAnswered(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	srv, err := scim.New(memory.New(), scim.BearerTokens(map[string]scim.Principal{"secret": {}, "reader": {ReadOnly: true}}),
		scim.WithLimits(scim.Limits{Body: 1000, Scan: 4}), scim.WithClock(func() time.Time { return now }), scim.WithLogger(slog.New(slog.DiscardHandler)),
		scim.WithInterceptor(func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
			switch op.ID {
			case "broken":
				return nil, errors.New("a fault")
			case "away":
				return nil, storage.ErrUnavailable
			}
			return next(ctx, op)
		}))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request, body string, headers ...string) map[string]any {
		t.Helper()
		method, target, _ := strings.Cut(request, " ")
		r, w := httptest.NewRequest(method, target, strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer secret")
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		srv.ServeHTTP(w, r)
		answer := map[string]any{}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", request, err)
		}
		return answer
	}
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`
	patch := func(operation string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
	}
	ada, ok := ask("POST /Users", user+`ada"}`)["id"].(string)
	if !ok {
		t.Fatal("the user was not created")
	}
	for _, name := range []string{"grace", "edith", "joan", "radia", "barbara"} {
		ask("POST /Users", user+name+`"}`)
	}
	cursor, ok := ask("GET /Users?cursor&count=1", "")["nextCursor"].(string)
	if !ok {
		t.Fatal("there is no cursor")
	}
	answered := map[string]bool{}
	for _, c := range []struct{ want, request, body, header string }{
		{"400 invalidSyntax", "POST /Users", user, ""},
		{"400 invalidValue", "POST /Users", user + `x","active":"perhaps"}`, ""},
		{"400 invalidFilter", "GET /Users?filter=userName+eq", "", ""},
		{"400 invalidPath", "PATCH /Users/" + ada, patch(`{"op":"replace","path":"emails[","value":"x"}`), ""},
		{"400 noTarget", "PATCH /Users/" + ada, patch(`{"op":"remove"}`), ""},
		{"400 mutability", "PATCH /Users/" + ada, patch(`{"op":"replace","path":"meta.created","value":"2026-01-02T03:04:05Z"}`), ""},
		{"400 tooMany", "GET /Users?filter=title+co+%22x%22", "", ""},
		{"400 invalidCursor", "GET /Users?cursor=nonsense", "", ""},
		{"400 invalidCount", "GET /Users?count=2&cursor=" + cursor, "", ""},
		{"401", "GET /Users", "", "Authorization: Bearer nonsense"},
		{"403", "DELETE /Users/" + ada, "", "Authorization: Bearer reader"},
		{"404", "GET /Users/none", "", ""},
		{"405", "DELETE /Users", "", ""},
		{"409 uniqueness", "POST /Users", user + `ada"}`, ""},
		{"412", "DELETE /Users/" + ada, "", `If-Match: W/"17"`},
		{"413", "POST /Users", user + strings.Repeat("x", 1000) + `"}`, ""},
		{"415", "POST /Users", user + `x"}`, "Content-Type: text/plain"},
		{"500", "GET /Users/broken", "", ""},
		{"501", "GET /Me", "", ""},
		{"503", "GET /Users/away", "", ""},
		{"400 expiredCursor", "GET /Users?count=1&cursor=" + cursor, "", ""}, // the last one: it takes a day
	} {
		if strings.HasSuffix(c.want, "expiredCursor") {
			now = now.AddDate(0, 0, 1)
		}
		var headers []string
		if c.header != "" {
			headers = append(headers, c.header)
		}
		answer := ask(c.request, c.body, headers...)
		status, _ := answer["status"].(string)
		word, _ := answer["scimType"].(string)
		if got := strings.TrimSpace(status + " " + word); got != c.want {
			t.Errorf("%s: %s, want %s: %v", c.request, got, c.want, answer["detail"])
		}
		answered[c.want] = true
	}
	listed := map[string]bool{}
	_, section, _ := strings.Cut(read(t, "docs/reference.md"), "\n## Errors\n")
	for _, row := range regexp.MustCompile(`(?m)^\| (\d{3}) \|([^|]*)\|`).FindAllStringSubmatch(section, -1) {
		words := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1)
		if len(words) == 0 {
			listed[row[1]] = true
		}
		for _, w := range words {
			listed[row[1]+" "+w[1]] = true
		}
	}
	same(t, "error", listed, answered)
}
