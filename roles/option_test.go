package roles_test

import (
	"strings"
	"testing"
	"time"

	"github.com/musterhq/muster/roles"
)

func TestNewRefusesOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	if _, err := roles.New(nil, h); err == nil || !strings.Contains(err.Error(), "needs a directory") {
		t.Errorf("no directory: %v", err)
	}
	if _, err := roles.New(h.srv.Directory(), nil); err == nil || !strings.Contains(err.Error(), "an applier") {
		t.Errorf("no applier: %v", err)
	}
	for _, c := range []struct {
		option roles.Option
		says   string // "" when it is fine
	}{
		{roles.WithNesting(-1), "WithNesting"},
		{roles.WithNesting(0), ""},
		{roles.WithLimits(roles.Limits{Losing: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{GainingHighest: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{Deactivating: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{Window: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{Deadline: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{GainingDeadline: -1}), "WithLimits"},
		{roles.WithLimits(roles.Limits{}), ""},
		{roles.WithLease(time.Second - 1), "WithLease"},
		{roles.WithLease(time.Second), ""},
		{roles.WithApplyTimeout(0), "WithApplyTimeout"},
		{roles.WithApplyTimeout(1), ""},
		{nil, ""},
	} {
		_, err := roles.New(h.srv.Directory(), h, c.option)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("refused: %v", err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%v, want a word of %s", err, c.says)
		}
	}
}
