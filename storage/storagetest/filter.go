package storagetest

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/musterhq/muster/storage"
)

func filterRules() []rule {
	return []rule{
		{"filter/agrees_with_match", "A query returns the records that filter.Match finds: never fewer, never others.", func(c *check) {
			rapid.Check(c, func(t *rapid.T) {
				d := newDirectory(c.under(t))
				d.populate(rapid.Custom(func(t *rapid.T) population {
					by := drawn{t}
					return randomPopulation(by, by.IntN(25), by.IntN(8))
				}).Draw(t, "population"))
				questions := rapid.Custom(func(t *rapid.T) question { return randomQuestion(drawn{t}, d) })
				for _, q := range rapid.SliceOfN(questions, 1, 20).Draw(t, "questions") {
					d.agrees(q)
				}
			})
		}},
	}
}

// randomQuestion makes a question about users or groups.
func randomQuestion(rng chance, d *directory) question {
	q := question{typ: d.user, filter: randomFilter(rng, userTerms(rng), 3)}
	sorts := sortAttributes
	if rng.IntN(4) == 3 {
		q = question{typ: d.group, filter: randomFilter(rng, groupTerms(rng), 3)}
		sorts = []string{"", "displayName", "meta.created", "externalId"}
	}
	q.hidden, q.onlyHidden = rng.IntN(3) == 2, rng.IntN(8) == 7
	if rng.IntN(3) == 2 {
		q.connection = pick(rng, []string{"okta", "entra"})
	}
	q.total = storage.Total(rng.IntN(3))
	if rng.IntN(2) == 1 {
		q.offset, q.limit = rng.IntN(5), 1+rng.IntN(10)
	}
	if rng.IntN(2) == 1 {
		q.descending, q.sort = rng.IntN(2) == 1, pick(rng, sorts)
	}
	return q
}

// randomFilter joins terms with and, or and not.
func randomFilter(rng chance, term func() string, depth int) string {
	if depth == 0 || rng.IntN(3) == 0 {
		return term()
	}
	x := randomFilter(rng, term, depth-1)
	switch rng.IntN(4) {
	case 3:
		return "not (" + x + ")"
	case 2:
		return "(" + x + ") or (" + randomFilter(rng, term, depth-1) + ")"
	default:
		return "(" + x + ") and (" + randomFilter(rng, term, depth-1) + ")"
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

var (
	textOps    = []string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}
	orderedOps = []string{"eq", "ne", "gt", "ge", "lt", "le"}
)

// textTerm compares a text attribute with a value that it may have, with a part
// of one, or with nothing.
func textTerm(rng chance, attr string, values []string) string {
	if rng.IntN(8) == 0 {
		return pick(rng, []string{attr + " pr", attr + " eq null", attr + " ne null"})
	}
	v := []rune(pick(rng, values))
	if rng.IntN(4) == 0 && len(v) > 1 {
		v = v[rng.IntN(len(v)):]
	}
	if rng.IntN(4) == 0 {
		v = []rune(strings.ToUpper(string(v)))
	}
	return attr + " " + pick(rng, textOps) + " " + quote(string(v))
}

func userTerms(rng chance) func() string {
	term := func() string {
		switch rng.IntN(14) {
		case 0:
			return textTerm(rng, "userName", []string{"user", "u_", "ü", fmt.Sprintf("user%03d", rng.IntN(80)), fmt.Sprintf("%03d", rng.IntN(80))})
		case 1:
			return textTerm(rng, "displayName", displayNames)
		case 2:
			return textTerm(rng, "title", titles)
		case 3:
			return textTerm(rng, "externalId", []string{"A1", "a1", "a", "ä2", "%"})
		case 4:
			return textTerm(rng, pick(rng, []string{"emails", "emails.value"}), addresses)
		case 5:
			return textTerm(rng, "emails.type", kinds)
		case 6:
			return textTerm(rng, pick(rng, []string{"name.familyName", "name.givenName"}), displayNames)
		case 7:
			return textTerm(rng, testURN+pick(rng, []string{":code", ":tags"}), codes)
		case 8:
			return testURN + pick(rng, []string{":level", ":score", ":rank"}) + " " + pick(rng, orderedOps) + " " + pick(rng, append(scores, levels...))
		case 9:
			return testURN + pick(rng, []string{":hired", ":born"}) + " " + pick(rng, orderedOps) + " " + quote(pick(rng, instants))
		case 10:
			return pick(rng, []string{"active", testURN + ":flag"}) + " " + pick(rng, []string{"eq true", "eq false", "ne true", "pr", "eq null"})
		case 11:
			return pick(rng, []string{"meta.created", "meta.lastModified"}) + " " + pick(rng, orderedOps) + " " + quote(pick(rng, []string{"2026-01-01T02:59:59.999999Z", "2026-01-01T00:59:59.999999+01:00", "2026-03-04T05:06:09Z", "2025-01-01T00:00:00Z"}))
		case 12:
			return pick(rng, []string{
				"groups pr", "groups eq null", "groups.value eq " + quote(fmt.Sprintf("g%03d", rng.IntN(16))), "groups ne " + quote(fmt.Sprintf("g%03d", rng.IntN(16))),
				`groups.type eq "direct"`, "groups[value eq " + quote(fmt.Sprintf("g%03d", rng.IntN(16))) + "]",
			})
		default:
			return "id " + pick(rng, []string{"eq", "ne", "sw", "gt", "le"}) + " " + quote(fmt.Sprintf("u%03d", rng.IntN(90)))
		}
	}
	element := func() string {
		return pick(rng, []string{textTerm(rng, "type", kinds), textTerm(rng, "value", addresses), "primary eq true", "not (type pr)"})
	}
	return func() string {
		if rng.IntN(6) == 0 {
			return "emails[" + randomFilter(rng, element, 2) + "]"
		}
		return term()
	}
}

func groupTerms(rng chance) func() string {
	return func() string {
		id := quote(pick(rng, []string{fmt.Sprintf("u%03d", rng.IntN(80)), fmt.Sprintf("g%03d", rng.IntN(16)), "elsewhere", "u001"}))
		switch rng.IntN(4) {
		case 0:
			return textTerm(rng, "displayName", titles)
		case 1:
			return pick(rng, []string{"members pr", "not (members pr)", `members.type eq "User"`, `members[type eq "Group"]`, "groups pr", "groups.value eq " + id})
		case 2:
			return "members[value eq " + id + " and type eq " + pick(rng, []string{`"User"`, `"Group"`}) + "]"
		default:
			return pick(rng, []string{"members.value eq ", "members eq ", "members ne "}) + id
		}
	}
}
