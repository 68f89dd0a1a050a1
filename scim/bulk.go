package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/storage"
)

// A bulk request is worked off in units: an operation, or a circle of operations
// that refer to each other by bulkId. Each unit is one commit and stands alone;
// with [WithAtomicBulk] the whole request is one unit. Ids of new resources are
// assigned before anything is committed, so references forward and in circles are
// plain. A unit waits for those that it refers to; otherwise the order of the
// request is kept.

// bulk answers POST /Bulk (RFC 7644 section 3.7).
func (x *exchange) bulk() error {
	s := x.s
	if !s.writable() {
		return Errorf(http.StatusNotImplemented, "", "nothing can be changed here, so there is no bulk")
	}
	x.session = *s.dialectOf(x.principal).Session()
	x.call.session = &x.session
	if x.principal.ReadOnly {
		return Errorf(http.StatusForbidden, "", "these credentials may read and not change anything")
	}
	x.ctx = requestContext{x.r.Context(), &x.principal}
	var req *bulkRequest
	err := x.body(func(data []byte) (err error) {
		req, err = s.parseBulk(&x.call, slices.Clone(data))
		return err
	})
	if err != nil {
		return err
	}
	run := &bulkRun{x: x, req: req, byID: map[string]*bulkOp{}}
	run.prepare()
	switch committer, ok := storage.As[storage.BulkCommitter](s.store); {
	case s.atomicBulk:
		run.atomic(&x.ctx)
	case ok && run.mayWave():
		run.inWaves(&x.ctx, committer)
	default:
		run.inUnits(&x.ctx)
	}
	x.write(http.StatusOK, run.appendResponse(nil))
	return nil
}

// bulkRun is one bulk request while it is worked off.
type bulkRun struct {
	x      *exchange
	req    *bulkRequest
	byID   map[string]*bulkOp // POSTs by bulkId
	failed int
}

// prepare assigns ids and finds out which operations wait for which.
func (b *bulkRun) prepare() {
	last := map[string]int{} // the latest operation on each existing resource
	for _, op := range b.req.ops {
		if op.method == http.MethodPost && op.bulkID != "" && op.endpoint != nil {
			b.byID[op.bulkID] = op
			if op.endpoint.handler == nil {
				op.made = newID()
				op.plan.id = op.made
			}
		}
	}
	for _, op := range b.req.ops {
		if op.err != nil {
			continue
		}
		for _, ref := range op.refs {
			target := b.byID[ref]
			if target == nil {
				op.err = Errorf(http.StatusConflict, InvalidValue, "no operation of the request creates a resource with the bulkId that this one refers to")
				break
			}
			if target != op && !slices.Contains(op.after, target.index) {
				op.after = append(op.after, target.index)
			}
		}
		if op.method != http.MethodPost && op.endpoint != nil {
			key := op.endpoint.typ.Name() + "/" + op.id
			if i, ok := last[key]; ok && !slices.Contains(op.after, i) {
				op.after = append(op.after, i)
			}
			last[key] = op.index
		}
	}
}

// units are the strongly connected parts of "waits for", each behind those that it
// waits for, and otherwise in the order of the request. It is Tarjan's algorithm
// with a stack of its own, since a chain may be as long as the request.
func (b *bulkRun) units() (units [][]*bulkOp) {
	ops := b.req.ops
	index, low := make([]int, len(ops)), make([]int, len(ops)) // index 0: not visited
	open := make([]bool, len(ops))
	var stack []int
	type frame struct{ op, next int }
	var frames []frame
	visited := 0
	enter := func(v int) {
		visited++
		index[v], low[v], open[v] = visited, visited, true
		stack = append(stack, v)
		frames = append(frames, frame{op: v})
	}
	for root := range ops {
		if index[root] != 0 {
			continue
		}
		enter(root)
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			v := f.op
			if f.next < len(ops[v].after) {
				w := ops[v].after[f.next]
				f.next++
				if index[w] == 0 {
					enter(w)
				} else if open[w] {
					low[v] = min(low[v], index[w])
				}
				continue
			}
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				parent := frames[len(frames)-1].op
				low[parent] = min(low[parent], low[v])
			}
			if low[v] == index[v] {
				i := slices.Index(stack, v)
				var unit []*bulkOp
				for _, w := range stack[i:] {
					open[w] = false
					unit = append(unit, ops[w])
				}
				stack = stack[:i]
				slices.SortFunc(unit, func(a, b *bulkOp) int { return a.index - b.index })
				units = append(units, unit)
			}
		}
	}
	return units
}

// inUnits works the units off one after the other.
func (b *bulkRun) inUnits(ctx context.Context) {
	for _, unit := range b.units() {
		if b.enough() {
			return
		}
		if !b.refuse(unit) {
			b.work(ctx, unit)
		}
	}
}

// work works one unit off.
func (b *bulkRun) work(ctx context.Context, unit []*bulkOp) {
	if len(unit) > 1 {
		b.together(ctx, unit)
		return
	}
	op := unit[0]
	op.plan.over = nil
	op.result, op.err = b.run(ctx, op)
	b.settle(op)
}

// atomic works the whole request off as one unit.
func (b *bulkRun) atomic(ctx context.Context) {
	var order []*bulkOp
	for _, unit := range b.units() {
		order = append(order, unit...)
	}
	if !b.refuse(order) {
		b.together(ctx, order)
	}
}

// enough reports whether so many operations have failed that the client wants no
// more.
func (b *bulkRun) enough() bool { return b.req.failOnErrors > 0 && b.failed >= b.req.failOnErrors }

// refuse settles a unit that cannot be worked off: an operation of it is wrong in
// itself, or refers to one that failed.
func (b *bulkRun) refuse(unit []*bulkOp) bool {
	for _, op := range unit {
		if op.err != nil {
			b.fail(unit, op, op.err)
			return true
		}
		for _, ref := range op.refs {
			if target := b.byID[ref]; target.done && target.err != nil {
				b.fail(unit, op, Errorf(http.StatusConflict, InvalidValue, "the operation that creates the resource with the bulkId that this one refers to has failed"))
				return true
			}
		}
		if len(unit) > 1 && op.endpoint.handler != nil {
			b.fail(unit, op, Errorf(http.StatusConflict, "", "%s resources are kept by another system and cannot take part in operations that must succeed or fail together", op.endpoint.typ.Name()))
			return true
		}
	}
	return false
}

// fail settles all operations of a unit, of which one is to blame.
func (b *bulkRun) fail(unit []*bulkOp, culprit *bulkOp, err error) {
	for _, op := range unit {
		if op != culprit && op.err == nil {
			op.err = Errorf(http.StatusConflict, "", "nothing was done, because operation %d, which must succeed together with this one, failed", culprit.index+1)
		}
	}
	culprit.err = err
	for _, op := range unit {
		b.settle(op)
	}
}

// settle notes that an operation is done with.
func (b *bulkRun) settle(op *bulkOp) {
	op.done = true
	if op.ran != nil {
		b.x.s.tell(&b.x.ctx, op.ran, op.call, op.result, op.err)
	}
	if op.err != nil {
		b.failed++
		op.result = nil
		return
	}
	if op.method == http.MethodPost {
		op.made = op.result.Resource.ID()
	}
}

// together works a unit out in an overlay and commits it as one batch.
func (b *bulkRun) together(ctx context.Context, unit []*bulkOp) {
	s := b.x.s
	var culprit *bulkOp
	_, err := s.retry(ctx, &Operation{Type: unit[0].endpoint.typ, Principal: b.x.principal}, func(ctx context.Context, st storage.Store) (*Result, error) {
		over := newOverlay(st, b.x.principal.Tenant)
		var err error
		if culprit, err = b.stage(ctx, over, unit); err != nil {
			var meant *meansAnother
			if errors.As(err, &meant) {
				culprit.made, culprit.plan.id, culprit.plan.adopts = meant.id, meant.id, true
			}
			return nil, err
		}
		err = s.commitOverlay(ctx, st, b.x.principal, over)
		var back *revival
		var failed *storage.CommitError
		switch {
		case errors.As(err, &back):
			for _, op := range unit {
				if op.method == http.MethodPost && op.made == over.revived.ID {
					op.made = back.tombstone.ID
					op.plan.id, op.plan.tombstone = op.made, back.tombstone
				}
			}
			return nil, storage.ErrConflict // once more, with the old ids
		case errors.As(err, &failed):
			for _, op := range unit {
				if op.result.Resource.ID() == failed.Ref.ID && op.endpoint.typ.Name() == failed.Ref.Type {
					culprit = op
				}
			}
		}
		return nil, err
	})
	if err != nil {
		if culprit == nil {
			culprit = unit[0]
		}
		b.fail(unit, culprit, err)
		return
	}
	for _, op := range unit {
		b.settle(op)
	}
}

// run runs one operation, through interceptors as any other.
func (b *bulkRun) run(ctx context.Context, op *bulkOp) (*Result, error) {
	x := b.x
	resolve := func(ref string) (string, bool) {
		target := b.byID[ref]
		if target == nil {
			return "", false
		}
		return target.made, true
	}
	o := &Operation{
		Type: op.endpoint.typ, Principal: x.principal, Bulk: true, Request: x.r,
		IfMatch: op.version, NoContent: true, plan: &op.plan,
		call: &call{session: x.s.dialectOf(x.principal).Session()},
	}
	op.ran, op.call = o, o.call
	o.ID, _ = replaceInText(op.id, resolve)
	data := replaceReferences(op.data, resolve)
	switch op.method {
	case http.MethodPost:
		o.Method, o.ID, o.IfMatch = Create, "", ""
	case http.MethodPut:
		o.Method = Replace
	case http.MethodPatch:
		o.Method = Patch
	case http.MethodDelete:
		o.Method = Delete
	}
	if !op.endpoint.allows(o.Method) {
		return nil, x.s.notAllowed(op.endpoint, o.Method)
	}
	var err error
	switch o.Method {
	case Create, Replace:
		err = x.s.decodeBody(op.endpoint, o, data)
	case Patch:
		err = x.s.decodePatch(op.endpoint, o, data)
	}
	if err != nil {
		return nil, err
	}
	res, err := x.s.chain(ctx, o)
	if err == nil && (res == nil || res.Resource == nil) {
		err = errNoResult
	}
	return res, err
}

// appendResponse writes the BulkResponse (RFC 7644 section 3.7.3): the operations
// that were tried, in the order of the request.
func (b *bulkRun) appendResponse(dst []byte) []byte {
	dst = append(dst, `{"schemas":["`+bulkResponseURN+`"],"Operations":[`...)
	first := true
	for _, op := range b.req.ops {
		if !op.done {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = b.appendEntry(dst, op)
	}
	return append(dst, `]}`...)
}

func (b *bulkRun) appendEntry(dst []byte, op *bulkOp) []byte {
	dst = append(dst, `{"method":`...)
	dst = appendJSONString(dst, op.method)
	if op.bulkID != "" {
		dst = append(dst, `,"bulkId":`...)
		dst = appendJSONString(dst, op.bulkID)
	}
	location := ""
	if op.endpoint != nil {
		id := op.made
		if op.method != http.MethodPost {
			id, _ = replaceInText(op.id, func(ref string) (string, bool) {
				target := b.byID[ref]
				return target.madeID(), target != nil && target.done && target.err == nil
			})
		}
		if id != "" && !strings.HasPrefix(id, bulkScheme) && (op.err == nil || op.method != http.MethodPost) {
			location = resource.Location(b.x.baseURL(), op.endpoint.typ.Endpoint(), id)
		}
	}
	if location != "" {
		dst = append(dst, `,"location":`...)
		dst = appendJSONString(dst, location)
	}
	status := http.StatusOK
	switch {
	case op.err != nil:
		e := b.x.s.toError(op.err)
		b.x.s.logFailure(b.x.r, e, op.err)
		dst = append(dst, `,"status":"`...)
		dst = strconv.AppendInt(dst, int64(e.Status), 10)
		dst = append(dst, `","response":`...)
		return append(e.appendJSON(dst), '}')
	case op.method == http.MethodPost:
		status = http.StatusCreated
	case op.method == http.MethodDelete, op.method == http.MethodPatch && b.x.s.patchedSilently(op.endpoint):
		status = http.StatusNoContent
	}
	if v := op.result.Resource.Meta().Version; v != "" && op.method != http.MethodDelete {
		dst = append(dst, `,"version":`...)
		dst = appendJSONString(dst, `W/"`+v+`"`)
	}
	dst = append(dst, `,"status":"`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	return append(dst, `"}`...)
}

func (op *bulkOp) madeID() string {
	if op == nil {
		return ""
	}
	return op.made
}
