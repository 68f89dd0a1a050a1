package memory_test

import (
	"testing"

	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/memory"
	"github.com/musterhq/muster/storage/storagetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() })
}

func BenchmarkContract(b *testing.B) {
	storagetest.Benchmark(b, func(*testing.B) storage.Store { return memory.New() })
}
