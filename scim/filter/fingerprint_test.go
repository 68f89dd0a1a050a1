package filter_test

import (
	"testing"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
)

func TestFingerprintIsThatOfWhatIsAsked(t *testing.T) {
	t.Parallel()
	users := schema.MustCompile(schema.User(), schema.Group())
	plan := func(text string) *filter.Plan {
		expr, err := filter.Parse(text, filter.ParseOptions{})
		if err != nil {
			t.Fatal(text, err)
		}
		p, err := filter.Compile(users, expr, filter.Options{})
		if err != nil {
			t.Fatal(text, err)
		}
		return p
	}
	seen := map[[32]byte]string{(*filter.Plan)(nil).Fingerprint(): "everything"}
	for _, same := range [][]string{
		{`userName eq "ada"`, `USERNAME  eq "Ada"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "\u0061da"`, `((userName EQ "ADA"))`},
		{`userName eq "adb"`}, {`userName ne "ada"`, `not (userName eq "ada")`}, {`userName sw "ada"`}, {`displayName eq "ada"`},
		{`externalId eq "ada"`}, {`externalId eq "Ada"`}, {`userName pr`}, {`active eq true`}, {`active eq false`},
		{`userName pr and active eq true`}, {`userName pr or active eq true`}, {`not (userName pr)`},
		{`userName pr and active eq true and title pr`, `(userName pr and active eq true) and title pr`},
		{`userName pr and (active eq true or title pr)`}, {`(userName pr and active eq true) or title pr`},
		{`emails[type eq "work" and value pr]`}, {`emails.type eq "work" and emails.value pr`}, {`emails[type eq "work"]`},
		{`groups.value eq "7"`}, {`groups.value eq "8"`}, {`groups pr`},
		{`meta.created gt "2026-01-01T00:00:00Z"`, `meta.created gt "2026-01-01T01:00:00+01:00"`}, {`meta.created ge "2026-01-01T00:00:00Z"`},
		{`nosuch pr`, `nosuch eq "a"`}, {`not (nosuch pr)`},
	} {
		first := plan(same[0]).Fingerprint()
		if other, taken := seen[first]; taken {
			t.Errorf("%s and %s have one fingerprint", same[0], other)
		}
		seen[first] = same[0]
		for _, text := range same[1:] {
			if plan(text).Fingerprint() != first {
				t.Errorf("%s and %s have two fingerprints", same[0], text)
			}
		}
	}
}
