package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v5"
	"github.com/musterhq/muster/scim"
)

// root is the path of the service root at most mounts.
const root = "/scim/v2"

// mount is one way to serve.
type mount struct {
	name, path string // path is that of the service root
	handler    http.Handler
}

// mounts returns all ways to serve the host's directory. One server is enough for
// those that strip the prefix; the others have options of their own. The
// application behind the proxy is one of the sites.
func (h *host) mounts(s *sites) ([]mount, error) {
	srv, err := h.server()
	if err != nil {
		return nil, err
	}
	perTenant, err := h.server(scim.WithPathPrefix("/tenants/{tenant}" + root))
	if err != nil {
		return nil, err
	}
	behindProxy, err := h.server(scim.WithTrustedForwarded())
	if err != nil {
		return nil, err
	}
	observed, err := h.server(scim.WithInterceptor(spans(h.tracer), audit(h.log)))
	if err != nil {
		return nil, err
	}
	// Nothing but the proxy can reach it: it listens on the loopback interface.
	application, err := s.serve("127.0.0.1:0", scim.Mount(root, behindProxy, pages()))
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(application)
	if err != nil {
		return nil, err
	}
	return []mount{
		{"Mount", root, scim.Mount(root, srv, pages())},
		{"ServeMux", root, serveMux(srv)},
		{"chi", root, chiRouter(srv)},
		{"gin", root, ginEngine(srv)},
		{"echo", root, echoRouter(srv)},
		{"tenants", "/tenants/" + tenant + root, tenants(perTenant)},
		{"proxy", "/identity" + root, proxy("/identity", target)},
		{"middleware", root, scim.Mount(root, h.surround(observed), pages())},
	}, nil
}

// serveMux is the router of the standard library. It cleans paths before it looks
// for a handler: a request for /scim/v2//Users is redirected to /scim/v2/Users, and
// one for /scim/v2 to /scim/v2/. Where that matters [scim.Mount] stands in front of
// the mux.
func serveMux(srv http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(root+"/", http.StripPrefix(root, srv))
	mux.Handle("/", pages())
	return mux
}

// chiRouter matches on a path of its own and leaves the request's as it is, so
// that the prefix has to be stripped.
func chiRouter(srv http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Mount(root, http.StripPrefix(root, srv))
	r.Mount("/", pages())
	return r
}

// ginEngine has no gin.Recovery in front of the server, which answers for its own
// panics: gin's also stops http.ErrAbortHandler, by which an answer that broke off
// midway is kept from looking complete.
func ginEngine(srv http.Handler) http.Handler {
	e := gin.New()
	e.RedirectTrailingSlash = false
	scimHandler := gin.WrapH(http.StripPrefix(root, srv))
	e.Any(root, scimHandler)
	e.Any(root+"/*path", scimHandler)
	e.GET("/", gin.WrapH(pages()))
	return e
}

func echoRouter(srv http.Handler) http.Handler {
	e := echo.New()
	scimHandler := echo.WrapHandler(http.StripPrefix(root, srv))
	e.Any(root, scimHandler)
	e.Any(root+"/*", scimHandler)
	e.Any("/*", echo.WrapHandler(pages()))
	return e
}

// tenants serves every tenant below a path of its own. The server looks at the
// whole path, so nothing is stripped; the pages get the rest.
func tenants(srv http.Handler) http.Handler {
	app := pages()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/tenants/") {
			srv.ServeHTTP(w, r)
			return
		}
		app.ServeHTTP(w, r)
	})
}

// proxy strips a prefix and passes on what clients see as the address. It replaces
// what a client wrote into these headers itself.
func proxy(prefix string, application *url.URL) http.Handler {
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(application)
			r.SetXForwarded()
			r.Out.Header.Set("X-Forwarded-Prefix", prefix)
		},
		// While the application is away, identity providers want to be told so in
		// their own language, and when to come back.
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			scim.WriteError(w, r, &scim.Error{
				Status: http.StatusServiceUnavailable, Detail: "the application cannot be reached", RetryAfter: 30 * time.Second,
			})
		},
	}
	return http.StripPrefix(prefix, p)
}
