package main

import (
	"database/sql"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A limit on the size of files makes writes fail where they are, as a full disk
// does, and can be lifted while the server runs.
func TestFullDiskAsksToComeBackAndDamagesNothing(t *testing.T) {
	t.Parallel()
	store := newFile(t)
	file := strings.TrimPrefix(store, "sqlite:")
	l := newLoad(t, store, 2)
	l.faults = true
	l.run(math.MaxInt, func() {
		for range 3 {
			l.goesOn(60)
			for _, n := range l.nodes {
				limit(t, n, 10_000) // two pages of the log and a half
			}
			l.isAway(30)
			for _, n := range l.nodes {
				if a, err := l.send(n, "GET", "/Users/"+l.shared, "", ""); err != nil || a.status != 200 {
					t.Errorf("with a full disk nothing can be read: %v, %s", err, a)
				}
				limit(t, n, unix.RLIM_INFINITY)
			}
		}
		l.goesOn(60)
	})
	l.verify()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
		t.Errorf("the file is damaged: %v %s", err, found)
	}
}

// limit bounds the size of the files that a server writes.
func limit(t *testing.T, n *node, bytes uint64) {
	t.Helper()
	if err := unix.Prlimit(n.pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
}
