package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/musterhq/muster/storage"
)

// SQLite has one writer at a time, and a flush to disk takes longer than most
// writes. So writers queue up, and whoever's turn it is does the writes of all
// who wait, in one transaction that is flushed once. Each write has a savepoint
// of its own, so that one fails alone.

// writer is the connection that writes and those who wait for it.
type writer struct {
	turn chan struct{} // held by whoever put something into it
	conn *conn         // nil while it is not open; for who has the turn

	mu    sync.Mutex
	queue []*job
}

// job is one write.
type job struct {
	ctx  context.Context
	run  func(context.Context, *conn) error
	done chan error // has room for the outcome
}

// maxJobs bounds the jobs of one transaction.
const maxJobs = 100

// write runs f in a transaction, which takes effect if f returns nil. It may run
// f several times, of which the last one counts.
func (s *Store) write(ctx context.Context, f func(context.Context, *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx, f, make(chan error, 1)}
	w := &s.writer
	w.join(j)
	select {
	case err := <-j.done:
		return err
	case w.turn <- struct{}{}:
		s.lead(j)
		<-w.turn
		return <-j.done
	case <-ctx.Done():
	case <-s.closing.Done():
	}
	if !w.leave(j) {
		return <-j.done // somebody is at it
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errClosed
}

// lead does the writes of all who wait. own is among them, unless somebody else
// has done it.
func (s *Store) lead(own *job) {
	w := &s.writer
	if len(own.done) > 0 {
		return
	}
	if err := s.begin(own.ctx); err != nil {
		if w.leave(own) {
			own.done <- err
		}
		return
	}
	jobs := w.take(own)
	errs, err := runTogether(w.conn, jobs)
	if err != nil {
		s.writer.conn = s.writer.conn.keep(err)
		for i, j := range jobs {
			if errs[i] = err; len(jobs) > 1 {
				errs[i] = s.runAlone(j)
			}
		}
	}
	for i, j := range jobs {
		j.done <- errs[i]
	}
}

// begin starts a transaction that holds off the writers of other processes.
func (s *Store) begin(ctx context.Context) (err error) {
	if s.closing.Err() != nil {
		return errClosed
	}
	w := &s.writer
	if w.conn == nil {
		if w.conn, err = connect(s.path, &s.config); err != nil {
			return err
		}
	}
	err = w.conn.query(ctx, "BEGIN IMMEDIATE", nil, nil)
	w.conn = w.conn.keep(err)
	return err
}

// runTogether ends a transaction with some jobs. When it returns an error,
// nothing of any of them took effect.
func runTogether(c *conn, jobs []*job) (errs []error, err error) {
	errs = make([]error, len(jobs))
	defer func() {
		if err != nil {
			_, _ = c.exec("ROLLBACK") // it fails where SQLite did so by itself
		}
	}()
	for i, j := range jobs {
		if len(jobs) > 1 {
			if _, err := c.exec("SAVEPOINT job"); err != nil {
				return errs, err
			}
		}
		errs[i] = j.run(j.ctx, c)
		switch {
		case errs[i] == nil:
		case len(jobs) == 1 || !ofTheJob(j, errs[i]):
			return errs, errs[i]
		default:
			if _, err := c.exec("ROLLBACK TO job"); err != nil {
				return errs, err
			}
		}
		if len(jobs) > 1 {
			if _, err := c.exec("RELEASE job"); err != nil {
				return errs, err
			}
		}
	}
	_, err = c.exec("COMMIT")
	return errs, err
}

// ofTheJob reports whether an error says nothing about the database.
func ofTheJob(j *job, err error) bool {
	var e *storage.CommitError
	return errors.As(err, &e) || j.ctx.Err() != nil && errors.Is(err, j.ctx.Err())
}

// runAlone does one job in a transaction of its own.
func (s *Store) runAlone(j *job) error {
	if err := s.begin(j.ctx); err != nil {
		return err
	}
	_, err := runTogether(s.writer.conn, []*job{j})
	s.writer.conn = s.writer.conn.keep(err)
	return err
}

func (w *writer) join(j *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, j)
}

// leave takes a job back. It returns false when somebody is at it.
func (w *writer) leave(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, queued := range w.queue {
		if queued == j {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			return true
		}
	}
	return false
}

// take takes jobs from the queue, own among them.
func (w *writer) take(own *job) []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs := []*job{own}
	rest := w.queue[:0]
	for _, j := range w.queue {
		switch {
		case j == own:
		case len(jobs) < maxJobs:
			jobs = append(jobs, j)
		default:
			rest = append(rest, j)
		}
	}
	clear(w.queue[len(rest):])
	w.queue = rest
	return jobs
}
