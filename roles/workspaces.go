package roles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// WorkspaceName is a workspace that groups lead to: by its name, as the convention
// does, or by the host's id, as rows do.
type WorkspaceName struct {
	// Name is the first spelling that was met, and Key its folded form; both empty for
	// one that is pending by its id.
	Name string `json:"name,omitempty"`
	Key  string `json:"key,omitempty"`
	// ID is the host's id; empty while a name has none.
	ID string `json:"id,omitempty"`
}

// nameID is the id of the record about a name.
func nameID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "name:" + hex.EncodeToString(sum[:])
}

func goneID(workspace string) string { return "gone:" + workspace }

// askWorkspaces asks the host about workspaces that it was not asked about. asked
// reports whether something is known now that was not.
func (r *Reconciler) askWorkspaces(ctx context.Context, tenant string, pending []Pending) (asked bool, err error) {
	for _, p := range pending {
		if p.Key == "" || p.Refused {
			continue
		}
		var id string
		err := ErrRefused
		if r.workspaces != nil {
			err = calling(func() (err error) { id, err = r.workspaces(ctx, tenant, p.Name); return err })
		}
		switch {
		case errors.Is(err, ErrRefused):
			id = ""
		case err == nil && id == "":
			return asked, errApply{errors.New("roles: the host gave no id for a workspace")}
		case err != nil:
			return asked, errApply{err}
		}
		if err := r.bind(ctx, tenant, WorkspaceName{Name: p.Name, Key: p.Key, ID: id}); err != nil {
			return asked, err
		}
		asked = true
	}
	return asked, nil
}

// bind keeps the host's answer about a name.
func (r *Reconciler) bind(ctx context.Context, tenant string, w WorkspaceName) error {
	return r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		if id, ok := v.spaces.Bound[w.Key]; ok && id == w.ID || w.ID == "" && v.spaces.Refused[w.Key] {
			return nil
		}
		k, err := r.kinds.workspaces.Get(ctx, r.store, tenant, nameID(w.Key))
		if err != nil {
			return err
		}
		k.Value = workspaceState{WorkspaceName: w, Unasked: r.workspaces == nil}
		put, err := r.kinds.workspaces.Put(k, b.Time)
		b.Puts = append(b.Puts, put)
		return err
	})
}

// Workspaces returns workspaces that groups lead to, behind one of them and at most
// limit, 0 meaning 100. after is the last of the page before, zero for the first page.
// They are those that groups name by the convention and the host has, or with pending
// those that the host does not have: names that it refused or that nobody was there to
// ask about, and ids that rows lead to and that were said to be gone
// ([Reconciler.WorkspaceDeleted]).
func (r *Reconciler) Workspaces(ctx context.Context, tenant string, pending bool, after WorkspaceName, limit int) ([]WorkspaceName, error) {
	v, err := r.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	word, behind := "bound", ""
	if pending {
		word = "pending"
	}
	switch {
	case after.Key != "":
		behind = nameID(after.Key)
	case after.ID != "":
		behind = goneID(after.ID)
	}
	limit = limitOr(limit)
	var out []WorkspaceName
	for {
		page, err := r.kinds.workspaces.List(ctx, r.store, tenant, behind, r.page, word)
		if err != nil {
			return nil, err
		}
		for _, k := range page {
			behind = k.ID
			if k.Value.Gone && !v.mapped(Workspace(k.Value.ID)) {
				continue
			}
			if out = append(out, k.Value.WorkspaceName); len(out) == limit {
				return out, nil
			}
		}
		if len(page) < r.page {
			return out, nil
		}
	}
}

// RetryWorkspace asks the host again about a workspace that it refused, the next
// time that a group names it, and looks at those groups now. name is any spelling.
func (r *Reconciler) RetryWorkspace(ctx context.Context, tenant, name string) error {
	return r.setWorkspace(ctx, tenant, name, "")
}

// BindWorkspace says that the host has a workspace for a name now: the groups that
// name it give roles in it, without the host being asked.
func (r *Reconciler) BindWorkspace(ctx context.Context, tenant, name, id string) error {
	if id == "" {
		return errors.New("roles: BindWorkspace needs the id of a workspace")
	}
	return r.setWorkspace(ctx, tenant, name, id)
}

func (r *Reconciler) setWorkspace(ctx context.Context, tenant, name, id string) error {
	name = strings.TrimSpace(name)
	key := schema.Fold(name)
	if key == "" {
		return errors.New("roles: the name of a workspace is empty")
	}
	err := r.edit(ctx, tenant, func(_ *view, _ *control, b *storage.Batch) error {
		k, err := r.kinds.workspaces.Get(ctx, r.store, tenant, nameID(key))
		if err != nil {
			return err
		}
		if id == "" {
			if k.Version > 0 && k.Value.ID == "" {
				b.Deletes = append(b.Deletes, r.kinds.workspaces.Delete(k))
			}
			return nil
		}
		k.Value.Key, k.Value.ID, k.Value.Unasked = key, id, false
		if k.Value.Name == "" {
			k.Value.Name = name
		}
		put, err := r.kinds.workspaces.Put(k, b.Time)
		b.Puts = append(b.Puts, put)
		if err != nil {
			return err
		}
		return r.notGone(ctx, tenant, id, b)
	})
	if err != nil {
		return err
	}
	return r.kinds.groups.Each(ctx, r.store, tenant, func(k kept.State[groupState]) error {
		return r.addTodo(ctx, tenant, todo{Kind: todoGroup, ID: k.ID})
	}, "workspace="+key)
}

// notGone takes back that a workspace is gone.
func (r *Reconciler) notGone(ctx context.Context, tenant, id string, b *storage.Batch) error {
	g, err := r.kinds.workspaces.Get(ctx, r.store, tenant, goneID(id))
	if err == nil && g.Version > 0 {
		b.Deletes = append(b.Deletes, r.kinds.workspaces.Delete(g))
	}
	return err
}

// WorkspaceDeleted says that the host deleted a workspace: what we know of roles in
// it is forgotten without calls of the [Applier]. Rows that lead to it stay, and
// give nothing until [Reconciler.WorkspaceRestored]; names that led to it wait as if
// the host had refused them, until [Reconciler.RetryWorkspace] or
// [Reconciler.BindWorkspace]. [Reconciler.Workspaces] lists both as pending. A host
// whose customers add rows for a workspace that it has yet to make says so in the
// same way.
func (r *Reconciler) WorkspaceDeleted(ctx context.Context, tenant, id string) error {
	if id == "" {
		return errors.New("roles: the id of a workspace is empty")
	}
	err := r.edit(ctx, tenant, func(v *view, _ *control, b *storage.Batch) error {
		if v.spaces.Gone[id] {
			return nil
		}
		k, err := r.kinds.workspaces.Get(ctx, r.store, tenant, goneID(id))
		if err != nil {
			return err
		}
		k.Value = workspaceState{WorkspaceName: WorkspaceName{ID: id}, Gone: true}
		put, err := r.kinds.workspaces.Put(k, b.Time)
		if err != nil {
			return err
		}
		b.Puts = append(b.Puts, put)
		for key, bound := range v.spaces.Bound {
			if bound != id {
				continue
			}
			k, err := r.kinds.workspaces.Get(ctx, r.store, tenant, nameID(key))
			if err != nil {
				return err
			}
			k.Value.ID, k.Value.Unasked = "", false // until somebody asks for it to be tried again
			put, err := r.kinds.workspaces.Put(k, b.Time)
			if err != nil {
				return err
			}
			b.Puts = append(b.Puts, put)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.addTodo(ctx, tenant, todo{Kind: todoStates, ID: scopeWord(Workspace(id))})
}

// WorkspaceRestored says that a workspace that was deleted is there again: rows that
// lead to it count, and users are looked at again.
func (r *Reconciler) WorkspaceRestored(ctx context.Context, tenant, id string) error {
	err := r.edit(ctx, tenant, func(_ *view, _ *control, b *storage.Batch) error {
		return r.notGone(ctx, tenant, id, b)
	})
	if err != nil {
		return err
	}
	return r.addTodo(ctx, tenant, todo{Kind: todoAll})
}

// calling calls code of the host, whose panic is an error.
func calling(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("roles: the host's code panicked: %v", v)
		}
	}()
	return f()
}
