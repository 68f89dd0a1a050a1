package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/musterhq/muster/storage"
)

// verify compares what clients know with what every server tells and what the
// store holds, when nobody writes any more.
func (l *load) verify() {
	l.t.Helper()
	store, err := openStore(l.t.Context(), l.store, false)
	if err != nil {
		l.t.Fatal(err)
	}
	defer store.Close()
	members := map[string]bool{}
	links, err := store.Links(l.t.Context(), &storage.LinkQuery{
		Tenant: l.tenant, Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{{Type: "Group", ID: l.group}},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, link := range links {
		members[link.To.ID] = true
	}
	for _, n := range l.nodes {
		l.verifyUsers(n, members)
		l.verifyShared(n)
		l.verifyCounter(n)
		if group := l.read(n, "/Groups/"+l.group); len(group.Members) != len(members) {
			l.t.Errorf("a server tells of %d members; the store has %d", len(group.Members), len(members))
		}
	}
	l.verifyLog(store, members)
	if l.counted < workers || len(l.people) < 2*workers {
		l.t.Errorf("there was hardly any load: %d users, counted to %d", len(l.people), l.counted)
	}
}

// read gets a document, which must be there.
func (l *load) read(n *node, path string) document {
	l.t.Helper()
	a, err := l.send(n, "GET", path, "", "")
	if err != nil || a.status != 200 {
		l.t.Fatalf("%v, %s", err, a)
	}
	return a.document()
}

// users are all users by name; none has the name of another.
func (l *load) users(n *node) map[string]document {
	l.t.Helper()
	users, total := map[string]document{}, 0
	for start := 1; ; {
		page := l.read(n, fmt.Sprintf("/Users?count=100&startIndex=%d", start))
		for _, u := range page.Resources {
			if _, twice := users[u.UserName]; twice {
				l.t.Errorf("there are two users %s", u.UserName)
			}
			if u.Name.FamilyName != u.UserName || len(u.Emails) == 0 || u.Emails[0].Value != u.UserName+"@example.com" {
				l.t.Errorf("the user %s is half written: %+v", u.UserName, u)
			}
			users[u.UserName] = u
		}
		start, total = start+len(page.Resources), page.TotalResults
		if len(page.Resources) == 0 || start > total {
			break
		}
	}
	if len(users) != total {
		l.t.Errorf("pages with %d users of %d", len(users), total)
	}
	return users
}

func (l *load) verifyUsers(n *node, members map[string]bool) {
	l.t.Helper()
	users := l.users(n)
	ids := map[string]bool{}
	for name, u := range users {
		ids[u.ID] = true
		p, ours := l.people[name]
		switch {
		case ours && (p.made == absent || p.id != "" && p.id != u.ID):
			l.t.Errorf("%s should not be there, or not with this id", name)
		case !ours && name != "shared" && name != "counter" && !strings.HasPrefix(name, "contested-"):
			l.t.Errorf("nobody asked for %s", name)
		}
	}
	for name, p := range l.people {
		if _, there := users[name]; p.made == present && !there {
			l.t.Errorf("%s was acknowledged and is lost", name)
		}
		if p.id != "" && (p.member == present && !members[p.id] || p.member == absent && members[p.id]) {
			l.t.Errorf("%s is a member: %v; acknowledged was the contrary", name, members[p.id])
		}
	}
	for id := range members {
		if !ids[id] {
			l.t.Errorf("the member %s is nobody", id)
		}
	}
	for name, times := range l.contested {
		if _, there := users[name]; !there {
			l.t.Errorf("%s was answered to be there, and is not", name)
		}
		if times > 1 || times == 0 && !l.faults {
			l.t.Errorf("%s was given %d times", name, times)
		}
	}
}

// verifyShared looks for updates of one document that overwrote each other.
func (l *load) verifyShared(n *node) {
	l.t.Helper()
	shared := l.read(n, "/Users/"+l.shared)
	has := map[string]bool{}
	for _, e := range shared.Emails {
		has[e.Value] = true
	}
	for name, p := range l.people {
		if there := has[name+"@example.net"]; p.address == present && !there || p.address == absent && there {
			l.t.Errorf("the address of %s is there: %v; acknowledged was the contrary", name, there)
		}
	}
	if want := fmt.Sprintf(`W/"%d"`, len(shared.Emails)); len(has) != len(shared.Emails) || shared.Meta.Version != want {
		l.t.Errorf("version %s of the shared user with %d of %d addresses apart; want %s", shared.Meta.Version, len(has), len(shared.Emails), want)
	}
}

func (l *load) verifyCounter(n *node) {
	l.t.Helper()
	counter := l.read(n, "/Users/"+l.counter)
	count, _ := strconv.Atoi(counter.Title) // 0 at the start
	if count < l.counted || count > l.counted+l.maybe {
		l.t.Errorf("counted to %d; %d were acknowledged, and %d had no answer", count, l.counted, l.maybe)
	}
	if want := fmt.Sprintf(`W/"%d"`, count+1); counter.Meta.Version != want {
		l.t.Errorf("version %s of the counter; want %s", counter.Meta.Version, want)
	}
}

// verifyLog replays the change log: it leads to what the store holds, by changes
// that each did something.
func (l *load) verifyLog(store storage.Store, members map[string]bool) {
	l.t.Helper()
	log, ok := store.(storage.ChangeLog)
	if !ok {
		l.t.Fatal("the store keeps no change log")
	}
	versions, gone, replayed := map[storage.Ref]int64{}, map[storage.Ref]bool{}, map[string]bool{}
	for next := int64(1); ; {
		changes, err := log.Changes(l.t.Context(), l.tenant, next-1, 500)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(changes) == 0 {
			break
		}
		for _, c := range changes {
			deleted := c.Hidden || c.Kind == "deleted"
			if c.Seq != next || gone[c.Ref] || c.Version != versions[c.Ref]+1 && !(deleted && c.Version == versions[c.Ref]) {
				l.t.Fatalf("change %d (%s) of %v to version %d; want number %d and version %d", c.Seq, c.Kind, c.Ref, c.Version, next, versions[c.Ref]+1)
			}
			next++
			versions[c.Ref], gone[c.Ref] = c.Version, deleted
			if c.Type == "Group" {
				l.replay(log, c, replayed)
			}
		}
	}
	for id := range members {
		if !replayed[id] {
			l.t.Errorf("the log does not know the member %s", id)
		}
		delete(replayed, id)
	}
	if len(replayed) > 0 {
		l.t.Errorf("by the log there are %d more members", len(replayed))
	}
	live := 0
	for ref, version := range versions {
		if gone[ref] {
			continue
		}
		live++
		if r, err := store.Get(l.t.Context(), l.tenant, ref); err != nil || r.Version != version {
			l.t.Errorf("the log ends with version %d of %v; the store: %v", version, ref, err)
		}
	}
	if users := len(l.users(l.nodes[0])); live != users+1 {
		l.t.Errorf("by the log there are %d resources; want %d", live, users+1)
	}
}

// replay applies one change of members.
func (l *load) replay(log storage.ChangeLog, c storage.Change, members map[string]bool) {
	l.t.Helper()
	deltas, err := log.ChangedLinks(l.t.Context(), l.tenant, c.Seq, storage.LinkDelta{}, 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	if len(deltas) != c.LinksAdded+c.LinksRemoved || len(deltas) == 0 && c.Version > 1 {
		l.t.Errorf("change %d of the group: %d links, counted as %d and %d", c.Seq, len(deltas), c.LinksAdded, c.LinksRemoved)
	}
	for _, d := range deltas {
		if members[d.To.ID] != d.Removed {
			l.t.Errorf("change %d of the group did nothing to %v", c.Seq, d.To)
		}
		if d.Removed {
			delete(members, d.To.ID)
		} else {
			members[d.To.ID] = true
		}
	}
}
