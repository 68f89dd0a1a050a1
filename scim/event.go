package scim

import (
	"context"
	"iter"
	"time"
)

// Event is one change of one resource that was committed. There are none for
// operations that changed nothing.
type Event struct {
	// Effect is what changed. Effect.Links is empty: see Links.
	Effect
	Principal Principal
	Time      time.Time
	// Links says how many links of each relation were added and removed.
	Links []LinkCount
	// FirstSync is true while the connection is sending everything for the first
	// time: from its first resource until no resource was created for a quarter of
	// an hour. Hosts that send welcome mail may want to wait. The mark is kept by
	// each process for itself and is lost when it ends.
	FirstSync bool

	asked []LinkEffect
}

// LinkCount counts the changes of one relation.
type LinkCount struct {
	Relation       string
	Added, Removed int
}

// LinksAsked yields the other ends of the links of a relation that the request
// asked to add or to remove, with true for those to remove. Links that existed already, or were missing, may be among them; how
// many were effective is in Links. A Reset yields what it set.
func (e *Event) LinksAsked(relation string) iter.Seq2[Ref, bool] {
	return func(yield func(ref Ref, removed bool) bool) {
		for _, l := range e.asked {
			if l.Relation != relation {
				continue
			}
			for _, r := range l.Remove {
				if !yield(r, true) {
					return
				}
			}
			for _, r := range l.Add {
				if !yield(r, false) {
					return
				}
			}
		}
	}
}

// Subscriber receives events. Its context carries the hook timeout of the
// server ([WithHookTimeout]) and outlives the request.
type Subscriber func(ctx context.Context, e Event)
