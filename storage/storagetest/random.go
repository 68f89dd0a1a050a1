package storagetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rand returns a source of choices. Its seed is shown by a failure; setting
// STORAGETEST_SEED to it makes the same choices again.
func (c *check) rand() *rand.Rand {
	seed, err := strconv.ParseUint(os.Getenv("STORAGETEST_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	c.seed = seed
	return rand.New(rand.NewPCG(seed, 0))
}

// chance makes choices: a source of random numbers does, and [drawn].
type chance interface {
	IntN(n int) int // from 0 to n-1
}

func pick(by chance, from []string) string { return from[by.IntN(len(from))] }

// shuffled returns the numbers from 0 to n-1 in any order.
func shuffled(by chance, n int) []int {
	order := make([]int, n)
	for i := range order {
		j := by.IntN(i + 1)
		order[i], order[j] = order[j], i
	}
	return order
}

// drawn makes choices that rapid repeats, and leads back to the first ones when it
// looks for the simplest failure.
type drawn struct{ *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.T, "choice") }

// under is a check of the same rule in another tenant, whose failures are those of
// one attempt of rapid's.
func (c *check) under(t *rapid.T) *check { return newCheck(attempt{c.TB, t}, c.rule, c.store) }

type attempt struct {
	testing.TB
	t *rapid.T
}

func (a attempt) Helper() { a.t.Helper() }

func (a attempt) Fatalf(format string, args ...any) { a.t.Helper(); a.t.Fatalf(format, args...) }
