package scim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim"
)

func bulkBody(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

func bulkPost(path, bulkID, data string) string {
	return fmt.Sprintf(`{"method":"POST","path":%q,"bulkId":%q,"data":%s}`, path, bulkID, data)
}

func statuses(a *answer) (out []string) {
	list, _ := a.json["Operations"].([]any)
	for _, e := range list {
		s, _ := e.(map[string]any)["status"].(string)
		out = append(out, s)
	}
	return out
}

func TestAtomicBulkDoesAllOrNothing(t *testing.T) {
	t.Parallel()
	var commits int
	srv := newServer(t, scim.WithAtomicBulk(), scim.WithGuard(func(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
		if len(effects) > 1 {
			commits++
		}
		return nil
	}))
	good := []string{
		bulkPost("/Users", "u", fmt.Sprintf(userBody, "ada")),
		bulkPost("/Groups", "g", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[{"value":"bulkId:u"}]}`),
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":` + patchBody(`[{"op":"remove","path":"members[value eq \"bulkId:u\"]"}]`) + `}`,
		`{"method":"PATCH","path":"/Groups/bulkId:g","data":` + patchBody(`[{"op":"add","path":"members","value":[{"value":"bulkId:u"}]}]`) + `}`,
		`{"method":"PATCH","path":"/Users/bulkId:u","data":` + patchBody(`[{"op":"replace","path":"title","value":"T"}]`) + `}`,
	}
	bad := append(good[:len(good):len(good)], bulkPost("/Users", "v", fmt.Sprintf(userBody, "Ada")))
	a := send(t, srv, "POST /Bulk", bulkBody(bad...)).want(t, 200)
	for i, s := range statuses(a) {
		if s != "409" {
			t.Errorf("operation %d has status %s in a request that fails as a whole", i+1, s)
		}
	}
	if n := send(t, srv, "GET /Users", "").json["totalResults"]; n != 0.0 {
		t.Fatalf("a failed request left %v users", n)
	}
	a = send(t, srv, "POST /Bulk", bulkBody(good...)).want(t, 200)
	if got := strings.Join(statuses(a), " "); got != "201 201 204 204 200" {
		t.Fatalf("statuses %s\n%s", got, a.Body)
	}
	if commits != 2 {
		t.Errorf("guards saw %d commits of several effects, want one for each request", commits)
	}
	g := send(t, srv, "GET /Groups", "").want(t, 200)
	if !strings.Contains(g.Body.String(), `"display":"`) && !strings.Contains(g.Body.String(), `"members":[{`) {
		t.Errorf("the group lost its member: %s", g.Body)
	}
	u := send(t, srv, `GET /Users?filter=userName+eq+"ada"&attributes=title,meta`, "")
	if !strings.Contains(u.Body.String(), `"title":"T"`) || !strings.Contains(u.Body.String(), `"version":"W/\"1\""`) {
		t.Errorf("all writes of one record are one step of its version: %s", u.Body)
	}
}

func TestBulkWorksOffACircleOfAThousandGroups(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	const n = 1000
	ops := make([]string, n)
	for i := range ops {
		ops[i] = bulkPost("/Groups", fmt.Sprint("g", i), fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G%d","members":[{"type":"Group","value":"bulkId:g%d"}]}`, i, (i+1)%n))
	}
	a := send(t, srv, "POST /Bulk", bulkBody(ops...)).want(t, 200)
	for i, s := range statuses(a) {
		if s != "201" {
			t.Fatalf("group %d: status %s", i, s)
		}
	}
	if a := send(t, srv, "GET /Groups?count=1000", "").want(t, 200); strings.Count(a.Body.String(), `"members":[{`) != n {
		t.Error("not every group has its member")
	}
}

func TestBulkWorksOffReferencesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		srv := newServer(t)
		const n = 60
		ops := make([]string, n)
		for i := range ops {
			var members []string
			for range r.IntN(4) {
				members = append(members, fmt.Sprintf(`{"type":"Group","value":"bulkId:g%d"}`, r.IntN(n)))
			}
			ops[i] = bulkPost("/Groups", fmt.Sprint("g", i), fmt.Sprintf(
				`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G%d","members":[%s]}`, i, strings.Join(members, ",")))
		}
		a := send(t, srv, "POST /Bulk", bulkBody(ops...)).want(t, 200)
		for i, s := range statuses(a) {
			if s != "201" {
				t.Fatalf("seed %d, group %d: status %s", seed, i, s)
			}
		}
	}
}

func TestBulkLimitsAreNamed(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ops := make([]string, 10_000)
	for i := range ops {
		ops[i] = `{"method":"DELETE","path":"/Users/x"}`
	}
	a := send(t, srv, "POST /Bulk", bulkBody(ops...)).want(t, 413)
	if !strings.Contains(a.Body.String(), "1000") {
		t.Errorf("the answer does not name the limit: %s", a.Body)
	}
}

func TestBulkRevivesATombstone(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]scim.Option{{scim.WithImmutableExternalID()}, {scim.WithImmutableExternalID(), scim.WithAtomicBulk()}} {
		srv := newServer(t, opts...)
		body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","externalId":"e1"}`
		id := send(t, srv, "POST /Users", body).want(t, 201).id()
		send(t, srv, "DELETE /Users/"+id, "").want(t, 204)
		a := send(t, srv, "POST /Bulk", bulkBody(
			bulkPost("/Users", "u", body),
			bulkPost("/Groups", "g", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[{"value":"bulkId:u"}]}`),
		)).want(t, 200)
		if got := strings.Join(statuses(a), " "); got != "201 201" {
			t.Fatalf("statuses %s\n%s", got, a.Body)
		}
		send(t, srv, "GET /Users/"+id, "").want(t, 200)
		if g := send(t, srv, "GET /Groups", "").Body.String(); !strings.Contains(g, id) {
			t.Errorf("the group has not the revived user: %s", g)
		}
	}
}

func TestBulkReportsEachOperation(t *testing.T) {
	t.Parallel()
	var reports []scim.Report
	srv := newServer(t, scim.WithReport(func(_ context.Context, r scim.Report) { reports = append(reports, r) }))
	send(t, srv, "POST /Bulk", bulkBody(
		bulkPost("/Users", "u", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","active":"True"}`),
		bulkPost("/Groups", "g", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[{"value":"gone"}]}`),
		bulkPost("/Users", "v", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"grace"}`),
	)).want(t, 200)
	if len(reports) != 2 {
		t.Fatalf("%d reports, want one for each operation that has something to tell: %+v", len(reports), reports)
	}
	if r := reports[0]; r.Type != "User" || r.ID == "" || len(r.Rules) != 1 || r.Rules[0] != "boolean-text" {
		t.Errorf("the first operation relied on boolean-text: %+v", r)
	}
	if r := reports[1]; r.Type != "Group" || len(r.Dropped) != 1 || r.Dropped[0].ID != "gone" {
		t.Errorf("the second operation lost a member: %+v", r)
	}
}

// A guard that counts what is there must see each operation with those before it
// committed, or a bulk request would get past any limit.
func TestGuardsSeeEachOperationOfABulkRequestCommitted(t *testing.T) {
	t.Parallel()
	const seats = 2
	var srv *scim.Server
	srv = newServer(t, scim.WithGuard(func(ctx context.Context, p scim.Principal, effects []scim.Effect) error {
		res, err := srv.Do(ctx, p, &scim.Operation{Method: scim.List, Type: srv.Type("User")})
		if err == nil && res.Total+len(effects) > seats {
			err = scim.Errorf(403, "", "no seat is free")
		}
		return err
	}))
	var ops []string
	for _, name := range []string{"ada", "grace", "joan"} {
		ops = append(ops, bulkPost("/Users", name, fmt.Sprintf(userBody, name)))
	}
	a := send(t, srv, "POST /Bulk", bulkBody(ops...)).want(t, 200)
	if got := strings.Join(statuses(a), " "); got != "201 201 403" {
		t.Errorf("statuses %s, want 201 201 403\n%s", got, a.Body)
	}
}
