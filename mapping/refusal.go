package mapping

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/musterhq/muster/scim"
)

// refusal is why a value of a client does not fit a field.
type refusal struct {
	path   string // of the part that is wrong, "" for the field's own
	detail string // what the client reads behind the path
	cause  error  // for the host's log, nil when detail says it all
}

func (r *refusal) Error() string {
	if r.cause != nil {
		return r.detail + ": " + r.cause.Error()
	}
	return r.detail
}

func (r *refusal) Unwrap() error { return r.cause }

func refuse(format string, args ...any) error { return &refusal{detail: fmt.Sprintf(format, args...)} }

// errSetBefore is why a field that is written once refused a value.
var errSetBefore = errors.New("it holds another value already")

// refusals gathers what is wrong with a resource.
type refusals struct {
	scimType string
	answer   *scim.Error // one of the host's own, which is answered alone
	details  []string
	causes   []error
}

// add notes that err was the outcome of giving a client's value to a field.
func (r *refusals) add(f FieldInfo, err error) {
	var own *scim.Error
	if errors.As(err, &own) {
		if r.answer == nil {
			r.answer = own
		}
		return
	}
	path, detail := f.Target.String(), "has a value that is not accepted"
	var known *refusal
	if errors.As(err, &known) {
		detail = known.detail
		if known.path != "" {
			path = known.path
		}
	}
	r.note(scim.InvalidValue, f, path+" "+detail, err)
}

func (r *refusals) note(scimType string, f FieldInfo, detail string, cause error) {
	if r.scimType == "" {
		r.scimType = scimType
	}
	r.details = append(r.details, detail)
	r.causes = append(r.causes, fmt.Errorf("mapping: field %s (%s): %w", f.Name, f.Target, cause))
}

// err is nil when nothing was added.
func (r *refusals) err() error {
	switch {
	case r.answer != nil:
		return r.answer
	case len(r.details) == 0:
		return nil
	}
	return scim.Errorf(http.StatusBadRequest, r.scimType, "%s", strings.Join(r.details, "; ")).
		WithCause(errors.Join(r.causes...))
}
