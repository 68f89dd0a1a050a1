package postgres

import (
	"testing"
	"time"
)

// While nobody follows, no connection listens, however soon followers left.
func TestNobodyListensForFollowersWhoLeft(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	for range 20 {
		_, stop := s.NotifyChanges("acme")
		stop()
		listening := true
		for end := time.Now().Add(20 * time.Second); listening && time.Now().Before(end); time.Sleep(time.Millisecond) {
			s.notifier.mu.Lock()
			listening = s.notifier.listening
			s.notifier.mu.Unlock()
		}
		if listening {
			t.Fatal("somebody listens although nobody follows")
		}
	}
	_, stop := s.NotifyChanges("acme")
	defer stop()
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	if !s.notifier.listening {
		t.Error("nobody listens although somebody follows")
	}
}
