package storagetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"time"
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
