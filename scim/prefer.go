package scim

import (
	"net/http"
	"strings"
)

// What a write is to be answered with (RFC 7240 section 4.2).
const (
	returnMinimal        = "minimal"
	returnRepresentation = "representation"
)

// preferredReturn is the preference "return" of a request, "" without one. Of
// several the first counts, and of values only those that are known.
func preferredReturn(h http.Header) string {
	for _, line := range h["Prefer"] {
		for preference := range strings.SplitSeq(line, ",") {
			preference, _, _ = strings.Cut(preference, ";") // parameters
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "return") {
				continue
			}
			switch strings.Trim(strings.TrimSpace(value), `"`) {
			case returnMinimal:
				return returnMinimal
			case returnRepresentation:
				return returnRepresentation
			}
			return ""
		}
	}
	return ""
}

// prefer decides whether a write is answered without a body, which silent says of
// requests that express no preference. A request that names attributes gets them
// whatever it prefers (RFC 7644 section 3.5.2).
func (x *exchange) prefer(silent bool) {
	x.op.NoContent = silent
	if x.r.Header["Prefer"] == nil {
		return
	}
	preferred := preferredReturn(x.r.Header)
	if preferred == "" || preferred == returnMinimal && x.namesAttributes() {
		return
	}
	x.op.NoContent = preferred == returnMinimal
	x.w.Header().Set("Preference-Applied", "return="+preferred)
}

func (x *exchange) namesAttributes() bool {
	return x.query.attributes != nil || x.query.excluded != nil
}
