package storagetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

// newRand returns a source of choices and its seed, which failures show. Setting
// STORAGETEST_SEED to a seed repeats a failure.
func newRand() (*rand.Rand, uint64) {
	seed, err := strconv.ParseUint(os.Getenv("STORAGETEST_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
	}
	return rand.New(rand.NewPCG(seed, 0)), seed
}
