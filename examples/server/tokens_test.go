package main

import "testing"

func TestTokensNameTheirTenants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag, tenant, token string
		ok                  bool
	}{
		{"acme=s3cret", "acme", "s3cret", true},
		{"s3cret", "", "s3cret", true},
		{"=s3cret", "", "s3cret", true},
		{"acme=czNjcmV0cw==", "acme", "czNjcmV0cw==", true},
		{"=czNjcmV0cw==", "", "czNjcmV0cw==", true},
		{"", "", "", false},
		{"=", "", "", false},
		{"acme=", "", "", false}, // an unset variable of the shell
		{"acme==", "", "", false},
	} {
		var set tokens
		err := set.Set(c.flag)
		p, there := set[c.token]
		if (err == nil) != c.ok || c.ok && (!there || p.Tenant != c.tenant) {
			t.Errorf("%q: %v, %v", c.flag, set, err)
		}
	}
	var set tokens
	if set.Set("acme=a") != nil || set.Set("umbrella=a") == nil {
		t.Error("two tenants have one token")
	}
}
