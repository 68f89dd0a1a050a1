package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/musterhq/muster/storage"
)

func modelRules() []rule {
	return []rule{
		{"model/random_batches", "Whatever batches come one after the other, records, links, results, errors and changes are those that the rules of Batch and LinkEdit give.", func(c *check) {
			rng := c.rand()
			m := &model{map[storage.Ref]*storage.Record{}, map[modelLink]bool{}}
			log, hasLog := storage.As[storage.ChangeLog](c.store)
			l := &changeLog{check: c, log: log}
			for n := range 300 {
				b := randomBatch(c, rng, m)
				next, want := m.commit(b)
				res, err := c.store.Commit(c.ctx(), b)
				c.did("%d. Commit(%s) = %v", n, describe(b), err)
				if len(want.wrong) > 0 {
					c.oneOf(err, want.wrong)
				} else {
					if err != nil {
						c.broken("error %v; want success", err)
					}
					if !equalResults(res, &want.result) {
						c.broken("the result is %+v\n  want = %+v", *res, want.result)
					}
				}
				m = next
				c.isAs(m)
				if hasLog && len(want.wrong) == 0 {
					var changes []storage.Change
					for _, change := range want.changes {
						changes = append(changes, *change)
					}
					for _, change := range l.next(changes...) {
						l.deltas(change, want.deltas[change.Ref]...)
					}
				}
			}
		}},
	}
}

// Few records, names and relations, so that batches meet each other.
var (
	modelUsers     = users("u0", "u1", "u2", "u3", "u4", "u5")
	modelGroups    = []storage.Ref{group("g0"), group("g1"), group("g2"), group("u0")}
	modelRelations = []string{"members", "owners"}
	modelNames     = []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10", "n11", "n12"}
)

// randomBatch makes a batch that keeps the rules that callers see to. Most of
// what it asks for can be met.
func randomBatch(c *check, rng *rand.Rand, m *model) *storage.Batch {
	b := &storage.Batch{}
	c.complete(b)
	odds := func(percent int) bool { return rng.IntN(100) < percent }
	all := slices.Concat(modelUsers, modelGroups)
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	version := func(ref storage.Ref) int64 {
		switch r := m.records[ref]; {
		case odds(60):
			return 0
		case r == nil || odds(5):
			return 1 + rng.Int64N(9)
		default:
			return r.Version
		}
	}
	for range rng.IntN(4) {
		ref := all[0]
		all = all[1:]
		old := m.records[ref]
		if old != nil && odds(25) || odds(2) {
			b.Deletes = append(b.Deletes, storage.Delete{Ref: ref, IfVersion: version(ref), Change: storage.ChangeInfo{Kind: "deleted"}})
			continue
		}
		name := pick(rng, modelNames)
		if old != nil && odds(75) {
			name = old.Unique[0].Key[1:]
		}
		r := of(pick(rng, []string{"okta", "okta", "okta", "entra", ""}), named(ref, name))
		r.Hidden, r.Label, r.Created = odds(15), fmt.Sprint(rng.IntN(100)), c.now()
		b.Puts = append(b.Puts, storage.Put{Record: r, Change: storage.ChangeInfo{Kind: "put", Paths: []string{"userName"}}})
		p := &b.Puts[len(b.Puts)-1]
		if p.IfAbsent = old == nil && odds(30) || odds(2); !p.IfAbsent && old != nil {
			p.IfVersion = version(ref)
		}
	}
	for _, owner := range modelGroups {
		for _, relation := range modelRelations {
			old := m.records[owner]
			if !odds(15) || (old == nil || old.Hidden) && !odds(5) {
				continue
			}
			e := storage.LinkEdit{Owner: owner, Relation: relation, Reset: odds(25), Missing: storage.Missing(rng.IntN(3)), Change: storage.ChangeInfo{Kind: "edit of " + relation}}
			e.IfVersion = version(owner)
			if odds(25) {
				e.IfConnection = "okta"
			}
			for _, ref := range slices.Concat(modelUsers, modelGroups, users("nobody")) {
				target := m.records[ref]
				here := target != nil && !target.Hidden || putBy(b, ref)
				switch n := rng.IntN(5); {
				case n == 0 && e.Missing == storage.MissingReject && !here && !odds(10):
				case n == 0 && e.Missing == storage.MissingKeep && here: // Keep is for what is kept elsewhere
				case n == 0:
					e.Add = append(e.Add, ref)
				case n == 1:
					e.Remove = append(e.Remove, ref)
				}
			}
			rng.Shuffle(len(e.Add), func(i, j int) { e.Add[i], e.Add[j] = e.Add[j], e.Add[i] })
			b.Links = append(b.Links, e)
		}
	}
	return b
}

func putBy(b *storage.Batch, ref storage.Ref) bool {
	return slices.ContainsFunc(b.Puts, func(p storage.Put) bool { return p.Record.Ref == ref })
}

// oneOf demands that an error tells one of the things that are wrong.
func (c *check) oneOf(err error, wrong []violation) {
	c.Helper()
	var e *storage.CommitError
	if !errors.As(err, &e) {
		c.broken("error %v; want a *CommitError of %v", err, wrong)
	}
	if !slices.ContainsFunc(wrong, func(v violation) bool { return errors.Is(e, v.err) && e.Ref == v.ref }) {
		c.broken("error %v; want one of %v", err, wrong)
	}
}

// isAs demands that the store holds what the model holds.
func (c *check) isAs(m *model) {
	c.Helper()
	all := slices.Concat(modelUsers, modelGroups)
	for _, ref := range all {
		want := m.records[ref]
		if want == nil {
			c.gone(ref)
			continue
		}
		got := c.get(ref)
		c.same(got, want)
		if got.Version != want.Version || !got.Modified.Equal(want.Modified) {
			c.broken("%s has version %d of %v; want %d of %v", name(ref), got.Version, got.Modified, want.Version, want.Modified)
		}
	}
	slices.SortFunc(all, storage.Ref.Compare)
	others := slices.SortedFunc(slices.Values(append(users("nobody"), all...)), storage.Ref.Compare)
	for _, relation := range modelRelations {
		rel := storage.Relation{Owner: "Group", Name: relation}
		var out, in []storage.Link
		for _, ref := range all {
			for _, other := range others {
				if m.links[modelLink{ref, relation, other}] {
					out = append(out, storage.Link{Of: ref, To: other})
				}
				if m.links[modelLink{other, relation, ref}] {
					in = append(in, storage.Link{Of: ref, To: other})
				}
			}
		}
		c.readsAs(storage.LinkQuery{Relation: rel, Of: all}, out...)
		c.readsAs(storage.LinkQuery{Relation: rel, Of: all, Inverse: true}, in...)
	}
}
