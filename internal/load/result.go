package main

import (
	"fmt"
	"time"
)

// result is what a phase measured.
type result struct {
	name       string
	took       time.Duration
	times      []time.Duration // of each operation, ascending
	failed     int
	firstError error
}

var header = fmt.Sprintf("%-11s %9s %7s %10s %10s %10s %10s %10s", "phase", "done", "failed", "per s", "p50", "p95", "p99", "max")

// String returns one line under header; a second one says the first error.
func (r result) String() string {
	line := fmt.Sprintf("%-11s %9d %7d %10.1f %10s %10s %10s %10s", r.name, len(r.times)-r.failed, r.failed,
		float64(len(r.times)-r.failed)/max(r.took.Seconds(), 1e-9),
		r.percentile(50), r.percentile(95), r.percentile(99), r.percentile(100))
	if r.firstError != nil {
		line += fmt.Sprintf("\n  first error: %v", r.firstError)
	}
	return line
}

// percentile returns the time within which p percent of the operations were
// done, by the nearest rank.
func (r result) percentile(p int) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	rank := (len(r.times)*p + 99) / 100
	return r.times[max(rank, 1)-1].Round(time.Microsecond)
}
