package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// Step is one request of a transcript and what its answer must be.
type Step struct {
	Client  string            `json:"idp"`
	Name    string            `json:"step"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	// Body is sent as it is written, variables apart; null means no body.
	Body json.RawMessage `json:"body"`
	// RawBody is sent instead of Body when it is not empty. Variables in it stand
	// for themselves, without JSON escaping.
	RawBody string            `json:"raw_body"`
	Expect  Expect            `json:"expect"`
	Save    map[string]string `json:"save"`
	// Certain is false when the exact bytes are a guess. A failure of such a step
	// weighs less.
	Certain bool `json:"certain"`
	// Needed marks a step that is not certain although later steps use what it
	// saves.
	Needed bool   `json:"needed"`
	Source string `json:"src"`
	// Behaviours are the numbers of client behaviours, such as "Q24".
	Behaviours []string `json:"q"`
	// File and Line say where the step stands.
	File string `json:"-"`
	Line int    `json:"-"`
}

// Expect is what the answer to a step must be.
type Expect struct {
	// Status lists the status codes that are right.
	Status []int `json:"status"`
	// JSON maps paths into the body to values or matchers.
	JSON map[string]json.RawMessage `json:"json"`
	// Headers maps names to prefixes of the value.
	Headers map[string]string `json:"headers"`
}

// Load reads a transcript. Lines of white space are passed over; an error names
// the line. A member that the format does not have is an error, so that a
// misspelt expectation does not go unchecked.
func Load(fsys fs.FS, name string) ([]Step, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for n, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		step := Step{File: name, Line: n + 1}
		if err := decodeStep(line, &step); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func decodeStep(line []byte, step *Step) error {
	if err := jsonvalue.DecodeStrict(line, step); err != nil {
		return err
	}
	switch {
	case step.Name == "":
		return fmt.Errorf("the step has no name")
	case step.Method == "":
		return fmt.Errorf("step %q has no method", step.Name)
	case len(step.Expect.Status) == 0:
		return fmt.Errorf("step %q expects no status", step.Name)
	}
	for path, want := range step.Expect.JSON {
		if _, err := parsePath(path); err != nil {
			return fmt.Errorf("step %q: %w", step.Name, err)
		}
		if err := checkMatcher(want); err != nil {
			return fmt.Errorf("step %q, %s: %w", step.Name, path, err)
		}
	}
	for _, path := range step.Save {
		if _, err := parsePath(path); err != nil {
			return fmt.Errorf("step %q: %w", step.Name, err)
		}
	}
	return nil
}
