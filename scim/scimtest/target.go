package scimtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/transcript"
	"github.com/musterhq/muster/internal/wire"
)

// Target is a server under test and what the checks need to know of it. Handler
// or URL is needed, the rest is optional.
type Target struct {
	// Handler is called directly, without a network. What net/http adds around a
	// handler is left out, so a test over real HTTP says a little more.
	Handler http.Handler
	// URL is where the endpoints are, such as "https://host.example/scim/v2". With a
	// Handler it is the URL that requests claim to be for, so that its path is what
	// the handler expects in front of /Users; default "http://scim.test".
	URL string
	// Client sends the requests when there is no Handler. Default a client that gives
	// up after a minute. Redirects are never followed: a redirect is an answer to be
	// judged.
	Client *http.Client
	// Token is the bearer token. Its bearer must be allowed to create, change and
	// delete users and groups.
	Token string
	// OtherToken is the token of another tenant. Without it isolation is not checked.
	OtherToken string
	// Mode says how much the server tolerates beyond the RFCs, and so which of two
	// answers is right where that makes the difference. Default [Tolerant].
	Mode Mode
	// Except leaves checks out: a requirement such as "G-005", or a feature such as
	// "bulk" and with it all checks that need it, to the reason. They are skipped with
	// the reason, never silently. See [Features].
	Except map[string]string
}

// Mode is how much a server tolerates beyond the RFCs.
type Mode uint8

const (
	// Tolerant is what dialect.Tolerant gives, the default of a server of ours.
	Tolerant Mode = iota
	// Strict is what dialect.Strict gives: nothing beyond the RFCs.
	Strict
	// Some is anything between, such as a preset for one identity provider: of two
	// answers either is right.
	Some
)

// prepare checks a target and returns how to reach it.
func (t *Target) prepare() (wire.Doer, transcript.Options, error) {
	o := transcript.Options{BaseURL: strings.TrimSuffix(t.URL, "/"), Token: t.Token}
	if o.BaseURL == "" {
		if t.Handler == nil {
			return nil, o, errors.New("the target has neither Handler nor URL")
		}
		o.BaseURL = "http://scim.test"
	}
	if u, err := url.Parse(o.BaseURL); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, o, fmt.Errorf("the URL %q is not absolute, or has a query", t.URL)
	}
	if t.Handler != nil {
		return wire.Handler(t.Handler), o, nil
	}
	client := wire.NewClient()
	if t.Client != nil {
		own := *t.Client
		own.CheckRedirect = client.CheckRedirect
		if own.Timeout == 0 {
			own.Timeout = time.Minute
		}
		client = &own
	}
	return client, o, nil
}

// except checks what the target leaves out against the names that exist.
func (t *Target) except(checks []check) error {
	known := map[string]bool{}
	for f := range Features() {
		known[f] = true
	}
	for _, c := range checks {
		known[c.id] = true
	}
	for name, reason := range t.Except {
		if !known[name] {
			return fmt.Errorf("the target excepts %q, which is neither a requirement nor a feature", name)
		}
		if strings.TrimSpace(reason) == "" {
			return fmt.Errorf("the target excepts %s without a reason", name)
		}
	}
	return nil
}
