package storagetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/musterhq/muster/storage"
)

var groupMembers = storage.Relation{Owner: "Group", Name: "members"}

func user(id string) storage.Ref  { return storage.Ref{Type: "User", ID: id} }
func group(id string) storage.Ref { return storage.Ref{Type: "Group", ID: id} }

func users(ids ...string) []storage.Ref {
	var refs []storage.Ref
	for _, id := range ids {
		refs = append(refs, user(id))
	}
	return refs
}

// record is a record whose unique name is its id.
func record(ref storage.Ref) *storage.Record { return named(ref, ref.ID) }

// named is a record with a unique name.
func named(ref storage.Ref, name string) *storage.Record {
	doc, err := json.Marshal(map[string]string{"userName": name})
	if err != nil {
		panic(err) // strings encode
	}
	return &storage.Record{
		Ref: ref, Connection: "okta", Label: "label of " + ref.ID, Doc: doc,
		Created: day,
		Index:   []storage.Entry{{Attr: "userName", Key: name}},
		Unique:  []storage.UniqueKey{{Attr: "userName", Key: "=" + name}},
	}
}

// hidden is the same record, deleted for clients.
func hidden(r *storage.Record) *storage.Record {
	h := *r
	h.Hidden = true
	return &h
}

// of is the same record of another connection.
func of(connection string, r *storage.Record) *storage.Record {
	o := *r
	o.Connection = connection
	return &o
}

func records(refs ...storage.Ref) []*storage.Record {
	var rs []*storage.Record
	for _, ref := range refs {
		rs = append(rs, record(ref))
	}
	return rs
}

func puts(rs ...*storage.Record) []storage.Put {
	var ps []storage.Put
	for _, r := range rs {
		ps = append(ps, storage.Put{Record: r, Change: storage.ChangeInfo{Kind: "put"}})
	}
	return ps
}

func deletes(refs ...storage.Ref) []storage.Delete {
	var ds []storage.Delete
	for _, ref := range refs {
		ds = append(ds, storage.Delete{Ref: ref, Change: storage.ChangeInfo{Kind: "deleted"}})
	}
	return ds
}

func edits(es ...storage.LinkEdit) []storage.LinkEdit { return es }

// add, remove and reset are edits of a group's members.
func add(owner storage.Ref, to ...storage.Ref) storage.LinkEdit {
	return storage.LinkEdit{Owner: owner, Relation: "members", Add: to, Change: storage.ChangeInfo{Kind: "patched"}}
}

func remove(owner storage.Ref, to ...storage.Ref) storage.LinkEdit {
	return storage.LinkEdit{Owner: owner, Relation: "members", Remove: to, Change: storage.ChangeInfo{Kind: "patched"}}
}

func reset(owner storage.Ref, to ...storage.Ref) storage.LinkEdit {
	e := add(owner, to...)
	e.Reset = true
	return e
}

// name prints a reference so that odd ids can be told apart.
func name(r storage.Ref) string { return fmt.Sprintf("%s/%+q", r.Type, shorten(r.ID)) }

func names(refs []storage.Ref) string {
	var b strings.Builder
	for i, r := range refs {
		if i == 4 && len(refs) > 5 {
			fmt.Fprintf(&b, " … %d in all", len(refs))
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name(r))
	}
	return b.String()
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:50] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	return s
}

// describe prints a batch in a line.
func describe(b *storage.Batch) string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	for i, p := range b.Puts {
		if i == 4 && len(b.Puts) > 5 {
			say("… %d puts in all", len(b.Puts))
			break
		}
		s := "put " + name(p.Record.Ref)
		if p.Record.Hidden {
			s += " hidden"
		}
		if p.Record.Connection != "okta" {
			s += fmt.Sprintf(" of connection %q", p.Record.Connection)
		}
		for _, u := range p.Record.Unique {
			s += fmt.Sprintf(" %s%+q", u.Attr, shorten(u.Key))
		}
		if p.IfAbsent {
			s += " if absent"
		}
		say("%s%s", s, ifVersion(p.IfVersion))
	}
	for _, d := range b.Deletes {
		say("delete %s%s", name(d.Ref), ifVersion(d.IfVersion))
	}
	for _, e := range b.Links {
		s := fmt.Sprintf("links %s.%s", name(e.Owner), e.Relation)
		if e.Reset {
			s += " reset"
		}
		if len(e.Add) > 0 || e.Reset {
			s += " +[" + names(e.Add) + "]"
		}
		if len(e.Remove) > 0 {
			s += " -[" + names(e.Remove) + "]"
		}
		s += [...]string{"", " else reject", " keep"}[e.Missing]
		if e.IfConnection != "" {
			s += fmt.Sprintf(" if of connection %q", e.IfConnection)
		}
		say("%s%s", s, ifVersion(e.IfVersion))
	}
	return strings.Join(parts, "; ")
}

func ifVersion(v int64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(" if version %d", v)
}

// many puts n users and returns their references.
func (c *check) many(n int) []storage.Ref {
	c.Helper()
	refs := make([]storage.Ref, n)
	for i := range refs {
		refs[i] = user(fmt.Sprintf("u%05d", i))
	}
	c.put(records(refs...)...)
	return refs
}
