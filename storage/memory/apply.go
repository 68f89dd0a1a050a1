package memory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/musterhq/muster/storage"
)

// commit carries out a batch that passed the checks, in the order in which the
// contract defines it.
type commit struct {
	*state
	*storage.Batch
	tenant *tenant
	time   time.Time
	steps  []*step // in the order of the change log
	byWho  map[*ident]*step
	result storage.CommitResult

	// Room for what the write of one record needs, so that it comes in one piece.
	oneStep  step
	oneOrder [1]*step
	onePut   [1]int64
}

// step is the one write that a batch makes of one record, however many reasons
// it has.
type step struct {
	*change
	who       *ident
	rec       *storage.Record // as it is afterwards; of a deleted record, as it was
	deleted   bool
	described bool // the change's description comes from the caller
}

func (c *commit) run() {
	c.time, c.steps = instant(c.Time), c.oneOrder[:0]
	for i := range c.Deletes {
		c.delete(&c.Deletes[i])
	}
	if n := len(c.Puts); n == 1 {
		c.result.Puts = c.onePut[:]
	} else if n > 1 {
		c.result.Puts = make([]int64, n)
	}
	for i := range c.Puts {
		c.result.Puts[i] = c.put(&c.Puts[i])
	}
	for _, s := range c.steps { // as they are now: owners that lose a link keep the others
		if s.deleted || s.rec.Hidden {
			c.dropLinks(s)
		}
	}
	c.editLinks()
	for _, s := range c.steps {
		s.Ref, s.Connection, s.Time = s.rec.Ref, s.rec.Connection, c.time
		s.Version, s.Hidden = s.rec.Version, s.rec.Hidden
		slices.SortFunc(s.deltas, c.compareDeltas)
		c.log.append(s.change, c.tenant.maxLog)
	}
}

// instant is a time as it is kept.
func instant(t time.Time) time.Time { return t.Round(0).UTC() }

// few is the number up to which a list is searched from front to back.
const few = 8

// step returns the step of a record, nil when the batch has not touched it.
func (c *commit) step(who *ident) *step {
	if c.byWho != nil {
		return c.byWho[who]
	}
	for _, s := range c.steps {
		if s.who == who {
			return s
		}
	}
	return nil
}

func (c *commit) addStep(of step, info storage.ChangeInfo) *step {
	s := &c.oneStep
	if len(c.steps) > 0 {
		s = new(step)
	}
	*s = of
	s.change = new(change) // by itself: the log keeps it, and not the record
	s.ChangeInfo = info
	c.steps = append(c.steps, s)
	switch {
	case c.byWho != nil:
		c.byWho[s.who] = s
	case len(c.steps) > few:
		c.byWho = make(map[*ident]*step)
		for _, s := range c.steps {
			c.byWho[s.who] = s
		}
	}
	return s
}

// touch returns the step of a record that a change of its links takes effect
// on. The first reason moves its version and time.
func (c *commit) touch(who *ident) *step {
	if s := c.step(who); s != nil {
		return s
	}
	old := c.rows.get(who.slot)
	rec := old.rec.Committed(old.rec.Version+1, old.rec.Created, c.time)
	c.rows.set(c.epoch, who.slot, &row{who, rec, old.keys})
	c.moved(c.ownTable(rec.Type), who, old.rec, rec)
	return c.addStep(step{who: who, rec: rec}, storage.ChangeInfo{Kind: storage.KindUnlinked})
}

func (c *commit) delete(d *storage.Delete) {
	old := c.find(d.Ref)
	t := c.ownTable(d.Type)
	c.setKeys(t, old.who, old.keys, nil)
	t.part(old.rec.Connection, old.rec.Hidden).ids.Delete(c.epoch, named{prefix(d.ID), old.who})
	c.moved(t, old.who, old.rec, nil)
	c.rows.set(c.epoch, old.who.slot, &row{who: old.who}) // the links still need the slot
	c.addStep(step{who: old.who, rec: old.rec, deleted: true, described: true}, d.Change)
}

func (c *commit) put(p *storage.Put) int64 {
	t := c.ownTable(p.Record.Type)
	old := c.findIn(t, p.Record.ID)
	if old == nil {
		old = &row{who: c.name(t, p.Record.ID)}
	}
	who, before := old.who, old.rec
	version, created := int64(1), instant(p.Record.Created)
	if before != nil {
		version, created = before.Version+1, before.Created
	}
	rec := p.Record.Committed(version, created, c.time)
	rec.Type, rec.ID = t.name, who.id // one copy of each text
	keys := t.ownKeys(rec)
	rec.Index, rec.Unique = nil, nil // the keys are enough
	c.setKeys(t, who, old.keys, keys)

	if before == nil || before.Connection != rec.Connection || before.Hidden != rec.Hidden {
		id := named{prefix(who.id), who}
		if before != nil {
			t.part(before.Connection, before.Hidden).ids.Delete(c.epoch, id)
		}
		part := t.part(rec.Connection, rec.Hidden)
		part.ids.Set(c.epoch, id)
		rec.Connection = part.connection
	} else {
		rec.Connection = before.Connection
	}
	c.moved(t, who, before, rec)
	c.rows.set(c.epoch, who.slot, &row{who, rec, keys})

	c.addStep(step{who: who, rec: rec, described: true}, p.Change)
	return version
}

// moved brings the times of a record up to date.
func (c *commit) moved(t *table, who *ident, before, after *storage.Record) {
	if before == nil {
		t.created.Set(c.epoch, stamp(after.Created, who))
		t.modified.Set(c.epoch, stamp(after.Modified, who))
		return
	}
	if after == nil {
		t.created.Delete(c.epoch, stamp(before.Created, who))
		t.modified.Delete(c.epoch, stamp(before.Modified, who))
		return
	}
	if !before.Modified.Equal(after.Modified) {
		t.modified.Delete(c.epoch, stamp(before.Modified, who))
		t.modified.Set(c.epoch, stamp(after.Modified, who))
	}
}

// name gives a new name a slot, which the caller fills.
func (c *commit) name(t *table, id string) *ident {
	who := &ident{id: id, slot: c.rows.size, typ: t.number}
	if n := len(c.tenant.free); n > 0 {
		who.slot = c.tenant.free[n-1]
		c.tenant.free = c.tenant.free[:n-1]
	}
	c.names.Set(c.epoch, hashed{c.nameHash(t, id), who.slot})
	return who
}

// release gives the slot of a name back when nothing needs it any more: there is
// no record of the name, and no link ends at it.
func (c *commit) release(who *ident) {
	if r := c.rows.get(who.slot); r == nil || r.who != who || r.rec != nil {
		return
	}
	if l, ok := c.in.Ceil(linked{from: from(who, 0)}); ok && l.slot() == who.slot {
		return
	}
	c.names.Delete(c.epoch, hashed{c.nameHash(c.tables[who.typ], who.id), who.slot})
	c.rows.set(c.epoch, who.slot, nil)
	c.tenant.free = append(c.tenant.free, who.slot)
}

// ownKeys makes the keys of a record, in order and without duplicates. Texts
// that occur more than once are kept once: a userName is often an e-mail address
// too, and a unique key ends with the folded value.
func (t *table) ownKeys(r *storage.Record) []key {
	keys := make([]key, 0, len(r.Unique)+len(r.Index))
	for _, u := range r.Unique {
		keys = append(keys, key{text: u.Key, attr: t.ownAttr(u.Attr), unique: true})
	}
	for i := range r.Index {
		e := &r.Index[i]
		k := key{text: e.Key, attr: t.ownAttr(e.Attr), truncated: e.Truncated}
		for j := range keys[:min(len(keys), few)] {
			if strings.HasSuffix(keys[j].text, k.text) {
				k.text = keys[j].text[len(keys[j].text)-len(k.text):]
				break
			}
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	n := 0
	for _, k := range keys {
		if n > 0 && compareKeys(keys[n-1], k) == 0 {
			keys[n-1].truncated = keys[n-1].truncated || k.truncated
			continue
		}
		keys[n] = k
		n++
	}
	return keys[:n]
}

func compareKeys(a, b key) int {
	if a.attr != b.attr {
		return cmp.Compare(a.attr, b.attr)
	}
	if a.unique != b.unique {
		if a.unique {
			return -1
		}
		return 1
	}
	return strings.Compare(a.text, b.text)
}

// setKeys takes out the old keys of a record that it no longer has and puts in
// the new ones. Both are in order.
func (c *commit) setKeys(t *table, who *ident, before, after []key) {
	for len(before)+len(after) > 0 {
		order := 0
		switch {
		case len(after) == 0:
			order = -1
		case len(before) == 0:
			order = 1
		default:
			order = compareKeys(before[0], after[0])
		}
		switch {
		case order < 0:
			c.freeKey(t, who, &before[0])
			before = before[1:]
		case order > 0:
			c.takeKey(t, who, &after[0])
			after = after[1:]
		default:
			after[0].text = before[0].text // which the index holds
			t.indexes[after[0].attr].truncated += bit(after[0].truncated) - bit(before[0].truncated)
			before, after = before[1:], after[1:]
		}
	}
}

func (c *commit) freeKey(t *table, who *ident, k *key) {
	if k.unique {
		c.unique.Delete(c.epoch, hashed{c.uniqueHash(t, k.attr, k.text), who.slot})
		return
	}
	x := &t.indexes[k.attr]
	x.entries.Delete(c.epoch, keyed{k.text, who})
	x.truncated -= bit(k.truncated)
}

func (c *commit) takeKey(t *table, who *ident, k *key) {
	if k.unique {
		c.unique.Set(c.epoch, hashed{c.uniqueHash(t, k.attr, k.text), who.slot})
		return
	}
	x := &t.indexes[k.attr]
	x.entries.Set(c.epoch, keyed{k.text, who})
	x.truncated += bit(k.truncated)
}
