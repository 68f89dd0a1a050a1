package vectors

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// RunFilter creates the users, runs the rows of filter.jsonl against the server,
// and deletes the users. A server makes some values itself (times, defaults): a
// user is left out of the rows whose filter names an attribute in which the
// server shows something else than the file, and a row for which that leaves
// nobody is skipped. An error means that nothing could be run.
func RunFilter(ctx context.Context, s Server, users *FilterUsers, rows []Filter) (*Report, error) {
	r := filterRun{server: s, ids: newNames(), differs: map[string][]string{}}
	defer func() {
		for _, id := range r.ids.toServer {
			s.remove(ctx, "/Users/"+id)
		}
	}()
	if err := r.create(ctx, users); err != nil {
		return nil, err
	}
	report := new(Report)
	for _, row := range rows {
		if !row.Applies(s.Strict) {
			continue
		}
		judged := r.judged(row)
		if row.Valid && len(judged) == 0 {
			report.Skipped = append(report.Skipped, Outcome{row.ID, row.Why, "the server makes these values itself: " + row.Filter})
			continue
		}
		report.add(row.ID, row.Why, r.row(ctx, row, judged))
		if err := ctx.Err(); err != nil {
			return report, err
		}
	}
	return report, nil
}

type filterRun struct {
	server Server
	ids    names
	// order is the ids of the users as the file has them.
	order []string
	// differs holds, for each user, the attributes in lower case in which the
	// server shows something else than the file.
	differs map[string][]string
}

// create creates the users, each after its manager.
func (r *filterRun) create(ctx context.Context, users *FilterUsers) error {
	var waiting []map[string]any
	for _, raw := range users.Users {
		user, err := decodeObject(raw)
		if err != nil {
			return err
		}
		id, _ := user["id"].(string)
		r.order = append(r.order, id)
		waiting = append(waiting, user)
	}
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(u map[string]any) bool {
			m := manager(u)
			return !slices.Contains(r.order, m) || r.ids.toServer[m] != ""
		})
		if i < 0 {
			return fmt.Errorf("%s: users manage each other in a circle", FilterUsersFile)
		}
		if err := r.createUser(ctx, waiting[i]); err != nil {
			return err
		}
		waiting = slices.Delete(waiting, i, i+1)
	}
	return nil
}

func manager(user map[string]any) string {
	extension, _ := user[enterprise].(map[string]any)
	m, _ := extension["manager"].(map[string]any)
	id, _ := m["value"].(string)
	return id
}

func (r *filterRun) createUser(ctx context.Context, user map[string]any) error {
	id := user["id"].(string)
	path, created, err := r.server.create(ctx, "/Users", r.ids.server(sendable(user)).(map[string]any))
	if err != nil {
		return fmt.Errorf("user %s: %w", id, err)
	}
	r.ids.add(id, created.id())
	shown, err := r.server.get(ctx, path)
	if err != nil {
		return err
	}
	got, err := decodeObject(shown.body)
	if err != nil {
		return err
	}
	got = r.ids.row(got).(map[string]any)
	want, have := leaves(user), leaves(got)
	all := maps.Clone(want)
	maps.Copy(all, have)
	for path := range all {
		// A location ends in the server's id, which the filters are given.
		if path != "meta.location" && !slices.Equal(want[path], have[path]) {
			r.differs[id] = append(r.differs[id], path)
		}
	}
	return nil
}

// judged returns the users that a row can be judged by.
func (r *filterRun) judged(row Filter) []string {
	text := strings.ToLower(row.Filter)
	return slices.DeleteFunc(slices.Clone(r.order), func(id string) bool {
		return slices.ContainsFunc(r.differs[id], func(path string) bool { return mentions(text, path) })
	})
}

// mentions reports whether a filter names an attribute path, both in lower case.
func mentions(filter, path string) bool {
	for rest := filter; ; {
		i := strings.Index(rest, path)
		if i < 0 {
			return false
		}
		rest = rest[i+len(path):]
		if rest == "" || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_$", rune(rest[0])) {
			return true
		}
	}
}

func (r *filterRun) row(ctx context.Context, row Filter, judged []string) string {
	matches, refused, err := r.query(ctx, r.filterText(row.Filter))
	switch {
	case err != nil:
		return err.Error()
	case row.Error != nil:
		if refused == nil || refused.status != row.Error.Status || !row.Error.Accepts(refused.scimType()) {
			return fmt.Sprintf("%s: want %d %s, got %v %v", row.Filter, row.Error.Status, row.Error.ScimType, refused, matches)
		}
		return ""
	case refused != nil:
		return fmt.Sprintf("%s: got %s", row.Filter, refused)
	}
	var wrong []string
	for _, id := range judged {
		if want := slices.Contains(row.Matches, id); want != slices.Contains(matches, id) {
			wrong = append(wrong, fmt.Sprintf("%s: want %v", id, want))
		}
	}
	if len(wrong) > 0 {
		return row.Filter + ": " + strings.Join(wrong, ", ")
	}
	return ""
}

// filterText puts the server's ids into a filter: in quotes, in quotes in the
// other case (for rows about case), and at the end of a location.
func (r *filterRun) filterText(filter string) string {
	for row, id := range r.ids.toServer {
		filter = strings.NewReplacer(
			`"`+row+`"`, `"`+id+`"`,
			`"`+strings.ToUpper(row)+`"`, `"`+strings.ToUpper(id)+`"`,
			`/`+row+`"`, `/`+id+`"`,
		).Replace(filter)
	}
	return filter
}

// query returns the users that match, as the file names them, from all pages. A
// refusal is the error answer.
func (r *filterRun) query(ctx context.Context, filter string) (matches []string, refused *answer, err error) {
	for start := 1; ; {
		a, err := r.server.call(ctx, "GET", fmt.Sprintf("/Users?attributes=id&startIndex=%d&count=100&filter=%s", start, url.QueryEscape(filter)), nil)
		if err != nil {
			return nil, nil, err
		}
		if a.status != http.StatusOK {
			return nil, &a, nil
		}
		var list struct {
			TotalResults int
			Resources    []struct{ ID string }
		}
		if err := json.Unmarshal(a.body, &list); err != nil {
			return nil, nil, err
		}
		for _, u := range list.Resources {
			if id, ours := r.ids.toRow[u.ID]; ours {
				matches = append(matches, id)
			}
		}
		start += len(list.Resources)
		if len(list.Resources) == 0 || start > list.TotalResults {
			return matches, nil, nil
		}
	}
}

// leaves returns the values of a resource by attribute path in lower case,
// without the schema of an extension, each list in an order of its own.
func leaves(resource map[string]any) map[string][]string {
	out := leafSet{}
	for k, v := range resource {
		extension, ok := v.(map[string]any)
		if !ok || !strings.HasPrefix(strings.ToLower(k), "urn:") {
			out.collect(k, v)
			continue
		}
		for k, v := range extension {
			out.collect(k, v)
		}
	}
	for _, values := range out {
		slices.Sort(values)
	}
	return out
}

type leafSet map[string][]string

func (s leafSet) collect(path string, v any) {
	path = strings.ToLower(path)
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for k, x := range v {
			if k != "primary" || x != false {
				s.collect(path+"."+k, x)
			}
		}
	case []any:
		for _, x := range v {
			s.collect(path, x)
		}
	case json.Number:
		s[path] = append(s[path], string(jsonvalue.Canonical(v)))
	default:
		s[path] = append(s[path], jsonvalue.Text(v))
	}
}
