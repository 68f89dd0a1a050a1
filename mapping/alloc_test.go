package mapping_test

import "testing"

// The figures are those of assignments by hand, but for the few allocations of a
// list of selected elements and of reflection on a slice; see the benchmarks.
func TestAllocations(t *testing.T) {
	byTags, byCode, hand := of[Account](t), of(t, codedFields()...), newByHand()
	r := decode(t, full)
	var a Account
	var c coded
	for _, run := range []struct {
		name string
		most float64
		run  func()
	}{
		{"Assign by hand", 14, func() { hand.assign(&a, r) }},
		{"Assign by tags", 16, func() { byTags.Assign(&a, r) }},
		{"Assign by code", 16, func() { byCode.Assign(&c, r) }},
		{"Resource by hand", 105, func() { hand.resource(&a) }},
		{"Resource by tags", 95, func() { byTags.Resource(&a) }},
		{"Resource by code", 95, func() { byCode.Resource(&c) }},
	} {
		if got := testing.AllocsPerRun(100, run.run); got > run.most {
			t.Errorf("%s: %v allocations, at most %v are meant", run.name, got, run.most)
		}
	}
}
