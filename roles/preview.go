package roles

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/musterhq/muster/scim"
)

// Proposal is a change of the table or the settings that is thought about.
type Proposal struct {
	// Settings replace those of the tenant, unless nil.
	Settings *Settings `json:"settings,omitempty"`
	// Add are rows as for [Reconciler.AddRow], Remove ids of rows to remove with
	// [Revoke].
	Add    []Row    `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// Preview yields the changes that a proposal would make, user by user, in the order
// of their ids: what is not in step yet is among it. Limits and last holders are not
// counted, and names of workspaces that the host was not asked about give nothing:
// [Reconciler.PreviewWorkspaces] lists these. Nothing is changed.
func (r *Reconciler) Preview(ctx context.Context, tenant string, p Proposal) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		v, err := r.propose(ctx, tenant, p)
		if err != nil {
			yield(Change{}, err)
			return
		}
		err = r.eachUser(ctx, tenant, func(users []string) error {
			for _, id := range users {
				st, err := r.kinds.users.Get(ctx, r.store, tenant, id)
				if err != nil {
					return err
				}
				d, err := r.look(ctx, tenant, v, id, &st.Value)
				if err != nil {
					return err
				}
				for _, c := range d.changes {
					if !yield(c, nil) {
						return errStop
					}
				}
			}
			return nil
		})
		if err != nil && err != errStop {
			yield(Change{}, err)
		}
	}
}

// PreviewWorkspaces yields the names of workspaces that the host would be asked about for
// the first time because of a proposal, in the spelling and order in which groups, by id,
// name them. What roles they would give, [Reconciler.Preview] says once the host has said
// which workspaces they are ([Reconciler.BindWorkspace]). Nobody is asked and nothing is
// changed.
func (r *Reconciler) PreviewWorkspaces(ctx context.Context, tenant string, p Proposal) iter.Seq2[WorkspaceName, error] {
	return func(yield func(WorkspaceName, error) bool) {
		v, err := r.propose(ctx, tenant, p)
		if err != nil {
			yield(WorkspaceName{}, err)
			return
		}
		seen, after := map[string]bool{}, ""
		for {
			page, err := r.dir.List(ctx, tenant, "Group", "", after, r.page)
			if err != nil {
				yield(WorkspaceName{}, err)
				return
			}
			for _, e := range page {
				after = e.Resource.ID()
				g, ok, err := r.group(ctx, tenant, after)
				if err != nil {
					yield(WorkspaceName{}, err)
					return
				}
				if !ok {
					continue // deleted meanwhile
				}
				for _, w := range v.rules.Group(g, v.table, v.spaces).Pending {
					if w.Key == "" || w.Refused || seen[w.Key] {
						continue
					}
					seen[w.Key] = true
					if !yield(WorkspaceName{Name: w.Name, Key: w.Key}, nil) {
						return
					}
				}
			}
			if len(page) < r.page {
				return
			}
		}
	}
}

// eachUser calls f for all users, and for those whom the host was told of and who are
// gone, page by page.
func (r *Reconciler) eachUser(ctx context.Context, tenant string, f func([]string) error) error {
	var p pass
	for done := false; !done; {
		var users []string
		var err error
		if users, done, err = r.userPage(ctx, tenant, &p); err != nil {
			return err
		}
		if err := f(users); err != nil {
			return err
		}
	}
	p = pass{}
	for done := false; !done; {
		var users []string
		var err error
		if users, done, err = r.gonePage(ctx, tenant, &p); err != nil {
			return err
		}
		if err := f(users); err != nil {
			return err
		}
	}
	return nil
}

// propose returns the view as it would be.
func (r *Reconciler) propose(ctx context.Context, tenant string, p Proposal) (*view, error) {
	now, err := r.view(ctx, tenant)
	if err != nil {
		return nil, err
	}
	v := &view{rules: now.rules, rows: slices.Clone(now.rows), spaces: now.spaces}
	if p.Settings != nil {
		if v.rules, err = NewRules(*p.Settings); err != nil {
			return nil, err
		}
	}
	for _, id := range p.Remove {
		i := slices.IndexFunc(v.rows, func(s rowState) bool { return s.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("roles: the row to remove: %w", scim.ErrNotFound)
		}
		v.rows[i].Archived, v.rows[i].Because = r.now(), RowRemoved
	}
	for n, row := range p.Add {
		if row, err = r.findGroup(ctx, tenant, row); err != nil {
			return nil, err
		}
		same, err := v.rules.CheckRow(row, v.rowsBeside(&row))
		if err != nil {
			return nil, err
		}
		if same != nil {
			continue
		}
		row.ID = fmt.Sprintf("~%d", n)
		row.Role, _ = v.rules.Role(row.Scope.Kind, string(row.Role))
		v.rows = append(v.rows, rowState{Row: row})
	}
	v.table = tableOf(v.rows)
	return v, nil
}

// Explain says why a user has a role in a scope, or none.
func (r *Reconciler) Explain(ctx context.Context, tenant, user string, scope Scope) (Explanation, error) {
	v, err := r.view(ctx, tenant)
	if err != nil {
		return Explanation{}, err
	}
	st, err := r.kinds.users.Get(ctx, r.store, tenant, user)
	if err != nil {
		return Explanation{}, err
	}
	d, err := r.look(ctx, tenant, v, user, &st.Value)
	if err != nil {
		return Explanation{}, err
	}
	held := d.held
	if in(held, scope) == nil && in(st.Value.Applied, scope) == nil && r.held != nil {
		if held, err = r.askHeld(ctx, tenant, user, []Scope{scope}); err != nil {
			return Explanation{}, err
		}
	}
	return v.rules.Explain(d.person.User, scope, v.table, v.spaces, st.Value.Applied, held), nil
}
