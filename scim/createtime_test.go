package scim_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/musterhq/muster/scim"
)

// Holds: R-008
func TestANewGroupIsUnmodifiedWhateverTypesItsMembersTurnOutToHave(t *testing.T) {
	t.Parallel()
	var ticks atomic.Int64
	srv := newServer(t, scim.WithClock(func() time.Time { return time.Unix(1_800_000_000+ticks.Add(1), 0) }))
	inner := send(t, srv, "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Inner"}`).want(t, 201).id()
	a := send(t, srv, "POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Outer","members":[{"value":"`+inner+`"}]}`).want(t, 201)
	meta, _ := a.json["meta"].(map[string]any)
	if members, _ := a.json["members"].([]any); len(members) != 1 || meta["created"] != meta["lastModified"] {
		t.Error(a.Body)
	}
}
