package lint

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/musterhq/muster/scim/dialect"
)

const clients = "docs/clients.md"

func TestBehavioursOfTranscriptsAreDocumented(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`(?m)^\| (Q\d\d) \|`)
	documented := map[string]bool{}
	for _, m := range row.FindAllSubmatch(read(t, clients), -1) {
		documented[string(m[1])] = true
	}
	for _, name := range files(t) {
		if path.Dir(name) != "scim/scimtest/transcripts" {
			continue
		}
		for n, line := range strings.Split(strings.TrimSpace(string(read(t, name))), "\n") {
			var step struct{ Q []string }
			if err := json.Unmarshal([]byte(line), &step); err != nil {
				t.Errorf("%s:%d: %v", name, n+1, err)
			}
			for _, q := range step.Q {
				if !documented[q] {
					t.Errorf("%s:%d: %s has no row %s", name, n+1, clients, q)
				}
			}
		}
	}
}

func TestDialectRulesAreDocumented(t *testing.T) {
	t.Parallel()
	text := string(read(t, clients))
	known := map[string]bool{}
	for _, r := range dialect.Rules() {
		known[r.Name] = true
		if !strings.Contains(text, "`"+r.Name+"`") {
			t.Errorf("%s does not mention the rule %s", clients, r.Name)
		}
	}
	// The rules of a row stand in its next to last cell.
	name := regexp.MustCompile("`([^`]+)`")
	for n, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "| Q") {
			continue
		}
		cells := tableCells(line)
		for _, m := range name.FindAllStringSubmatch(cells[len(cells)-2], -1) {
			if !known[m[1]] {
				t.Errorf("%s:%d: there is no rule %s", clients, n+1, m[1])
			}
		}
	}
}
