package scim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/scim/resource"
)

// One function for each operation of RFC 7644 section 3 on resources: decode,
// run, answer.

func (x *exchange) getResource(e *endpoint, id string) error {
	ctx, err := x.begin(Get, e, id)
	if err != nil {
		return err
	}
	x.op.Projection = x.query.projection(e.typ)
	res, err := x.run(ctx)
	if err != nil {
		return err
	}
	if res.Unchanged {
		x.resourceHeaders(res)
		x.status(http.StatusNotModified)
		return nil
	}
	return x.writeResource(http.StatusOK, res)
}

func (x *exchange) listResources(e *endpoint) error {
	ctx, err := x.begin(List, e, "")
	if err != nil {
		return err
	}
	return x.listType(ctx, e)
}

func (x *exchange) createResource(e *endpoint) error {
	ctx, err := x.begin(Create, e, "")
	if err != nil {
		return err
	}
	if err := x.decodeResource(e); err != nil {
		return err
	}
	x.prefer(false)
	res, err := x.run(ctx)
	if err != nil {
		return err
	}
	return x.answer(http.StatusCreated, http.StatusCreated, res)
}

func (x *exchange) replaceResource(e *endpoint, id string) error {
	ctx, err := x.begin(Replace, e, id)
	if err != nil {
		return err
	}
	if err := x.decodeResource(e); err != nil {
		return err
	}
	x.prefer(false)
	res, err := x.run(ctx)
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, http.StatusNoContent, res)
}

func (x *exchange) patchResource(e *endpoint, id string) error {
	ctx, err := x.begin(Patch, e, id)
	if err != nil {
		return err
	}
	err = x.body(func(data []byte) error { return x.s.decodePatch(e, &x.op, data) })
	if err != nil {
		return err
	}
	x.prefer(!x.namesAttributes() && x.s.patchedSilently(e))
	x.op.Projection = x.query.projection(e.typ, e.requested(func(p Path) bool { return x.op.Patch.Touches(p) })...)
	res, err := x.run(ctx)
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, http.StatusNoContent, res)
}

// answer answers a write, with the resource or without a body.
func (x *exchange) answer(withBody, without int, res *Result) error {
	if x.op.NoContent {
		x.resourceHeaders(res)
		x.status(without)
		return nil
	}
	return x.writeResource(withBody, res)
}

func (x *exchange) deleteResource(e *endpoint, id string) error {
	ctx, err := x.begin(Delete, e, id)
	if err != nil {
		return err
	}
	if _, err := x.run(ctx); err != nil {
		return err
	}
	x.status(http.StatusNoContent)
	return nil
}

func (s *Server) patchedSilently(e *endpoint) bool {
	return slices.Contains(s.patchNoContent, e.typ.Name())
}

// decodeResource reads the body of a POST or PUT.
func (x *exchange) decodeResource(e *endpoint) error {
	err := x.body(func(data []byte) error { return x.s.decodeBody(e, &x.op, data) })
	if err != nil {
		return err
	}
	x.op.Projection = x.query.projection(e.typ, e.requested(func(p Path) bool { return !x.op.Resource.Get(p).IsZero() })...)
	return nil
}

// decodeBody reads a resource into an operation that creates or replaces.
func (s *Server) decodeBody(e *endpoint, op *Operation, data []byte) error {
	decoded, err := resource.Decode(e.typ, data, resource.DecodeOptions{
		Repair: op.call.session.Repair(), MaxDepth: s.limits.Depth,
		MaxMembers: s.limits.Members, RejectUnknown: s.rejectUnknown,
		Inverses: s.linksBackwards(op.Principal),
	})
	if err != nil {
		return err
	}
	for _, name := range decoded.Ignored {
		op.call.ignored(name)
	}
	op.Resource = op.call.session.Resource(e.typ, decoded.Resource)
	op.Relations = decoded.Relations
	s.ignoreMembers(e, op)
	return nil
}

// decodePatch reads a PATCH request into an operation.
func (s *Server) decodePatch(e *endpoint, op *Operation, data []byte) (err error) {
	op.Patch, err = patch.Parse(e.typ, data, patch.ParseOptions{
		Tolerance: op.call.session.Patch(), MaxOperations: s.limits.Operations,
		MaxMembers: s.limits.Members, MaxDepth: s.limits.Depth,
		Inverses: s.linksBackwards(op.Principal),
	})
	if err != nil {
		return err
	}
	for _, name := range op.Patch.Ignored {
		op.call.ignored(name)
	}
	s.ignoreMembers(e, op)
	return nil
}

// status answers without a body.
func (x *exchange) status(code int) {
	x.w.Header()["Cache-Control"] = noStore
	x.written = true
	x.w.WriteHeader(code)
}

// resourceHeaders sets what every answer about a single resource carries: ETag and
// Location (RFC 7644 sections 3.1 and 3.14).
func (x *exchange) resourceHeaders(res *Result) {
	if res.Resource == nil {
		return
	}
	// Both values are cut from one string.
	version := res.Resource.Meta().Version
	var room [256]byte
	b := append(room[:0], `W/"`...)
	b = append(b, version...)
	b = append(b, '"')
	n := len(b)
	b = resource.AppendLocation(b, x.baseURL(), x.endpoint.typ.Endpoint(), res.Resource.ID())
	both := string(b)
	h := x.w.Header()
	if version != "" {
		x.headers[0] = both[:n]
		h["Etag"] = x.headers[0:1:1]
	}
	x.headers[1] = both[n:]
	h["Location"] = x.headers[1:2:2]
}

func (x *exchange) writeResource(code int, res *Result) error {
	x.resourceHeaders(res)
	view := x.view()
	view.Relations = res.Relations
	buf := bufferPool.Get().(*[]byte)
	b, err := x.appendResource(code, (*buf)[:0], res.Resource, &view)
	if err == nil {
		x.end(code, b)
	}
	release(buf, b)
	return err
}

func (x *exchange) view() resource.View {
	return resource.View{Projection: x.op.Projection, BaseURL: x.baseURL(), Endpoint: x.s.endpointPath}
}

func (x *exchange) write(code int, body []byte) {
	h := x.w.Header()
	h["Content-Type"] = contentType(x.r)
	h["Cache-Control"] = noStore
	x.headers[2] = strconv.Itoa(len(body))
	h["Content-Length"] = x.headers[2:3:3]
	x.written = true
	x.w.WriteHeader(code)
	if x.r.Method != http.MethodHead {
		x.w.Write(body)
	}
}
