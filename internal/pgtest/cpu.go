package pgtest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU returns the time that the server has spent computing, with all of its
// processes, or 0 where the machine does not tell.
func (s *Server) CPU() time.Duration {
	pid, err := os.ReadFile(s.path("data/postmaster.pid"))
	if err != nil {
		return 0
	}
	main, _, _ := strings.Cut(string(pid), "\n")
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	ticks := 0
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold spaces; behind it come state and parent.
		_, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if len(f) < 15 {
			continue
		}
		own := filepath.Base(filepath.Dir(name)) == main
		if !own && f[1] != main {
			continue
		}
		for i, field := range f[11:15] { // user, system, and those of children that ended
			if i < 2 || own {
				n, _ := strconv.Atoi(field)
				ticks += n
			}
		}
	}
	return time.Duration(ticks) * (time.Second / 100) // Linux counts hundredths
}
