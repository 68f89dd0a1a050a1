package roles

import "context"

// What is remembered can be listed, page by page. after is where the page before
// ended, "" for the first one; a page that is shorter than limit is the last.

// UserAssignments are the roles of one user that the host was told of.
type UserAssignments struct {
	User        string       `json:"user"`
	Assignments []Assignment `json:"assignments,omitempty"`
	Conflicts   []Conflict   `json:"conflicts,omitempty"`
	// Guarded are scopes in which the user keeps a role as its last holder.
	Guarded []Scope `json:"guarded,omitempty"`
	// UnknownRoles are values of the user's attribute roles that are no organisation
	// role and not ignored: the first 20, each cut off after 300 bytes.
	UnknownRoles []string `json:"unknownRoles,omitempty"`
	// Held are the holds that keep the user's roles as they are.
	Held []HoldKind `json:"held,omitempty"`
	// Error is the last error of the host's code for the user, "" when what should
	// be done was done.
	Error string `json:"error,omitempty"`
}

// UserQuery says which users to list. At most one of the conditions is set; without
// any, all users are listed who have or had to do with a role.
type UserQuery struct {
	// Scope restricts to users with a role in a scope.
	Scope Scope
	// Group restricts to users with a role because of a group.
	Group string
	// Conflicts, Failed, Held, Guarded and UnknownRoles restrict to users for whom
	// groups conflict, for whom the host's code fails, whose changes are held, who keep
	// a role as its last holder, and whose attribute roles says something unknown.
	Conflicts, Failed, Held, Guarded, UnknownRoles bool
	// After is the last user of the page before, Limit how many users a page has at
	// most; 0 means 100.
	After string
	Limit int
}

// Assignments lists users by id with what the host was told of.
func (r *Reconciler) Assignments(ctx context.Context, tenant string, q UserQuery) ([]UserAssignments, error) {
	var words []string
	add := func(wanted bool, word string) {
		if wanted {
			words = append(words, word)
		}
	}
	add(q.Scope != (Scope{}), scopeWord(q.Scope))
	add(q.Group != "", groupWord(q.Group))
	add(q.Conflicts, "conflict")
	add(q.Failed, "failed")
	add(q.Held, "held")
	add(q.Guarded, "guarded")
	add(q.UnknownRoles, "unknown roles")
	page, err := r.kinds.users.List(ctx, r.store, tenant, q.After, limitOr(q.Limit), words...)
	if err != nil {
		return nil, err
	}
	out := make([]UserAssignments, len(page))
	for i, k := range page {
		s := k.Value
		out[i] = UserAssignments{
			User: k.ID, Assignments: s.Applied, Conflicts: s.Conflicts, Guarded: s.Guarded, UnknownRoles: s.UnknownRoles,
			Held: s.Held, Error: s.Error,
		}
	}
	return out, nil
}

// Unmatched lists groups that give nothing, by id, with the reasons. reason, when not
// "", restricts it to one.
func (r *Reconciler) Unmatched(ctx context.Context, tenant string, reason Reason, after string, limit int) ([]Unmatched, error) {
	word := "unmatched"
	if reason != "" {
		word = "reason=" + string(reason)
	}
	page, err := r.kinds.groups.List(ctx, r.store, tenant, after, limitOr(limit), word)
	if err != nil {
		return nil, err
	}
	var out []Unmatched
	for _, k := range page {
		out = append(out, k.Value.Unmatched...)
	}
	return out, nil
}

func limitOr(limit int) int {
	if limit <= 0 {
		return 100
	}
	return limit
}
