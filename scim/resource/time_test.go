package resource

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimesAreWrittenAsTheTimePackageDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(-62_135_596_800, 253_402_300_799+1e9).Draw(t, "seconds")
		ns := rapid.OneOf(rapid.Int64Range(0, 999_999_999), rapid.SampledFrom([]int64{0, 1, 10, 1e6, 120e6, 999e6})).Draw(t, "nanoseconds")
		at := time.Unix(sec, ns).UTC()
		if got, want := string(appendTime(nil, at)), at.Format(time.RFC3339Nano); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
