//go:build !race

package roles_test

const raceDetector = false
