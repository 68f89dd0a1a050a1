package storagetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
)

// directory is a set of users and groups for questions, with what is needed to
// answer them without a store.
type directory struct {
	*check
	user, group *schema.Type
	records     map[storage.Ref]*storage.Record // as put, with Modified
	links       map[[2]storage.Ref]bool         // group, member
}

const testURN = "urn:example:storagetest:2.0:User"

// newDirectory compiles the types: users with the enterprise extension and one
// that has an attribute of every type, of which some are indexed.
func newDirectory(c *check) *directory {
	u, g := schema.User(), schema.Group()
	u.Extensions = append(u.Extensions, schema.Extension{Schema: &schema.Schema{ID: testURN, Name: "Test", Attributes: []schema.Attribute{
		{Name: "level", Type: schema.Integer},
		{Name: "score", Type: schema.Decimal},
		{Name: "hired", Type: schema.DateTime},
		{Name: "flag", Type: schema.Boolean},
		{Name: "code", CaseExact: true},
		{Name: "tags", MultiValued: true},
		{Name: "born", Type: schema.DateTime},
		{Name: "rank", Type: schema.Integer},
	}}})
	u.Indexed = []string{testURN + ":level", testURN + ":score", testURN + ":hired", testURN + ":code", testURN + ":tags", "emails.type"}
	for _, a := range u.Schema.Attributes {
		if a.Name == "groups" { // groups are in groups too, and show it here
			g.Schema.Attributes = append(g.Schema.Attributes, a)
		}
	}
	return &directory{
		check: c, user: schema.MustCompile(u, g), group: schema.MustCompile(g, u),
		records: map[storage.Ref]*storage.Record{}, links: map[[2]storage.Ref]bool{},
	}
}

func (d *directory) typeOf(ref storage.Ref) *schema.Type {
	if ref.Type == "Group" {
		return d.group
	}
	return d.user
}

// resource makes a resource of a body, without id and times.
func (d *directory) resource(t *schema.Type, body string) *resource.Resource {
	d.Helper()
	urn := t.Schema()
	dec, err := resource.Decode(t, []byte(`{"schemas":["`+urn+`"],`+strings.TrimPrefix(body, "{")), resource.DecodeOptions{Partial: true})
	if err != nil {
		d.Fatalf("storagetest: a body of the suite's own does not decode: %v\n%s", err, body)
	}
	return dec.Resource
}

// record makes the record that the server would make of a body.
func (d *directory) record(ref storage.Ref, body string) *storage.Record {
	d.Helper()
	r := d.resource(d.typeOf(ref), body).WithMeta(resource.Meta{ID: ref.ID, Created: day})
	return storage.NewRecord(r, "okta")
}

// add puts records in one batch.
func (d *directory) add(rs ...*storage.Record) {
	d.Helper()
	b := storage.Batch{Time: d.now(), Puts: puts(rs...)}
	d.commit(b)
	for _, r := range rs {
		kept := *r
		kept.Modified = b.Time
		d.records[r.Ref] = &kept
	}
}

// user adds a user with a body.
func (d *directory) addUser(id, body string) { d.Helper(); d.add(d.record(user(id), body)) }

// link adds members to a group, whose Modified moves.
func (d *directory) link(g storage.Ref, to ...storage.Ref) {
	d.Helper()
	e := add(g, to...)
	e.Missing = storage.MissingKeep
	b := storage.Batch{Time: d.now(), Links: edits(e)}
	d.commit(b)
	kept := *d.records[g]
	kept.Modified = b.Time
	d.records[g] = &kept
	for _, t := range to {
		d.links[[2]storage.Ref{g, t}] = true
	}
}

// linkTest answers a Linked node from what was linked.
func (d *directory) linkTest(t *schema.Type) filter.LinkTest {
	return func(id string, l filter.Linked) bool {
		for ends := range d.links {
			self, other := ends[0], ends[1]
			if l.Inverse {
				self, other = other, self
			}
			if l.Relation == "members" && ends[0].Type == l.Owner && self == (storage.Ref{Type: t.Name(), ID: id}) &&
				(l.Type == "" || l.Type == other.Type) && (l.ID == "" || l.ID == other.ID) {
				return true
			}
		}
		return false
	}
}

// plan compiles a filter.
func (d *directory) plan(t *schema.Type, text string) *filter.Plan {
	d.Helper()
	if text == "" {
		return nil
	}
	e, err := filter.Parse(text, filter.ParseOptions{})
	if err != nil {
		d.Fatalf("storagetest: a filter of the suite's own does not parse: %v\n%s", err, text)
	}
	p, err := filter.Compile(t, e, filter.Options{UnknownNames: true})
	if err != nil {
		d.Fatalf("storagetest: a filter of the suite's own does not compile: %v\n%s", err, text)
	}
	return p
}

// values from which generated users take theirs: few, so that filters match, and
// chosen for what stores get wrong.
var (
	displayNames = []string{"Babs Jensen", "babs jensen", "BABS", "Ünal", "ünal", "Zoe\u0308", "Zoë", "😀", "%", "_a", "a", "A", "", "Ж", "ſ", "s", "\\", "'"}
	titles       = []string{"Guide", "guide", "Tour Guide", "10", "9", "-1", "true"}
	addresses    = []string{"babs@example.com", "BABS@example.com", "b@home.example", "x_y@example.com", "x%y@example.com", "ü@example.com"}
	kinds        = []string{"work", "home", "Work", "other"}
	levels       = []string{"-3", "0", "3", "9", "10", "3000000000", "9007199254740993"}
	scores       = []string{"-0.5", "0.5", "3", "3.0", "10", "1e-7", "9.99", "1E3"}
	instants     = []string{"2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00.5Z", "1999-05-05T05:05:05-08:00"}
	codes        = []string{"A", "a", "a ", "ä", "Z", "_", "%"}
)

// randomUser makes the body of a user in which anything may be missing.
func randomUser(rng chance, n int) string {
	m := map[string]any{"userName": fmt.Sprintf("%s%03d", pick(rng, []string{"user", "User", "ÜSER", "u_"}), n)}
	maybe := func(odds int) bool { return rng.IntN(100) >= 100-odds } // the simplest is without
	set := func(odds int, name string, v any) {
		if maybe(odds) {
			m[name] = v
		}
	}
	set(70, "displayName", pick(rng, displayNames))
	set(40, "title", pick(rng, titles))
	set(60, "externalId", pick(rng, codes)+fmt.Sprint(rng.IntN(4)))
	set(70, "active", maybe(60))
	set(50, "name", map[string]any{"familyName": pick(rng, displayNames), "givenName": pick(rng, titles)})
	var emails []any
	for i := range rng.IntN(4) {
		e := map[string]any{"value": pick(rng, addresses)}
		if maybe(70) {
			e["type"] = pick(rng, kinds)
		}
		if i == 1 {
			e["primary"] = true
		}
		emails = append(emails, e)
	}
	m["emails"] = emails
	x := map[string]any{}
	ext := func(odds int, name string, v any) {
		if maybe(odds) {
			x[name] = v
		}
	}
	ext(60, "level", json.Number(pick(rng, levels)))
	ext(60, "score", json.Number(pick(rng, scores)))
	ext(60, "hired", pick(rng, instants))
	ext(40, "flag", maybe(50))
	ext(60, "code", pick(rng, codes))
	ext(50, "tags", []string{pick(rng, titles), pick(rng, codes)})
	ext(60, "born", pick(rng, instants))
	ext(60, "rank", json.Number(pick(rng, levels)))
	m[testURN] = x
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // maps of strings and numbers encode
	}
	return string(b)
}

// population is a generated directory: its records in batches, then who is in
// which group.
type population struct {
	Batches [][]resident
	Groups  []membership
}

// resident is a record: its body, and what bodies do not say.
type resident struct {
	Ref        storage.Ref
	Body       string
	Connection string
	Hidden     bool
	Hour       int // of its creation
}

type membership struct {
	Of      storage.Ref
	Members []storage.Ref
}

// randomPopulation makes users and groups with members. Some are hidden, some of
// another connection, some members kept elsewhere.
func randomPopulation(rng chance, people, groups int) (p population) {
	var all []resident
	reside := func(ref storage.Ref, body string) (hidden bool) {
		r := resident{Ref: ref, Body: body, Connection: "okta", Hour: rng.IntN(5)}
		switch rng.IntN(10) {
		case 9:
			r.Hidden = true
		case 7, 8:
			r.Connection = "entra"
		}
		all = append(all, r)
		return r.Hidden
	}
	for i := range people {
		reside(user(fmt.Sprintf("u%03d", i)), randomUser(rng, i))
	}
	for i := range groups {
		g := group(fmt.Sprintf("g%03d", i))
		if reside(g, fmt.Sprintf(`{"displayName":"%s %d"}`, pick(rng, titles), i)) {
			continue
		}
		m := membership{Of: g}
		for _, n := range shuffled(rng, people)[:min(people, rng.IntN(6))] {
			m.Members = append(m.Members, user(fmt.Sprintf("u%03d", n)))
		}
		if m.Members = append(m.Members, group(fmt.Sprintf("g%03d", rng.IntN(groups)))); rng.IntN(3) == 2 {
			m.Members = append(m.Members, user("elsewhere"), storage.Ref{Type: "Group", ID: "u001"})
		}
		p.Groups = append(p.Groups, m)
	}
	for order := shuffled(rng, len(all)); len(order) > 0; {
		n := min(len(order), 1+rng.IntN(20))
		var batch []resident
		for _, i := range order[:n] {
			batch = append(batch, all[i])
		}
		p.Batches, order = append(p.Batches, batch), order[n:]
	}
	return p
}

// populate adds a population.
func (d *directory) populate(p population) {
	d.Helper()
	for _, batch := range p.Batches {
		var rs []*storage.Record
		for _, r := range batch {
			rec := *d.record(r.Ref, r.Body)
			rec.Connection, rec.Hidden, rec.Created = r.Connection, r.Hidden, day.Add(time.Duration(r.Hour)*time.Hour)
			rs = append(rs, &rec)
		}
		d.add(rs...)
	}
	for _, m := range p.Groups {
		d.link(m.Of, m.Members...)
	}
}
