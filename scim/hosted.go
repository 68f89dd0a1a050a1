package scim

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/musterhq/muster/scim/patch"
	"github.com/musterhq/muster/storage"
)

// hosted is a host's handler as the server calls it: each call is bounded in time, a
// panic is an error, and what comes back is of the right kind.
type hosted struct {
	ResourceHandler
	typ   *Type
	limit time.Duration
}

// abilities are what a handler can do besides Get and List; those that it cannot
// are nil.
type abilities struct {
	create  Creator
	replace Replacer
	patch   Patcher
	delete  Deleter
	adopt   Adopter
	link    Linker
	edit    LinkEditor
	label   Labeler
	owned   Owned
}

func (h *hosted) abilities() (a abilities) {
	set(&a.create, h)
	set(&a.replace, h)
	set(&a.patch, h)
	set(&a.delete, h)
	set(&a.adopt, h)
	set(&a.link, h)
	set(&a.edit, h)
	set(&a.label, h)
	set(&a.owned, h)
	return a
}

// set gives an ability by way of h to a handler that has it.
func set[A any](ability *A, h *hosted) {
	if _, ok := h.ResourceHandler.(A); ok {
		*ability = any(h).(A)
	}
}

func (h *hosted) Get(ctx context.Context, tenant, id string) (*Resource, error) {
	return ask(ctx, h, func(ctx context.Context) (*Resource, error) {
		r, err := h.fit(h.ResourceHandler.Get(ctx, tenant, id))
		if err == nil && r.ID() != id {
			err = ErrNotFound // "007" is not 7, nor "ADA" ada, whatever a database thinks
		}
		return r, err
	})
}

func (h *hosted) List(ctx context.Context, req *ListRequest) (*ListPage, error) {
	return ask(ctx, h, func(ctx context.Context) (*ListPage, error) {
		page, err := h.ResourceHandler.List(ctx, req)
		switch {
		case err != nil:
			return nil, err
		case page == nil:
			return nil, errForeignType
		}
		if page.Total < len(page.Resources) && !(page.Total == UnknownTotal && req.After != nil) {
			return nil, errForeignPage
		}
		for _, r := range page.Resources {
			if _, err := h.fit(r, nil); err != nil {
				return nil, err
			}
		}
		return page, nil
	})
}

func (h *hosted) Create(ctx context.Context, tenant string, r *Resource) (*Resource, error) {
	return ask(ctx, h, func(ctx context.Context) (*Resource, error) {
		return h.fit(h.ResourceHandler.(Creator).Create(ctx, tenant, r))
	})
}

func (h *hosted) Replace(ctx context.Context, tenant string, r *Resource) (*Resource, error) {
	return ask(ctx, h, func(ctx context.Context) (*Resource, error) {
		kept, err := h.ResourceHandler.(Replacer).Replace(ctx, tenant, r)
		return h.kept(r.ID(), kept, err)
	})
}

func (h *hosted) Patch(ctx context.Context, tenant, id string, ops []patch.Operation, ifVersion string) (*Resource, error) {
	return ask(ctx, h, func(ctx context.Context) (*Resource, error) {
		kept, err := h.ResourceHandler.(Patcher).Patch(ctx, tenant, id, ops, ifVersion)
		return h.kept(id, kept, err)
	})
}

func (h *hosted) Adopt(ctx context.Context, tenant string, r *Resource, from, to string) (*Resource, error) {
	return ask(ctx, h, func(ctx context.Context) (*Resource, error) {
		kept, err := h.ResourceHandler.(Adopter).Adopt(ctx, tenant, r, from, to)
		return h.kept(r.ID(), kept, err)
	})
}

func (h *hosted) Delete(ctx context.Context, tenant, id, ifVersion string) error {
	_, err := ask(ctx, h, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.ResourceHandler.(Deleter).Delete(ctx, tenant, id, ifVersion)
	})
	return err
}

func (h *hosted) Links(ctx context.Context, q *storage.LinkQuery) ([]storage.Link, error) {
	return ask(ctx, h, func(ctx context.Context) ([]storage.Link, error) {
		links, err := h.ResourceHandler.(Linker).Links(ctx, q)
		if err == nil && !answers(links, q) {
			err = errForeignLinks
		}
		return links, err
	})
}

func (h *hosted) EditLinks(ctx context.Context, w *LinkedWrite) (*LinkedResult, error) {
	return ask(ctx, h, func(ctx context.Context) (*LinkedResult, error) {
		res, err := h.ResourceHandler.(LinkEditor).EditLinks(ctx, w)
		switch {
		case err != nil:
			return nil, err
		case res == nil || len(res.Links) != len(w.Edits):
			return nil, errForeignLinks
		}
		_, err = h.kept(w.ID, res.Resource, nil)
		return res, err
	})
}

func (h *hosted) Labels(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	return ask(ctx, h, func(ctx context.Context) (map[string]string, error) {
		return h.ResourceHandler.(Labeler).Labels(ctx, tenant, ids)
	})
}

func (h *hosted) Owners(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	return ask(ctx, h, func(ctx context.Context) (map[string]string, error) {
		return h.ResourceHandler.(Owned).Owners(ctx, tenant, ids)
	})
}

// fit finds what is wrong with a resource of the handler's making.
func (h *hosted) fit(r *Resource, err error) (*Resource, error) {
	if err == nil {
		if r == nil || r.Type() != h.typ || r.ID() == "" {
			err = errForeignType
		} else if wrong := r.Err(); wrong != nil {
			err = &misbuilt{wrong}
		}
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// kept finds what is wrong with what a write of the resource id returned; id is "" when
// the handler assigns it.
func (h *hosted) kept(id string, r *Resource, err error) (*Resource, error) {
	if r, err = h.fit(r, err); err == nil && id != "" && r.ID() != id {
		return nil, errForeignID
	}
	return r, err
}

// answers reports whether links can be the answer to q: in its order and within its
// limit.
func answers(links []storage.Link, q *storage.LinkQuery) bool {
	of, n := 0, 0
	for i, l := range links {
		for of < len(q.Of) && q.Of[of] != l.Of {
			of, n = of+1, 0
		}
		n++
		if of == len(q.Of) || q.Limit > 0 && n > q.Limit || n > 1 && links[i-1].To.Compare(l.To) >= 0 || l.To.Compare(q.After) <= 0 {
			return false
		}
	}
	return true
}

var (
	errForeignID    = errors.New("the handler was to write one resource and returned another one")
	errForeignPage  = errors.New("the handler returned a page with more resources than its total")
	errForeignLinks = errors.New("the handler returned links that nobody asked for, or out of order (see Linker)")
	errNoReturn     = errors.New("the handler ended its goroutine")
)

// afterLimit is how much longer a call is waited for when its context has ended: what
// a handler that minds its context says then is worth more than that it was late.
const afterLimit = time.Second

// ask makes a call to the host's code. It runs in a goroutine of its own, which is
// left behind if it never returns, so that the request at least is answered.
func ask[T any](ctx context.Context, h *hosted, call func(context.Context) (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	ctx, cancel := context.WithTimeout(ctx, h.limit)
	defer cancel()
	done := make(chan answer, 1)
	go func() {
		a := answer{err: errNoReturn}
		defer func() {
			if v := recover(); v != nil {
				a = answer{err: &hostPanic{v, debug.Stack()}}
			}
			done <- a
		}()
		a.v, a.err = call(ctx)
	}()
	late := time.NewTimer(h.limit + afterLimit)
	defer late.Stop()
	select {
	case a := <-done:
		if a.err != nil {
			a.err = fmt.Errorf("handler of %s: %w", h.typ.Name(), a.err)
		}
		return a.v, a.err
	case <-late.C:
		var none T
		return none, fmt.Errorf("handler of %s: it did not return within %v: %w", h.typ.Name(), h.limit, context.DeadlineExceeded)
	}
}

// misbuilt is the error of a handler's resource that was built with mistakes. It is
// not the client's: so it does not unwrap.
type misbuilt struct{ err error }

func (e *misbuilt) Error() string { return "the resource was built with mistakes: " + e.err.Error() }

// hostPanic is a panic of the host's code.
type hostPanic struct {
	value any
	stack []byte
}

func (p *hostPanic) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }
