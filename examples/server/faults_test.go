package main

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/musterhq/muster/internal/pgtest"
)

func TestKilledServersLoseNothingThatTheyAcknowledged(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func(*testing.T) string{
		"sqlite":   newFile,
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, store(t), 2)
			l.faults = true
			l.run(math.MaxInt, func() {
				l.goesOn(40)
				for range 3 {
					l.nodes[0].kill()
					l.goesOn(20) // the other server has no part in it
					l.nodes[0].start()
					l.goesOn(20)
				}
				l.nodes[0].kill()
				l.nodes[1].kill()
				l.nodes[0].start()
				l.nodes[1].start()
				l.goesOn(40)
			})
			l.verify()
		})
	}
}

func TestServiceResumesWhenPostgresIsBack(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*pgtest.Server){"stopped": (*pgtest.Server).Down, "crashed": (*pgtest.Server).Crash} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Start(t, "synchronous_commit=on") // else a crash may lose what it acknowledged
			l := newLoad(t, db.URL(t), 2)
			l.faults = true
			l.run(math.MaxInt, func() {
				for range 2 {
					l.goesOn(60)
					end(db)
					l.isAway(20)
					if err := db.Up(); err != nil {
						t.Error(err)
						return
					}
				}
				l.goesOn(60)
			})
			l.verify()
		})
	}
}

func TestCutConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t)
	url := db.URL(t)
	l := newLoad(t, url, 2)
	l.faults = true
	l.run(math.MaxInt, func() {
		for range 15 {
			l.goesOn(10)
			cut(t, url)
		}
		l.goesOn(60)
	})
	l.verify()
}

// A connection may break when the database has committed and nobody heard of it.
func TestCutNetworkLosesNothing(t *testing.T) {
	t.Parallel()
	p, url := newProxy(t, pgtest.URL(t))
	l := newLoad(t, url, 2)
	l.faults = true
	l.run(math.MaxInt, func() {
		for range 40 {
			l.goesOn(5)
			p.cut()
		}
		l.goesOn(60)
	})
	l.verify()
}

// A database that says nothing is away too, once the time of a request is over.
func TestSilentDatabaseIsAway(t *testing.T) {
	t.Parallel()
	p, url := newProxy(t, pgtest.URL(t))
	l := newLoad(t, url, 2, "-timeout", "500ms")
	l.faults = true
	l.run(math.MaxInt, func() {
		for range 2 {
			l.goesOn(60)
			p.hush()
			l.isAway(10)
			p.speak()
		}
		l.goesOn(60)
	})
	l.verify()
}

// cut ends all sessions of servers.
func cut(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	var sessions int
	const sql = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'muster'`
	if err := conn.QueryRow(ctx, sql).Scan(&sessions); err != nil || sessions == 0 {
		t.Errorf("%d sessions were cut: %v", sessions, err)
	}
}
