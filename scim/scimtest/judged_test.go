package scimtest

import (
	"net/http"
	"slices"
	"sync"
	"testing"
)

// meddler passes requests to a good server, keeps their methods, and spoils the
// answer to one of them.
type meddler struct {
	good  http.Handler
	spoil func(x *exchange)

	mu   sync.Mutex
	seen []string
	at   int // the request whose answer is spoiled
}

func (m *meddler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	n := len(m.seen)
	m.seen = append(m.seen, r.Method)
	hit := n == m.at
	m.mu.Unlock()
	spoiled(m.good, nil, func(x *exchange) {
		if hit {
			m.spoil(x)
		}
	}).ServeHTTP(w, r)
}

// reset starts a new check.
func (m *meddler) reset(at int) (seen []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen, m.seen, m.at = m.seen, nil, at
	return seen
}

// Each answer that a check asks for must be judged by it: with any one of them
// spoiled it fails.
func TestChecksJudgeEveryAnswer(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(x *exchange){
		"a server error": func(x *exchange) {
			x.status, x.header, x.body = 500, http.Header{"Content-Type": {"application/scim+json"}}, []byte(`{"schemas":["`+errorURN+`"],"status":"500"}`)
		},
		"a success that says nothing": func(x *exchange) {
			if x.status >= 300 {
				x.status, x.header, x.body = 200, http.Header{"Content-Type": {"application/scim+json"}}, []byte("{}")
			} else {
				x.status = 418
			}
		},
	} {
		mayPass := map[string]bool{}
		if name == "a success that says nothing" {
			// A user without groups, a PATCH whose answer is left open.
			mayPass = map[string]bool{"E-023": true, "X-002": true}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &meddler{good: newServer(t), spoil: spoil, at: -1}
			s, err := newSuite(t.Context(), target(m))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range s.checks {
				m.reset(-1)
				s.hold(t.Context(), c)
				methods := m.reset(-1)
				if len(methods) > 100 {
					continue // a loop, of which the first requests say enough elsewhere
				}
				for i := range methods {
					if methods[i] == "DELETE" {
						continue // most of them only clean up
					}
					m.reset(i)
					if o := s.hold(t.Context(), c); len(o.failures) == 0 && o.skipped == "" && !mayPass[c.id] {
						t.Errorf("%s passes although its request %d, %s, was answered with %s", c.id, i+1, methods[i], name)
					}
					// A resource whose creation was hidden is still there.
					if slices.Contains(methods, "POST") {
						m.reset(-1)
						m.good = newServer(t)
					}
				}
			}
		})
	}
}

// Whatever a server answers, checks fail and do not break down.
func TestOddAnswersAreJudgedCalmly(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "null", "[]", `"x"`, "<html>", `{"id":7,"meta":3,"schemas":3}`,
		`{"id":"","meta":{"location":7},"schemas":[3],"Resources":[1,null,"x",[],{"id":3}],"totalResults":"many","nextCursor":4,"members":[3],"Operations":[1]}`,
		`{"id":"x","meta":{"location":"x"},"Resources":{},"nextCursor":"x","externalId":"","Operations":{}}`,
	} {
		for _, status := range []int{200, 201, 204, 404} {
			discovered := false
			s, err := newSuite(t.Context(), target(spoiled(newServer(t), nil, func(x *exchange) {
				if discovered {
					x.status, x.body = status, []byte(body)
				}
			})))
			if err != nil {
				t.Fatal(err)
			}
			discovered = true
			failed := 0
			for _, c := range s.checks {
				if len(s.hold(t.Context(), c).failures) > 0 {
					failed++
				}
			}
			if failed < 250 {
				t.Errorf("%d %s: only %d checks fail", status, body, failed)
			}
		}
	}
	// The same with the answers of discovery.
	for _, config := range []string{`{}`, `{"bulk":3,"filter":{"maxResults":"x"},"patch":{"supported":"yes"},"authenticationSchemes":{}}`} {
		s, err := newSuite(t.Context(), target(spoiled(newServer(t), nil, func(x *exchange) {
			switch x.URL.Path {
			case "/ServiceProviderConfig":
				x.body = []byte(config)
			case "/Schemas":
				x.body = []byte(`{"Resources":[{"id":"` + userURN + `","attributes":[{"name":3},4,{"name":"emails","subAttributes":{}}]},{"id":"` + groupURN + `"}]}`)
			}
		})))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.checks {
			s.hold(t.Context(), c)
		}
	}
}
