package vectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/musterhq/muster/internal/jsonvalue"
)

// The files of the vectors, in testdata/vectors.
const (
	PatchFile       = "patch.jsonl"
	FilterFile      = "filter.jsonl"
	FilterUsersFile = "filter-users.json"
)

// Patch is one row of patch.jsonl.
type Patch struct {
	ID     string          `json:"id"`
	Before json.RawMessage `json:"before"`
	// Ops is the array of operations as sent, valid or not.
	Ops json.RawMessage `json:"ops"`
	// After is the representation afterwards; null when Error is set.
	After json.RawMessage `json:"after"`
	Error *Error          `json:"error"`
	Why   string          `json:"why"`
	// Dialect names the tolerance without which the row does not hold.
	Dialect string `json:"dialect"`
	// Mode is "strict" when the row holds only without tolerance.
	Mode        string          `json:"mode"`
	Ambiguous   bool            `json:"ambiguous"`
	Alternative json.RawMessage `json:"alternative"`
	Unchanged   bool            `json:"unchanged"`
	// Replay is "same", "changes", "error", or empty when it is not said.
	Replay string `json:"replay"`
	Pure   bool   `json:"pure"`
}

// Applies reports whether the row holds for a server in strict or in tolerant
// mode.
func (p *Patch) Applies(strict bool) bool { return applies(p.Dialect, p.Mode, strict) }

// Body returns the request body that carries the row's operations.
func (p *Patch) Body() []byte {
	return slices.Concat([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`), p.Ops, []byte(`}`))
}

// Filter is one row of filter.jsonl.
type Filter struct {
	ID     string `json:"id"`
	Filter string `json:"filter"`
	Valid  bool   `json:"valid"`
	// Matches are the ids of the users for which the filter holds, in the order of
	// the users.
	Matches   []string `json:"matches"`
	Error     *Error   `json:"error"`
	Why       string   `json:"why"`
	Dialect   string   `json:"dialect"`
	Mode      string   `json:"mode"`
	Ambiguous bool     `json:"ambiguous"`
}

// Applies reports whether the row holds for a server in strict or in tolerant
// mode.
func (f *Filter) Applies(strict bool) bool { return applies(f.Dialect, f.Mode, strict) }

func applies(dialect, mode string, strict bool) bool {
	if strict {
		return dialect == "" && (mode == "" || mode == "strict")
	}
	return mode != "strict"
}

// Error is the error that a row expects.
type Error struct {
	Status   int    `json:"status"`
	ScimType string `json:"scimType"`
	// AlsoAccept are words that other readings of the RFC lead to.
	AlsoAccept []string `json:"alsoAccept"`
}

// Accepts reports whether an error with a scimType is the expected one.
func (e *Error) Accepts(scimType string) bool {
	return scimType == e.ScimType || slices.Contains(e.AlsoAccept, scimType)
}

// FilterUsers is filter-users.json.
type FilterUsers struct {
	About string `json:"about"`
	// CustomSchema is the schema of the users' second extension, as RFC 7643
	// section 7 writes schemas.
	CustomSchema json.RawMessage   `json:"customSchema"`
	Users        []json.RawMessage `json:"users"`
}

// LoadPatch reads patch.jsonl.
func LoadPatch(fsys fs.FS) ([]Patch, error) { return loadLines[Patch](fsys, PatchFile) }

// LoadFilter reads filter.jsonl.
func LoadFilter(fsys fs.FS) ([]Filter, error) { return loadLines[Filter](fsys, FilterFile) }

// LoadFilterUsers reads filter-users.json.
func LoadFilterUsers(fsys fs.FS) (*FilterUsers, error) {
	data, err := fs.ReadFile(fsys, FilterUsersFile)
	if err != nil {
		return nil, err
	}
	users := new(FilterUsers)
	if err := jsonvalue.DecodeStrict(data, users); err != nil {
		return nil, fmt.Errorf("%s: %w", FilterUsersFile, err)
	}
	return users, nil
}

// loadLines reads a file of one JSON object a line.
func loadLines[T any](fsys fs.FS, name string) ([]T, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var rows []T
	for n, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var row T
		if err := jsonvalue.DecodeStrict(line, &row); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
