package scim

import (
	"net/http"
	"strconv"
	"strings"
)

// Mount puts a server in front of a host's other routes: requests below prefix,
// such as "/scim/v2", go to srv without the prefix, all others to next. nil for next
// answers them 404. Mount panics when the prefix does not begin with a slash.
//
// Any mux can carry a server behind [http.StripPrefix]. What Mount adds is that
// nobody touches the path before: [http.ServeMux] cleans paths and redirects to the
// clean one, and identity providers that end their base URL in a slash, and so ask
// for "/scim/v2//Users", do not follow redirects of a POST.
func Mount(prefix string, srv http.Handler, next http.Handler) http.Handler {
	if !strings.HasPrefix(prefix, "/") {
		panic("scim: Mount: the prefix " + strconv.Quote(prefix) + " must begin with a slash")
	}
	prefix = strings.TrimRight(prefix, "/")
	if next == nil {
		next = http.NotFoundHandler()
	}
	stripped := http.StripPrefix(prefix, srv)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, prefix); ok && (rest == "" || rest[0] == '/') {
			stripped.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
