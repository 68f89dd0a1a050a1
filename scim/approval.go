package scim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/musterhq/muster/internal/kept"
	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

// Some of what an identity provider wants is not for a rule to decide but for a
// person: to link an account that the host has already, or what a guard does not
// want to refuse for good. It is refused at first, kept as a record of a private
// type in the same store, and tried again by the identity provider, which repeats
// what fails: Entra ID every 40 minutes. Once a person has approved, the next attempt
// succeeds.

// Approval is something that a connection wanted and that a person decides. It holds
// personal data; [Server.Erase] of the resource removes it.
type Approval struct {
	// ID names the entry within the tenant.
	ID string `json:"-"`
	// Ref is the resource that is there, which the connection wants to have or to
	// change.
	Ref        Ref
	Connection string
	// About is [AboutAdoption], or what a guard said.
	About string
	// UserName, DisplayName, ExternalID and Email are what the client sent, for the
	// person who compares. Those that it did not send are "".
	UserName    string `json:",omitempty"`
	DisplayName string `json:",omitempty"`
	ExternalID  string `json:",omitempty"`
	Email       string `json:",omitempty"`
	// Attempts is how often the client has tried, First and Last are when.
	Attempts    int
	First, Last time.Time
	State       ApprovalState
	// Decided is when State was set, zero while it is [Waiting].
	Decided time.Time `json:",omitzero"`
}

// AboutAdoption is what an [Approval] is about when a create met a resource that the
// connection does not own, and [Adopting.Decide] said [Queue].
const AboutAdoption = "adoption"

// ApprovalState says what a person has decided.
type ApprovalState string

// The states of an [Approval].
const (
	Waiting ApprovalState = "waiting"
	// Approved lets the next attempts pass, for 30 days.
	Approved ApprovalState = "approved"
	// Rejected refuses further attempts until somebody approves.
	Rejected ApprovalState = "rejected"
)

const (
	// approvalHolds is how long an approval counts.
	approvalHolds = 30 * 24 * time.Hour
	// maxApprovals bounds what is kept of one resource; the oldest are forgotten, those
	// that wait before those that were decided. With it the list as a whole is bounded by
	// the resources that there are.
	maxApprovals = 20
	// maxAbout bounds each text of an entry, in bytes.
	maxAbout = 1000
)

// NeedsApproval is the error of a [Guard] that wants a person to decide about the
// change of a resource: the request is answered 403 with detail, and listed by
// [Server.Approvals]. When it was approved, the server takes the error for a nil and
// goes on; so a guard looks at everything before it returns one, and joins several
// with errors.Join.
//
// about says what is asked in words that are the same at each attempt, and other
// words for another change: "userName: ada@example.org". It is shown to the person
// who decides. Texts of more than 1,000 bytes, and changes by a create, which have
// no resource yet, cannot be approved; they are refused.
func NeedsApproval(resource Ref, about, detail string) error {
	return Errorf(http.StatusForbidden, "", "%s", detail).WithCause(&unapproved{resource, about})
}

// unapproved is the cause of an error that a person can lift.
type unapproved struct {
	ref   Ref
	about string
}

func (u *unapproved) Error() string { return "waits for an approval of " + u.ref.Type + "/" + u.ref.ID }

// Approvals returns what waits for a person in a tenant and what persons have decided,
// in the order of the ids, behind the id after, at most limit. Fewer than limit are
// the last ones. What has become void, since the resource is gone or belongs to the
// connection by now, is forgotten on the way.
func (s *Server) Approvals(ctx context.Context, tenant, after string, limit int) ([]Approval, error) {
	var found []Approval
	for len(found) < limit {
		want := limit - len(found)
		page, err := s.approvals.List(ctx, s.store, tenant, after, want)
		if err != nil {
			return nil, fmt.Errorf("scim: approvals: %w", err)
		}
		for _, k := range page {
			after = k.ID
			void, err := s.isVoid(ctx, tenant, &k.Value)
			if err == nil && void {
				if err = s.approvals.Drop(ctx, s.store, tenant, s.now(), k); isConflict(err) {
					err = nil // it is asked again this moment
				}
			}
			if err != nil {
				return nil, fmt.Errorf("scim: approvals: %w", err)
			}
			if !void {
				k.Value.ID = k.ID
				found = append(found, k.Value)
			}
		}
		if len(page) < want {
			break
		}
	}
	return found, nil
}

// isVoid reports whether there is nothing left to decide.
func (s *Server) isVoid(ctx context.Context, tenant string, a *Approval) (bool, error) {
	existing, err := s.Directory().Get(ctx, tenant, a.Ref)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return a.About == AboutAdoption && existing.Connection == a.Connection, err
}

// Approve lets the next attempt of the client pass. It may take back a rejection.
// [ErrNotFound] when there is no such entry.
func (s *Server) Approve(ctx context.Context, tenant, id string) error {
	return s.decide(ctx, tenant, id, Approved)
}

// Reject refuses what the client wants, for good. It may take back an approval that
// was not used yet. Where the two had no unique value in common ([Adopting.Alike]), the
// next create makes a resource of its own. [ErrNotFound] when there is no such entry.
func (s *Server) Reject(ctx context.Context, tenant, id string) error {
	return s.decide(ctx, tenant, id, Rejected)
}

func (s *Server) decide(ctx context.Context, tenant, id string, state ApprovalState) error {
	err := s.approvals.Edit(ctx, s.store, tenant, id, s.now(), func(k *kept.State[Approval]) (bool, error) {
		if k.Version == 0 {
			return false, ErrNotFound
		}
		k.Value.State, k.Value.Decided = state, s.now()
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("scim: approvals: %w", err)
	}
	return nil
}

// question is what a person is asked.
type question struct {
	ref   Ref
	about string
	sent  *Resource
	// attribute is the one that a claim is about, "" for a guard's question.
	attribute string
}

// id tells one question from another. By what a claim names the person is part of it: an
// approval is for the person whom the client meant then.
func (q *question) id(connection string) string {
	h := sha256.New()
	texts := []string{q.ref.Type, q.ref.ID, connection, q.about}
	if q.attribute != "" {
		key, _ := filter.Key(q.sent.Lookup(q.attribute))
		texts = append(texts, q.attribute, key, q.sent.String("externalId"),
			schema.Fold(q.sent.String("userName")), schema.Fold(q.sent.BestEmail()))
	}
	for _, t := range texts {
		h.Write([]byte(strconv.Itoa(len(t)) + ":" + t))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// asked notes an attempt and returns what was decided.
func (s *Server) asked(ctx context.Context, p Principal, q *question) (state ApprovalState, err error) {
	added, now := false, s.now()
	err = s.approvals.Edit(ctx, s.store, p.Tenant, q.id(p.Connection), now, func(k *kept.State[Approval]) (bool, error) {
		a := &k.Value
		if added = k.Version == 0; added {
			*a = Approval{Ref: q.ref, Connection: p.Connection, About: q.about, First: now, State: Waiting}
		}
		if a.State == Approved && now.Sub(a.Decided) > approvalHolds {
			a.State, a.Decided = Waiting, time.Time{}
		}
		if state = a.State; state == Approved {
			return false, nil
		}
		a.Attempts, a.Last = a.Attempts+1, now
		a.UserName, a.DisplayName = cut(q.sent.String("userName")), cut(q.sent.String("displayName"))
		a.ExternalID, a.Email = cut(q.sent.String("externalId")), cut(q.sent.BestEmail())
		return true, nil
	})
	if err == nil && added {
		err = s.forgetOldest(ctx, p.Tenant, q.ref, q.id(p.Connection))
	}
	if err != nil {
		return Waiting, fmt.Errorf("scim: an approval that is wanted could not be noted: %w", err)
	}
	return state, nil
}

// cut bounds a text that a client sent.
func cut(text string) string {
	if len(text) <= maxAbout {
		return text
	}
	return strings.ToValidUTF8(text[:maxAbout], "")
}

// forgetOldest keeps the entries of one resource within their bound. The newest one
// stays, and what a person decided stays longer than what waits: otherwise a client could
// have it forgotten by asking something else often enough.
func (s *Server) forgetOldest(ctx context.Context, tenant string, ref Ref, newest string) error {
	all, err := s.approvals.List(ctx, s.store, tenant, "", 2*maxApprovals, approvalOf(ref))
	if err != nil || len(all) <= maxApprovals {
		return err
	}
	stays := func(k *kept.State[Approval]) int {
		switch {
		case k.ID == newest:
			return 2
		case k.Value.State != Waiting:
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b kept.State[Approval]) int {
		return cmp.Or(cmp.Compare(stays(&a), stays(&b)), a.Value.Last.Compare(b.Value.Last))
	})
	for _, k := range all[:len(all)-maxApprovals] {
		if err := s.approvals.Drop(ctx, s.store, tenant, s.now(), k); err != nil && !isConflict(err) {
			return err
		}
	}
	return nil
}

// removeApprovals removes all entries of a resource.
func (s *Server) removeApprovals(ctx context.Context, tenant string, ref Ref) error {
	for {
		page, err := s.approvals.List(ctx, s.store, tenant, "", maxApprovals, approvalOf(ref))
		if err != nil || len(page) == 0 {
			return err
		}
		for _, k := range page {
			if err := s.approvals.Drop(ctx, s.store, tenant, s.now(), k); err != nil && !isConflict(err) {
				return err
			}
		}
	}
}

// approvalOf is the word by which the entries of a resource are found.
func approvalOf(ref Ref) string { return "of=" + ref.Type + "/" + ref.ID }

func newApprovals() *kept.Kind[Approval] {
	return kept.NewKind("muster:approval", func(a *Approval) []string { return []string{approvalOf(a.Ref)} })
}

// lifted returns nil for the error of a guard that a person has approved, and
// otherwise notes that one has to, if that is what the error says. Of errors that were
// joined each has to be approved.
func (s *Server) lifted(ctx context.Context, p Principal, effects []Effect, err error) error {
	for cause := err; ; {
		switch e := cause.(type) {
		case *unapproved:
			return s.approvedOr(ctx, p, effects, e, err)
		case interface{ Unwrap() []error }:
			var left error
			for _, one := range e.Unwrap() {
				if one := s.lifted(ctx, p, effects, one); one != nil && left == nil {
					left = one
				}
			}
			return left
		case interface{ Unwrap() error }:
			cause = e.Unwrap()
		default:
			return err
		}
	}
}

// approvedOr returns nil when a person has approved what a guard asks, and otherwise
// the answer.
func (s *Server) approvedOr(ctx context.Context, p Principal, effects []Effect, u *unapproved, err error) error {
	i := slices.IndexFunc(effects, func(e Effect) bool {
		return e.Before != nil && e.ID == u.ref.ID && e.Type.Name() == u.ref.Type
	})
	if i < 0 || len(u.about) > maxAbout {
		return err
	}
	sent := effects[i].After
	if sent == nil {
		sent = effects[i].Before
	}
	state, failed := s.asked(ctx, p, &question{ref: u.ref, about: u.about, sent: sent})
	switch {
	case failed != nil:
		return failed
	case state == Approved:
		return nil
	case state == Rejected:
		return Errorf(http.StatusForbidden, "", "an administrator of the application has refused this change").WithCause(err)
	}
	return err
}
