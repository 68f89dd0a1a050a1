package device

import (
	"context"
	"net/http"
	"strings"

	"github.com/musterhq/muster/scim"
)

// Check is a guard for what the definitions of the RFC cannot say (RFC 9944 section
// 7): the form of addresses, the range of a pass key, and that a device with an
// identity resolving key has no separate broadcast address. What it refuses is
// answered 400 invalidValue.
func Check(_ context.Context, _ scim.Principal, effects []scim.Effect) error {
	for i := range effects {
		r := effects[i].After
		if r == nil || effects[i].Type.Schema() != DeviceURN {
			continue
		}
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func check(r *scim.Resource) error {
	for _, a := range []struct {
		name   string
		octets int
	}{
		{BLEURN + ":deviceMacAddress", 6}, {DPPURN + ":deviceMacAddress", 6}, {EthernetMABURN + ":deviceMacAddress", 6},
		{BLEURN + ":separateBroadcastAddress", 6}, {ZigbeeURN + ":deviceEui64Address", 8},
	} {
		for _, address := range r.Strings(a.name) {
			if !isAddress(address, a.octets) {
				return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s must be %d pairs of hexadecimal digits with colons between them", a.name, a.octets)
			}
		}
	}
	if key, ok := r.Int(PairingPassKeyURN + ":key"); ok && (key < 0 || key > 999_999) {
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s:key must have six digits", PairingPassKeyURN)
	}
	if !r.Lookup(BLEURN+":irk").IsZero() && !r.Lookup(BLEURN+":separateBroadcastAddress").IsZero() {
		return scim.Errorf(http.StatusBadRequest, scim.InvalidValue, "%s: a device with an irk has no separateBroadcastAddress", BLEURN)
	}
	return nil
}

// isAddress reports whether s is an address of so many octets, such as
// "2C:54:91:88:C9:E2".
func isAddress(s string, octets int) bool {
	if len(s) != 3*octets-1 {
		return false
	}
	for i := range len(s) {
		if i%3 == 2 {
			if s[i] != ':' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}
