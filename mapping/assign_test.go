package mapping_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/resource"
)

func login() mapping.Field[row] {
	return mapping.Attr("userName", func(r *row) *string { return &r.login })
}

func TestNothingReachesAFieldThatIsNotDeclared(t *testing.T) {
	t.Parallel()
	m := of[Account](t)
	acct := Account{ID: 7, Secret: "kept"}
	ignored, err := m.Assign(&acct, decode(t, `{"userName":"a","Secret":"x","nickName":"n","externalId":"e","name":{"givenName":"g","middleName":"m"},
		"emails":[{"type":"work","value":"w","primary":true,"display":"d"},{"type":"home","value":"h"}],
		"phoneNumbers":[{"type":"home","value":"1"}],
		"addresses":[{"type":"work","locality":"l","country":"c"}],
		"roles":[{"value":"r","type":"t"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d","costCenter":"c"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if acct.ID != 7 || acct.Secret != "kept" || acct.Mobile.Valid {
		t.Errorf("the account is %+v", acct)
	}
	want := []string{
		"addresses.country", "emails", "emails.display", "emails.primary", "externalId", "name.middleName", "nickName",
		"phoneNumbers", "roles.type", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter",
	}
	slices.Sort(ignored)
	if !slices.Equal(ignored, want) {
		t.Errorf("ignored are %q, want %q", ignored, want)
	}
}

func TestAnElementIsChosen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, emails, want string }{
		{"emails[type eq 'work'].value", `[{"type":"home","value":"h"},{"type":"work","value":"w"}]`, "w"},
		{"emails[type eq 'work'].value", `[{"type":"work","value":"1"},{"type":"work","value":"2"}]`, "1"},
		{"emails[type eq 'work'].value", `[{"type":"work","value":"1"},{"type":"WORK","value":"2","primary":true}]`, "2"},
		{"emails[type eq 'work'].value", `[{"type":"home","value":"h","primary":true}]`, ""},
		{"emails[type eq 'work'].value", `[{"type":"work","display":"d"},{"type":"work","value":"w"}]`, "w"},
		{"emails[type eq 'work' and primary eq true].value", `[{"type":"work","value":"1"},{"type":"home","value":"h","primary":true}]`, ""},
		{"emails[primary eq true].value", `[{"value":"1"},{"value":"2","primary":true}]`, "2"},
		{"emails[primary eq true].value", `[{"value":"1"}]`, ""},
		{"emails.value", `[{"value":"1"},{"value":"2","primary":true}]`, "2"},
		{"emails.value", `[{"value":"1"},{"value":"2"}]`, "1"},
		{"emails[display eq 'it''s \"x\"'].value", `[{"display":"it's \"x\"","value":"q"}]`, "q"},
	} {
		m := of(t, login(), at(c.path))
		var r row
		if _, err := m.Assign(&r, decode(t, `{"userName":"u","emails":`+c.emails+`}`)); err != nil || r.text != c.want {
			t.Errorf("%s of %s is %q, %v; want %q", c.path, c.emails, r.text, err, c.want)
		}
	}
}

func TestAnElementIsMadeOfItsTerms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, want string }{
		{"emails[type eq 'work'].value", `{"userName":"u","emails":[{"value":"v","type":"work"}]}`},
		{"emails[type eq 'work' and primary eq true].value", `{"userName":"u","emails":[{"value":"v","type":"work","primary":true}]}`},
		{"emails.value", `{"userName":"u","emails":[{"value":"v"}]}`},
		{"addresses[type eq 'home'].postalCode", `{"userName":"u","addresses":[{"postalCode":"v","type":"home"}]}`},
	} {
		m := of(t, login(), at(c.path))
		r, err := m.Resource(&row{login: "u", text: "v"})
		if err != nil || !r.Equal(decode(t, c.want)) {
			t.Errorf("%s: %s, %v; want %s", c.path, r.Document(), err, c.want)
		}
	}
}

func TestWhatTheHostChangesShowsWithWhatTheSideDocumentKnows(t *testing.T) {
	t.Parallel()
	m := of[WithSide](t)
	const body = `{"userName":"a","active":true,"title":"T","name":{"givenName":"G","middleName":"M"},
		"emails":[{"type":"work","value":"a@x","primary":true},{"type":"home","value":"h@x"}],
		"roles":[{"value":"r","display":"R"},{"value":"s"}]}`
	for _, c := range []struct {
		name   string
		change func(*WithSide)
		want   string
	}{
		{"another address", func(a *WithSide) { a.Work = "new@x" }, strings.Replace(body, "a@x", "new@x", 1)},
		{"no address", func(a *WithSide) { a.Work = "" }, strings.Replace(body, `{"type":"work","value":"a@x","primary":true},`, "", 1)},
		{"no given name", func(a *WithSide) { a.Given = "" }, strings.Replace(body, `"givenName":"G",`, "", 1)},
		{"a role less", func(a *WithSide) { a.Roles = []string{"s"} }, strings.Replace(body, `{"value":"r","display":"R"},`, "", 1)},
		{"a role more", func(a *WithSide) { a.Roles = append(a.Roles, "t") }, strings.Replace(body, `{"value":"s"}`, `{"value":"s"},{"value":"t"}`, 1)},
		{"deactivated", func(a *WithSide) { a.Active = false }, strings.Replace(body, `"active":true`, `"active":false`, 1)},
		{"a database that writes JSON its own way", func(a *WithSide) {
			a.Extra = []byte(strings.NewReplacer(":", " : ", ",", " ,\n").Replace(string(a.Extra)))
		}, body},
	} {
		var acct WithSide
		if _, err := m.Assign(&acct, decode(t, body)); err != nil {
			t.Fatal(err)
		}
		c.change(&acct)
		r, err := m.Resource(&acct)
		if err != nil || !r.Equal(decode(t, c.want)) {
			t.Errorf("%s: %s, %v\nwant %s", c.name, r.Document(), err, c.want)
		}
	}
}

func TestASideDocumentThatIsNoneIsAnErrorWithoutItsText(t *testing.T) {
	t.Parallel()
	m := of[WithSide](t)
	for _, side := range []string{`{`, `[]`, `"secret"`, `{"attributes":"secret"}`, `{"elements":[1]}`} {
		_, err := m.Resource(&WithSide{Account: Account{Login: "a"}, Extra: []byte(side)})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", side, err)
		}
	}
	for _, side := range []string{``, `null`, `{}`} {
		if _, err := m.Resource(&WithSide{Account: Account{Login: "a"}, Extra: []byte(side)}); err != nil {
			t.Errorf("%q: %v", side, err)
		}
	}
}

func TestOnlyOneElementIsPrimaryWhateverTheHostSets(t *testing.T) {
	t.Parallel()
	m := of(t, login(), at("emails[primary eq true].value"), mapping.Side(func(r *row) *[]byte { return &r.side }))
	var r row
	if _, err := m.Assign(&r, decode(t, `{"userName":"u","emails":[{"type":"home","display":"d","primary":true}]}`)); err != nil {
		t.Fatal(err)
	}
	r.text = "new"
	got, err := m.Resource(&r)
	want := `{"userName":"u","emails":[{"value":"new","primary":true},{"type":"home","display":"d"}]}`
	if err != nil || !got.Equal(decode(t, want)) {
		t.Errorf("%s, %v; want %s", got.Document(), err, want)
	}
}

func TestAFieldThatIsSetOnceRefusesAnotherValue(t *testing.T) {
	t.Parallel()
	once := of(t, login(), mapping.Attr("title", text).WriteOnce())
	byFunc := of(t, login(), mapping.Func("title",
		func(r *row) (string, bool) { return r.text, r.text != "" },
		func(r *row, s string, ok bool) error { r.text = s; return nil }).WriteOnce())
	for _, c := range []struct {
		before, sent, after string
		ok                  bool
	}{
		{"", `"title":"a"`, "a", true},
		{"a", `"title":"a"`, "a", true},
		{"a", `"title":"A"`, "a", true}, // the same text where case does not matter
		{"a", `"nickName":"n"`, "a", true},
		{"a", `"title":"b"`, "a", false},
		{"", `"nickName":"n"`, "", true},
	} {
		for name, m := range map[string]*mapping.Mapping[row]{"Attr": once, "Func": byFunc} {
			r := row{text: c.before}
			_, err := m.Assign(&r, decode(t, `{"userName":"u",`+c.sent+`}`))
			var e *scim.Error
			if errors.As(err, &e) && (e.Status != 400 || e.ScimType != scim.Mutability || strings.Contains(e.Detail, `"b"`)) {
				t.Errorf("%s: answered %+v", name, e)
			}
			if (err == nil) != c.ok || r.text != c.after {
				t.Errorf("%s: %q and %s: %q, %v", name, c.before, c.sent, r.text, err)
			}
			if !c.ok && r.login != "" {
				t.Errorf("%s: the row was changed all the same", name)
			}
		}
	}
}

func TestAReadOnlyFieldIsShownAndNeverAssigned(t *testing.T) {
	t.Parallel()
	m := of(t, login(), mapping.Attr("title", text).ReadOnly(), mapping.Side(func(r *row) *[]byte { return &r.side }),
		mapping.Func[row, string]("nickName", func(r *row) (string, bool) { return "nick", true }, nil))
	for body, want := range map[string][]string{
		`{"userName":"u"}`: nil,
		`{"userName":"u","title":"host's","nickName":"nick"}`: nil,
		`{"userName":"u","title":"other","nickName":"other"}`: {"title", "nickName"},
	} {
		r := row{text: "host's"}
		ignored, err := m.Assign(&r, decode(t, body))
		if err != nil || !slices.Equal(ignored, want) || r.text != "host's" || r.side != nil {
			t.Errorf("%s: ignored %q, %v; %+v", body, ignored, err, r)
		}
		got, err := m.Resource(&r)
		if err != nil || got.String("title") != "host's" || got.String("nickName") != "nick" {
			t.Errorf("%s is shown as %s, %v", body, got.Document(), err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	type host struct {
		Login string  `scim:"userName"`
		Kind  string  `scim:"userType,default=Employee, external"`
		Lang  *string `scim:"preferredLanguage,default=en"`
		On    bool    `scim:"active"`
		Zone  string
		Roles []string
	}
	m := of(t, mapping.Attr("timezone", func(h *host) *string { return &h.Zone }).Default("Europe/Oslo"),
		mapping.Attr("roles", func(h *host) *[]string { return &h.Roles }).Default([]string{"user"}))
	h := host{Zone: "old", Kind: "old"}
	if _, err := m.Assign(&h, decode(t, `{"userName":"u"}`)); err != nil {
		t.Fatal(err)
	}
	if h.Kind != "Employee, external" || *h.Lang != "en" || !h.On || h.Zone != "Europe/Oslo" || !slices.Equal(h.Roles, []string{"user"}) {
		t.Errorf("without values: %+v", h)
	}
	if _, err := m.Assign(&h, decode(t, `{"userName":"u","userType":"k","preferredLanguage":"no","active":false,"timezone":"z","roles":[{"value":"r"}]}`)); err != nil {
		t.Fatal(err)
	}
	if h.Kind != "k" || *h.Lang != "no" || h.On || h.Zone != "z" || !slices.Equal(h.Roles, []string{"r"}) {
		t.Errorf("with values: %+v", h)
	}
	off, err := mapping.Of(user, login(), mapping.Attr("active", func(r *row) *bool { return &r.flag }).Default(false))
	r := row{flag: true}
	if err == nil {
		_, err = off.Assign(&r, decode(t, `{"userName":"u"}`))
	}
	if err != nil || r.flag {
		t.Errorf("active by a default of its own: %v, %v", r.flag, err)
	}
}

// person has names that are worked out.
type person struct {
	Login   string `scim:"userName"`
	Given   string `scim:"name.givenName"`
	Last    string `scim:"name.familyName"`
	Display string
	Extra   []byte
}

func (p *person) full() string { return mapping.FullName(p.Given, p.Last) }

func TestADerivedValueFollowsUntilTheClientSetsOne(t *testing.T) {
	t.Parallel()
	kept := []mapping.Field[person]{
		mapping.Attr("displayName", func(p *person) *string { return &p.Display }).Derive((*person).full),
		mapping.Derived("name.formatted", (*person).full),
	}
	side := mapping.Side(func(p *person) *[]byte { return &p.Extra })
	for name, c := range map[string]struct {
		m    *mapping.Mapping[person]
		lost []string
	}{
		"with a side document":    {of(t, append(kept, side)...), nil},
		"without a side document": {of(t, kept...), []string{"name.formatted"}},
	} {
		var p person
		// put replaces the user by what edit makes of what a client is shown, as
		// PATCH does.
		put := func(edit func(*scim.Builder)) []string {
			t.Helper()
			r, err := c.m.Resource(&p)
			if err != nil {
				t.Fatal(err)
			}
			b := r.Edit()
			edit(b)
			ignored, err := c.m.Assign(&p, b.Resource())
			if err != nil {
				t.Fatal(err)
			}
			return ignored
		}
		shown := func() string {
			t.Helper()
			r, err := c.m.Resource(&p)
			if err != nil {
				t.Fatal(err)
			}
			return r.String("displayName") + "|" + r.String("name.formatted")
		}
		expect := func(step, want string, ignored, lost []string) {
			t.Helper()
			if got := shown(); got != want || !slices.Equal(ignored, lost) {
				t.Errorf("%s, %s: shown as %q, ignored %q; want %q, %q", name, step, got, ignored, want, lost)
			}
		}
		if _, err := c.m.Assign(&p, decode(t, `{"userName":"u","name":{"givenName":"Ada","familyName":"King"}}`)); err != nil {
			t.Fatal(err)
		}
		expect("created", "Ada King|Ada King", nil, nil)
		expect("renamed", "Ada Byron|Ada Byron", put(func(b *scim.Builder) { b.Set("name.familyName", "Byron") }), nil)
		expect("told", "Countess|Ada Byron", put(func(b *scim.Builder) { b.Set("displayName", "Countess") }), nil)
		expect("renamed after", "Countess|A Byron", put(func(b *scim.Builder) { b.Set("name.givenName", "A") }), nil)
		formatted := "Lady A."
		if c.lost != nil {
			formatted = "A Byron"
		}
		expect("told the whole name", "Countess|"+formatted, put(func(b *scim.Builder) { b.Set("name.formatted", "Lady A.") }), c.lost)
	}
}

// status is an enum of a host.
type status int

const (
	invited status = iota
	enabled
	disabled
)

func TestConvertersCarryTypesOfTheHost(t *testing.T) {
	t.Parallel()
	type host struct {
		Login  string `scim:"userName"`
		Status status
		Left   time.Time
	}
	now := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	m := of(t,
		mapping.Convert("active", func(h *host) *time.Time { return &h.Left }, func(on bool) (time.Time, error) {
			if on {
				return time.Time{}, nil
			}
			return now, nil
		}, time.Time.IsZero),
		mapping.Convert("userType", func(h *host) *status { return &h.Status }, func(s *string) (status, error) {
			switch *s {
			case "enabled":
				return enabled, nil
			case "taken":
				return 0, scim.NotUnique("userType")
			}
			return 0, fmt.Errorf("no status %q", *s)
		}, func(s status) *string {
			if s == invited {
				return nil
			}
			name := []string{"", "enabled", "disabled"}[s]
			return &name
		}))
	for _, c := range []struct {
		body string
		want host
		back string
	}{
		{`{"userName":"u"}`, host{"u", invited, time.Time{}}, `{"userName":"u","active":true}`},
		{`{"userName":"u","active":false,"userType":"enabled"}`, host{"u", enabled, now}, ""},
	} {
		h := host{Status: disabled, Left: now.AddDate(1, 0, 0)}
		if _, err := m.Assign(&h, decode(t, c.body)); err != nil || h != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.body, h, err, c.want)
		}
		if c.back == "" {
			c.back = c.body
		}
		r, err := m.Resource(&h)
		if err != nil || !r.Equal(decode(t, c.back)) {
			t.Errorf("%s came back as %s, %v", c.body, r.Document(), err)
		}
	}
	before := host{"old", disabled, now}
	for body, want := range map[string]int{`{"userName":"u","userType":"odd"}`: 400, `{"userName":"u","userType":"taken"}`: 409} {
		h := before
		_, err := m.Assign(&h, decode(t, body))
		var e *scim.Error
		if !errors.As(err, &e) || e.Status != want || strings.Contains(e.Detail, "odd") {
			t.Errorf("%s: %v, want %d", body, err, want)
		}
		if h != before {
			t.Errorf("%s: the account was changed all the same: %+v", body, h)
		}
	}
}

func TestAllProblemsOfABodyAreAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	m := of(t, mapping.Attr("userName", func(r *row) *string { return &r.login }).Max(3),
		mapping.Attr("title", text).Max(3))
	_, err := m.Assign(new(row), decode(t, `{"userName":"uuuu","title":"tttt"}`))
	want := "userName is longer than 3 characters; title is longer than 3 characters"
	var e *scim.Error
	if !errors.As(err, &e) || e.Detail != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestMetaIsTheHosts(t *testing.T) {
	t.Parallel()
	type stamped struct {
		ID      id         `scim:"id"`
		Login   string     `scim:"userName"`
		Made    time.Time  `scim:"meta.created"`
		Changed *time.Time `scim:"meta.lastModified"`
		Version uint32     `scim:"meta.version"`
	}
	m := of[stamped](t)
	made, changed := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC), time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)
	h := stamped{ID: id{1, 0xab}, Login: "u", Made: made, Changed: &changed, Version: 3}
	r, err := m.Resource(&h)
	if want := (scim.Meta{ID: "01ab", Version: "3", Created: made, LastModified: changed}); err != nil || r.Meta() != want {
		t.Errorf("the meta is %+v, %v; want %+v", r.Meta(), err, want)
	}
	ignored, err := m.Assign(&h, decode(t, `{"userName":"v"}`).WithMeta(scim.Meta{ID: "other", Version: "9", Created: changed}))
	if err != nil || ignored != nil || h != (stamped{ID: id{1, 0xab}, Login: "v", Made: made, Changed: &changed, Version: 3}) {
		t.Errorf("assigned: %+v, %q, %v", h, ignored, err)
	}
	h.Changed = nil
	if r, err := m.Resource(&h); err != nil || !r.Meta().LastModified.IsZero() {
		t.Errorf("without a time: %+v, %v", r.Meta(), err)
	}
}

// id is an identifier that writes itself.
type id [2]byte

func (i id) MarshalText() ([]byte, error)     { return fmt.Appendf(nil, "%x", i[:]), nil }
func (i *id) UnmarshalText(text []byte) error { return errors.New("never read") }

func TestAResourceOfAnotherServerIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := of[Account](t).Assign(new(Account), decodeDevice(t, `{"s":"a"}`)); err == nil {
		t.Error("there is no error")
	}
}

func TestAHostRowWithoutARequiredValueIsAnError(t *testing.T) {
	t.Parallel()
	var missing *resource.DecodeError
	if _, err := of[Account](t).Resource(&Account{ID: 1}); !errors.As(err, &missing) {
		t.Errorf("the error is %v", err)
	}
}

func TestAnElementIsNoneByWhatIsDerivedAlone(t *testing.T) {
	t.Parallel()
	m := of(t, login(), at("emails[type eq 'work'].value"), mapping.Side(func(r *row) *[]byte { return &r.side }),
		mapping.Derived("emails[type eq 'work'].display", func(r *row) string { return "D" }))
	shown := func(r *row) string {
		t.Helper()
		res, err := m.Resource(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(res.Get(user.MustResolve("emails")).JSON())
	}
	if got := shown(&row{login: "u"}); got != "" {
		t.Errorf("without a value there are the emails %s", got)
	}
	if got, want := shown(&row{login: "u", text: "v"}), `[{"value":"v","display":"D","type":"work"}]`; got != want {
		t.Errorf("the emails are %s, want %s", got, want)
	}
	var r row
	if _, err := m.Assign(&r, decode(t, `{"userName":"u","emails":[{"type":"work","display":"E","primary":true},{"type":"work","value":"w"}]}`)); err != nil || r.text != "w" {
		t.Errorf("the element with a value is not chosen: %q, %v", r.text, err)
	}
}

func TestWhatAPointerLeadsToIsReplacedNotChanged(t *testing.T) {
	t.Parallel()
	m := of[Account](t)
	city := "Oslo"
	roles := []string{"admin", "owner"}
	acct := Account{City: &city, Roles: roles[:1]}
	body := `{"userName":"a","addresses":[{"type":"work","locality":"Bergen"}],"roles":[{"value":"x"},{"value":"y"}]}`
	if _, err := m.Assign(&acct, decode(t, body)); err != nil {
		t.Fatal(err)
	}
	if *acct.City != "Bergen" || city != "Oslo" || !slices.Equal(acct.Roles, []string{"x", "y"}) || !slices.Equal(roles, []string{"admin", "owner"}) {
		t.Errorf("%q and %q, of which %q and %q were there before", *acct.City, acct.Roles, city, roles)
	}
}

func TestAnEmptyTextInAnElementIsNotLost(t *testing.T) {
	t.Parallel()
	type mail struct {
		Address string `scim:"value"`
	}
	type account struct {
		Login string `scim:"userName"`
		Mails []mail `scim:"emails"`
	}
	m := of[account](t)
	var a account
	ignored, err := m.Assign(&a, decode(t, `{"userName":"u","emails":[{"value":"a@x","display":""},{"value":"b@x","type":"home"}]}`))
	if err != nil || !slices.Equal(ignored, []string{"emails.type"}) || len(a.Mails) != 2 {
		t.Errorf("%+v, ignored %q, %v", a, ignored, err)
	}
}

// A mapping or a schema that changes leaves side documents behind.
func TestASideDocumentOfAnotherVersionIsReadAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	m := of[WithSide](t)
	for _, c := range []struct{ name, side, want string }{
		{"an attribute that is gone", `{"attributes":{"gone":"x","title":"T"}}`, `,"title":"T"`},
		{"an extension that is gone", `{"attributes":{"urn:example:gone":{"a":1},"title":"T"}}`, `,"title":"T"`},
		{"another type", `{"attributes":{"title":{"a":1},"nickName":"N"}}`, `,"nickName":"N"`},
		{"what has a field now", `{"attributes":{"userName":"old","name":{"familyName":"F"}}}`, `,"name":{"familyName":"F"}`},
		{"an element of a field that is gone", `{"elements":{"emails":[{"type":"home","primary":true}]}}`, ``},
		{"something new", `{"other":1}`, ``},
	} {
		a := WithSide{Account: Account{Login: "a"}, Extra: []byte(c.side)}
		r, err := m.Resource(&a)
		want := decode(t, `{"userName":"a","active":false`+c.want+`}`)
		if err != nil || !r.Equal(want) {
			t.Errorf("%s: %s, %v; want %s", c.name, r.Document(), err, want.Document())
			continue
		}
		if _, err := m.Assign(&a, r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if again, err := m.Resource(&a); err != nil || !again.Equal(r) {
			t.Errorf("%s: %s after %s, %v", c.name, again.Document(), r.Document(), err)
		}
	}
}
