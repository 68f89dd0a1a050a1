package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/musterhq/muster/internal/sqlplan"
	"github.com/musterhq/muster/internal/turns"
	"github.com/musterhq/muster/storage"
)

// Store keeps records in one file. Make one with [Open]. It is safe for
// concurrent use.
type Store struct {
	config
	path    string
	readers chan *conn // with nil in place of connections that are not open
	writer  writer
	indexes indexes
	totals  sqlplan.Totals
	watch   watch
	turns   turns.Turns

	closing context.Context // done once Close is called
	close   context.CancelFunc

	background sync.Mutex // held while tasks begin, and while closing does
	tasks      sync.WaitGroup
	once       sync.Once
	closed     error
}

var (
	_ storage.Store          = (*Store)(nil)
	_ storage.ChangeLog      = (*Store)(nil)
	_ storage.ChangeNotifier = (*Store)(nil)
	_ storage.Locker         = (*Store)(nil)
	_ storage.BulkCommitter  = (*Store)(nil)
)

// minReaders is how many readers can work at the same time at least.
const minReaders = 4

// errClosed is what a store says that was closed.
var errClosed = errors.New("sqlite: the store is closed")

// Open opens the database in a file, which is made when it does not exist, for
// its owner alone to read, with its tables. path is a path, not a URI; for a database in memory there is
// package memory.
func Open(path string, opts ...Option) (*Store, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{config: c, path: path}
	if path == "" || path == ":memory:" {
		return nil, errors.New("sqlite: a path is needed; for records in memory use package storage/memory")
	}
	s.readers = make(chan *conn, max(minReaders, runtime.GOMAXPROCS(0)))
	for range cap(s.readers) {
		s.readers <- nil
	}
	s.closing, s.close = context.WithCancel(context.Background())
	s.writer.turn = make(chan struct{}, 1)
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) start() error {
	s.create()
	if err := s.useWAL(); err != nil {
		return err
	}
	if s.noMigrate {
		return s.checkVersion(s.closing)
	}
	return s.Migrate(s.closing)
}

// create makes the file if there is none: SQLite would let everybody read it. One
// that exists must not be opened here, since closing it would end the locks of
// other stores of this process. What goes wrong SQLite meets again and tells.
func (s *Store) create() {
	if f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
		_ = f.Close()
	}
}

// useWAL brings the file into WAL mode, in which it stays. SQLite does not wait
// where it would change the mode and others have the file open, so this does.
func (s *Store) useWAL() error {
	for end := time.Now().Add(busyTimeout * time.Millisecond); ; {
		mode := ""
		err := s.read(s.closing, func(c *conn) error {
			row, err := c.first("PRAGMA journal_mode = WAL")
			if err == nil {
				mode = text(row[0])
			}
			return err
		})
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("sqlite: the file cannot be brought into WAL mode, it stays in mode %q", mode)
		case !isBusy(err) || time.Now().After(end):
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Close waits for what is under way and closes the file. Later calls of other
// methods fail.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.background.Lock()
		s.close()
		s.background.Unlock()
		s.tasks.Wait()
		for range cap(s.readers) {
			if c := <-s.readers; c != nil {
				s.closed = errors.Join(s.closed, c.close())
			}
		}
		s.writer.turn <- struct{}{} // for good
		if c := s.writer.conn; c != nil {
			s.closed = errors.Join(s.closed, c.close())
		}
	})
	return s.closed
}

// read runs f with a connection, on whatever is committed when its statements
// begin.
func (s *Store) read(ctx context.Context, f func(*conn) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing.Done():
		return errClosed
	}
	defer func() { s.readers <- c }()
	if s.closing.Err() != nil {
		return errClosed
	}
	if c == nil {
		if c, err = connect(s.path, &s.config); err != nil {
			return err
		}
	}
	err = f(c)
	c = c.keep(err)
	return err
}

// view runs f with a connection, on one state of the database.
func (s *Store) view(ctx context.Context, f func(*conn) error) error {
	return s.read(ctx, func(c *conn) error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := f(c)
		if _, ended := c.exec("COMMIT"); err == nil {
			err = ended
		}
		return err
	})
}

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, tenant string, ref storage.Ref) (rec *storage.Record, err error) {
	err = s.read(ctx, func(c *conn) error {
		rec, err = get(c, tenant, ref)
		return err
	})
	if err == nil && rec == nil {
		err = storage.ErrNotFound
	}
	return rec, err
}
