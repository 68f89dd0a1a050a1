package vectors

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// RunPatch runs rows of patch.jsonl against a server: it creates the resource as
// it is before, sends the operations, and reads it back. The members that rows
// name are real users. An error means that nothing could be run.
func RunPatch(ctx context.Context, s Server, rows []Patch) (*Report, error) {
	r := patchRun{server: s, ids: newNames()}
	for _, row := range rows {
		if !row.Pure && row.Applies(s.Strict) {
			if err := r.addMembers(ctx, row); err != nil {
				return nil, err
			}
		}
	}
	defer func() {
		for _, path := range r.members {
			s.remove(ctx, path)
		}
	}()
	report := new(Report)
	for _, row := range rows {
		switch {
		case !row.Applies(s.Strict):
		case row.Pure:
			report.Skipped = append(report.Skipped, Outcome{row.ID, row.Why, "the row is for the pure function only"})
		default:
			report.add(row.ID, row.Why, r.row(ctx, row))
		}
		if err := ctx.Err(); err != nil {
			return report, err
		}
	}
	return report, nil
}

type patchRun struct {
	server  Server
	ids     names
	members []string // paths of the users made for members
}

// addMembers creates the users that a row has as members, before or after.
func (r *patchRun) addMembers(ctx context.Context, row Patch) error {
	for _, part := range [][]byte{row.Before, row.After} {
		resource, err := jsonvalue.Decode(part)
		if err != nil {
			return fmt.Errorf("%s: %w", row.ID, err)
		}
		object, _ := resource.(map[string]any)
		list, _ := object["members"].([]any)
		for _, m := range list {
			member, _ := m.(map[string]any)
			id, ok := member["value"].(string)
			if _, done := r.ids.toServer[id]; done || !ok {
				continue
			}
			path, a, err := r.server.create(ctx, "/Users", map[string]any{
				"schemas":  []any{"urn:ietf:params:scim:schemas:core:2.0:User"},
				"userName": "vector-member-" + id,
			})
			if err != nil {
				return fmt.Errorf("a user for member %s: %w", id, err)
			}
			r.members = append(r.members, path)
			r.ids.add(id, a.id())
		}
	}
	return nil
}

// row runs one row and returns what is wrong, or "".
func (r *patchRun) row(ctx context.Context, row Patch) string {
	before, err := decodeObject(row.Before)
	if err != nil {
		return err.Error()
	}
	endpoint := "/Users"
	if schemas, _ := before["schemas"].([]any); slices.Contains(schemas, any(coreGroup)) {
		endpoint = "/Groups"
	}
	path, created, err := r.server.create(ctx, endpoint, r.ids.server(sendable(before)).(map[string]any))
	if err != nil {
		return err.Error()
	}
	defer r.server.remove(ctx, path)
	ids := r.ids.clone()
	if id, ok := before["id"].(string); ok {
		ids.add(id, created.id())
	}

	start, err := r.server.get(ctx, path)
	if err != nil {
		return err.Error()
	}
	if diff := compareShown(ids, before, before, start); diff != "" {
		return "what was created is not what the row starts from:\n" + diff
	}
	body, err := jsonvalue.Decode(row.Body())
	if err != nil {
		return err.Error()
	}
	request := []byte(jsonvalue.Text(ids.server(body)))
	patched, err := r.server.call(ctx, "PATCH", path, request)
	if err != nil {
		return err.Error()
	}
	end, err := r.server.get(ctx, path)
	if err != nil {
		return err.Error()
	}
	if row.Error != nil {
		if patched.status != row.Error.Status || !row.Error.Accepts(patched.scimType()) {
			return fmt.Sprintf("want %d %s, got %s", row.Error.Status, row.Error.ScimType, patched)
		}
		if string(start.body) != string(end.body) {
			return fmt.Sprintf("a refused PATCH changed the resource from %s to %s", start.body, end.body)
		}
		return ""
	}
	if patched.status != http.StatusOK && patched.status != http.StatusNoContent {
		return fmt.Sprintf("want 200 or 204, got %s", patched)
	}
	after, err := decodeObject(row.After)
	if err != nil {
		return err.Error()
	}
	if diff := compareShown(ids, before, after, end); diff != "" {
		return diff
	}
	if problem := checkMoved(row, start, end); problem != "" {
		return problem
	}
	return r.replay(ctx, row, path, request, end)
}

// checkMoved checks that version and lastModified moved with the resource, and
// only with it.
func checkMoved(row Patch, start, end answer) string {
	v1, m1 := start.meta()
	v2, m2 := end.meta()
	switch {
	case row.Unchanged && (v1 != v2 || m1 != m2):
		return fmt.Sprintf("nothing changed, but version and lastModified moved from %s, %s to %s, %s", v1, m1, v2, m2)
	case v1 != "" && v1 == v2 && Diff(row.Before, row.After) != "":
		return fmt.Sprintf("the resource changed, but its version is still %s", v1)
	}
	return ""
}

// replay sends the operations again.
func (r *patchRun) replay(ctx context.Context, row Patch, path string, request []byte, first answer) string {
	if row.Replay == "" {
		return ""
	}
	a, err := r.server.call(ctx, "PATCH", path, request)
	if err != nil {
		return err.Error()
	}
	second, err := r.server.get(ctx, path)
	if err != nil {
		return err.Error()
	}
	failed, same := a.status >= 400, Diff(first.body, second.body) == ""
	if row.Replay == "error" && !failed || row.Replay != "error" && failed || row.Replay == "changes" == same {
		return fmt.Sprintf("sent again, want %s, got %s, and %s became %s", row.Replay, a, first.body, second.body)
	}
	return ""
}

// compareShown compares what a server shows with a row's representation. A
// server may have given active a default that the row does not know of.
func compareShown(ids names, before, want map[string]any, shown answer) string {
	got, err := decodeObject(shown.body)
	if err != nil {
		return err.Error()
	}
	got = ids.row(got).(map[string]any)
	if _, named := before["active"]; !named && want["active"] == nil && got["active"] == true {
		delete(got, "active")
	}
	w, g := normalizeResource(withoutServerMade(want)), normalizeResource(withoutServerMade(got))
	return strings.TrimSuffix(diffObjects(w, g), "\n")
}
