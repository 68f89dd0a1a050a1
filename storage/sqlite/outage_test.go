package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/musterhq/muster/storage/storagetest"
)

// A file system that is not mounted for a while: the file cannot be opened, and
// what was open is lost.
func TestFileThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "directory.db")
	s := openAt(t, path)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	storagetest.Outage(t, s, func() {
		s.disconnect(t)
		must(os.Rename(path, path+".away"))
		must(os.Mkdir(path, 0o700))
	}, func() {
		must(os.Remove(path))
		must(os.Rename(path+".away", path))
	})
}

// disconnect closes all connections.
func (s *Store) disconnect(t *testing.T) {
	t.Helper()
	drop := func(c *conn) {
		if c != nil {
			if err := c.close(); err != nil {
				t.Error(err)
			}
		}
	}
	for range cap(s.readers) {
		drop(<-s.readers)
		s.readers <- nil
	}
	s.writer.turn <- struct{}{}
	drop(s.writer.conn)
	s.writer.conn = nil
	<-s.writer.turn
}
