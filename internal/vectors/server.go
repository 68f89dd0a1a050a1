package vectors

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/musterhq/muster/internal/jsonvalue"
	"github.com/musterhq/muster/internal/wire"
)

// Server is where vectors are run. It must know the enterprise extension and
// [FilterUsers.CustomSchema] as extensions of User, and have no users and groups
// of the names in the vectors. What a run creates it deletes.
type Server struct {
	// Client sends requests: [wire.NewClient] or [wire.Handler].
	Client wire.Doer
	// BaseURL is where the SCIM endpoints are; empty means "http://scim.test",
	// which only [wire.Handler] can reach.
	BaseURL string
	// Token is the bearer token; empty sends none.
	Token string
	// Strict says that the server tolerates nothing beyond the RFCs, and so which
	// rows hold.
	Strict bool
}

// Report is the outcome of a run. Rows that do not apply to the server's mode
// are in none of its counts.
type Report struct {
	Passed   int
	Skipped  []Outcome // rows that cannot be told over HTTP, with the reason
	Failures []Outcome
}

// Outcome is what happened with one row.
type Outcome struct {
	ID, Why string // the row's
	Detail  string
}

// String returns the outcome as text.
func (o Outcome) String() string { return fmt.Sprintf("%s (%s): %s", o.ID, o.Why, o.Detail) }

func (r *Report) add(id, why, failure string) {
	if failure == "" {
		r.Passed++
		return
	}
	r.Failures = append(r.Failures, Outcome{id, why, failure})
}

// answer is a server's answer to one request.
type answer struct {
	status int
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// scimType returns the scimType of an error body.
func (a answer) scimType() string {
	var e struct {
		ScimType string `json:"scimType"`
	}
	_ = json.Unmarshal(a.body, &e) // what is no error body has no scimType
	return e.ScimType
}

// id returns the id of a resource.
func (a answer) id() string {
	var r struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(a.body, &r)
	return r.ID
}

// meta returns the version and the time of the last change of a resource.
func (a answer) meta() (version, lastModified string) {
	var r struct {
		Meta struct {
			Version      string `json:"version"`
			LastModified string `json:"lastModified"`
		} `json:"meta"`
	}
	_ = json.Unmarshal(a.body, &r)
	return r.Meta.Version, r.Meta.LastModified
}

func (s Server) call(ctx context.Context, method, path string, body []byte) (answer, error) {
	base := strings.TrimSuffix(s.BaseURL, "/")
	if base == "" {
		base = "http://scim.test"
	}
	var reader io.Reader
	if body != nil {
		reader = strings.NewReader(string(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	req.Header.Set("Accept", "application/scim+json")
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return answer{}, err
	}
	data, err := wire.ReadBody(resp)
	return answer{resp.StatusCode, data}, err
}

// create sends a POST and returns the new resource's path and its answer.
func (s Server) create(ctx context.Context, endpoint string, resource map[string]any) (path string, a answer, err error) {
	a, err = s.call(ctx, "POST", endpoint, []byte(jsonvalue.Text(resource)))
	if err != nil {
		return "", a, err
	}
	if a.status != http.StatusCreated || a.id() == "" {
		return "", a, fmt.Errorf("POST %s: want 201 with an id, got %s", endpoint, a)
	}
	return endpoint + "/" + a.id(), a, nil
}

// get reads a resource that must be there.
func (s Server) get(ctx context.Context, path string) (answer, error) {
	a, err := s.call(ctx, "GET", path, nil)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("GET %s: want 200, got %s", path, a)
	}
	return a, err
}

// remove deletes a resource at the end of a row. It works on after ctx has
// ended, so that a row that was cut short leaves nothing behind.
func (s Server) remove(ctx context.Context, path string) {
	// Whether deleting works is not what the rows are about.
	_, _ = s.call(context.WithoutCancel(ctx), "DELETE", path, nil)
}
