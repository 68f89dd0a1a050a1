package roles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage"
)

// pass is how far a piece of work is that goes over groups and users, step by step
// and page by page. It is kept with the work, so that a process that takes it up
// goes on where the last one ended.
type pass struct {
	// After is where the last page of the present step ended.
	After string `json:"after,omitempty"`
	// Delta is where the last page of a change's links ended.
	Delta storage.LinkDelta `json:"delta,omitzero"`
	// Groups are the group that the work is about and those found nested in it, in the
	// order in which their members are read; At is the one that is read now.
	Groups []nestedGroup `json:"groups,omitempty"`
	At     int           `json:"at,omitempty"`
	// Foreseen are the users that the guards have counted so far.
	Foreseen []foreseen `json:"foreseen,omitempty"`
}

// nestedGroup is a group with the number of groups that it is inside of.
type nestedGroup struct {
	ID    string `json:"id"`
	Depth int    `json:"depth,omitempty"`
}

// step does one page of something, and reports whether it was the last.
type step func(ctx context.Context, tenant string, p *pass, x exemption) (done bool, err error)

// everything looks at all groups, then at all users, then at those whom the host was
// told of and who are gone.
func (r *Reconciler) everything() []step {
	return []step{r.allGroups, r.goneGroups, r.goneRows, r.foreseeUsers, r.foreseeGone, r.allUsers, r.lookStates("")}
}

// wholeGroup looks at a group and at all whom it concerns.
func (r *Reconciler) wholeGroup(group string) []step {
	look := func(ctx context.Context, tenant string, _ *pass, _ exemption) (bool, error) {
		return true, r.lookGroup(ctx, tenant, group, false)
	}
	return []step{look, r.foreseeMembers(group), r.foreseeStates(groupWord(group)), r.lookMembers(group), r.lookFormer(group)}
}

// largeChange looks at the users whom one change of a group's members concerns.
func (r *Reconciler) largeChange(group string, change int64) []step {
	foresee := func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		if r.limits == (Limits{}) {
			return true, nil
		}
		users, done, err := r.deltaPage(ctx, tenant, group, change, p)
		if err != nil {
			return false, err
		}
		return done, r.foresee(ctx, tenant, p, x, users)
	}
	look := func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		users, done, err := r.deltaPage(ctx, tenant, group, change, p)
		if err != nil {
			return false, err
		}
		return done, r.lookEach(ctx, tenant, users, x)
	}
	return []step{foresee, look}
}

func (r *Reconciler) allGroups(ctx context.Context, tenant string, p *pass, _ exemption) (bool, error) {
	page, err := r.dir.List(ctx, tenant, "Group", "", p.After, r.page)
	if err != nil {
		return false, err
	}
	for _, e := range page {
		p.After = e.Resource.ID()
		if err := r.lookGroup(ctx, tenant, p.After, false); err != nil {
			return false, err
		}
	}
	return len(page) < r.page, nil
}

// goneGroups finds the groups that we know of and that are gone.
func (r *Reconciler) goneGroups(ctx context.Context, tenant string, p *pass, _ exemption) (bool, error) {
	page, err := r.kinds.groups.List(ctx, r.store, tenant, p.After, r.page)
	if err != nil {
		return false, err
	}
	for _, k := range page {
		p.After = k.ID
		if err := r.archiveGone(ctx, tenant, k.ID); err != nil {
			return false, err
		}
	}
	return len(page) < r.page, nil
}

// goneRows finds the groups that rows name and that are gone.
func (r *Reconciler) goneRows(ctx context.Context, tenant string, _ *pass, _ exemption) (bool, error) {
	v, err := r.view(ctx, tenant)
	if err != nil {
		return false, err
	}
	for _, row := range v.rows {
		if row.Group == "" || !row.Archived.IsZero() {
			continue
		}
		if err := r.archiveGone(ctx, tenant, row.Group); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (r *Reconciler) archiveGone(ctx context.Context, tenant, group string) error {
	if _, ok, err := r.present(ctx, tenant, group); ok || err != nil {
		return err
	}
	return r.groupGone(ctx, tenant, group)
}

// userPage reads a page of all users.
func (r *Reconciler) userPage(ctx context.Context, tenant string, p *pass) (users []string, done bool, err error) {
	page, err := r.dir.List(ctx, tenant, "User", "", p.After, r.page)
	if err != nil {
		return nil, false, err
	}
	for _, e := range page {
		p.After = e.Resource.ID()
		users = append(users, p.After)
	}
	return users, len(page) < r.page, nil
}

// statePage reads a page of the users whom a word finds, or of all that there is a
// state of.
func (r *Reconciler) statePage(ctx context.Context, tenant, word string, p *pass) (users []string, done bool, err error) {
	var words []string
	if word != "" {
		words = []string{word}
	}
	page, err := r.kinds.users.List(ctx, r.store, tenant, p.After, r.page, words...)
	if err != nil {
		return nil, false, err
	}
	for _, k := range page {
		p.After = k.ID
		users = append(users, k.ID)
	}
	return users, len(page) < r.page, nil
}

// gonePage reads a page of the users whom the host was told of, and leaves out those
// that are there.
func (r *Reconciler) gonePage(ctx context.Context, tenant string, p *pass) (gone []string, done bool, err error) {
	users, done, err := r.statePage(ctx, tenant, "", p)
	if err != nil {
		return nil, false, err
	}
	for _, id := range users {
		switch _, err := r.dir.Get(ctx, tenant, userRef(id)); {
		case errors.Is(err, scim.ErrNotFound):
			gone = append(gone, id)
		case err != nil:
			return nil, false, err
		}
	}
	return gone, done, nil
}

// memberPage reads a page of the users in a group and, as far as nesting goes, in
// those that it has for members.
func (r *Reconciler) memberPage(ctx context.Context, tenant, group string, p *pass) (users []string, done bool, err error) {
	if len(p.Groups) == 0 {
		p.Groups = []nestedGroup{{ID: group}}
	}
	in := p.Groups[p.At]
	var after storage.Ref
	if typ, id, ok := strings.Cut(p.After, "/"); ok {
		after = storage.Ref{Type: typ, ID: id}
	}
	page, err := r.dir.Members(ctx, tenant, groupRef(in.ID), after, r.page)
	if err != nil {
		return nil, false, err
	}
	for _, ref := range page {
		switch {
		case ref.Type == "User":
			users = append(users, ref.ID)
		case ref.Type == "Group" && in.Depth < r.nesting && !p.knows(ref.ID):
			p.Groups = append(p.Groups, nestedGroup{ref.ID, in.Depth + 1})
		}
		p.After = ref.Type + "/" + ref.ID
	}
	if len(page) < r.page {
		p.After = ""
		p.At++
	}
	return users, p.At == len(p.Groups), nil
}

func (p *pass) knows(group string) bool {
	return slices.ContainsFunc(p.Groups, func(g nestedGroup) bool { return g.ID == group })
}

// isIn reports whether a user is a direct member of one of the groups.
func (r *Reconciler) isIn(ctx context.Context, tenant, user string, groups []nestedGroup) (bool, error) {
	if len(groups) == 0 {
		return false, nil
	}
	var after storage.Ref
	for {
		page, err := r.dir.GroupsOf(ctx, tenant, userRef(user), after, r.page)
		if err != nil {
			return false, err
		}
		for _, ref := range page {
			if slices.ContainsFunc(groups, func(g nestedGroup) bool { return g.ID == ref.ID }) {
				return true, nil
			}
			after = ref
		}
		if len(page) < r.page {
			return false, nil
		}
	}
}

// without leaves out the users who are members of one of the groups.
func (r *Reconciler) without(ctx context.Context, tenant string, users []string, groups []nestedGroup) (rest []string, err error) {
	for _, id := range users {
		in, err := r.isIn(ctx, tenant, id, groups)
		if err != nil {
			return nil, err
		}
		if !in {
			rest = append(rest, id)
		}
	}
	return rest, nil
}

// lookMembers looks at the members of a group.
func (r *Reconciler) lookMembers(group string) step {
	return func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		users, done, err := r.memberPage(ctx, tenant, group, p)
		if err != nil {
			return false, err
		}
		return done, r.lookEach(ctx, tenant, users, x)
	}
}

// lookFormer looks at those who have a role because of a group and are no members any
// more. The members were looked at before, and those who have become some since have
// a change of their own.
func (r *Reconciler) lookFormer(group string) step {
	return func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		users, done, err := r.statePage(ctx, tenant, groupWord(group), p)
		if err != nil {
			return false, err
		}
		if users, err = r.without(ctx, tenant, users, p.Groups); err != nil {
			return false, err
		}
		return done, r.lookEach(ctx, tenant, users, x)
	}
}

func (r *Reconciler) allUsers(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
	users, done, err := r.userPage(ctx, tenant, p)
	if err != nil {
		return false, err
	}
	return done, r.lookEach(ctx, tenant, users, x)
}

// lookStates looks at the users whom a word finds, or all that there is a state of.
func (r *Reconciler) lookStates(word string) step {
	return func(ctx context.Context, tenant string, p *pass, x exemption) (bool, error) {
		users, done, err := r.statePage(ctx, tenant, word, p)
		if err != nil {
			return false, err
		}
		return done, r.lookEach(ctx, tenant, users, x)
	}
}

// lookEach looks at users. Errors of the host are recorded with the user and tried
// again; they do not keep others waiting.
func (r *Reconciler) lookEach(ctx context.Context, tenant string, users []string, x exemption) error {
	for _, id := range users {
		var host errApply
		if err := r.reconcileUser(ctx, tenant, id, x); err != nil && !errors.As(err, &host) {
			return fmt.Errorf("roles: user %s: %w", id, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
