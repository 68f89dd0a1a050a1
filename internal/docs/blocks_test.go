package docs

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// block is a fenced block of a page, or a comment that is meant for the blocks
// below it.
type block struct {
	page string
	line int // of its first line of text
	lang string
	text string
	why  string // the reason why a block of Go is not compiled
	from string // the file that a block is quoted from
}

func (b block) name() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// hidden is the language of a comment that holds declarations.
const hidden = "hidden go"

// pages returns the names of the README and of all pages below docs.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Comments right before a block.
var (
	notCompiled = regexp.MustCompile(`^<!-- not compiled:\s*(.*?)\s*-->$`)
	quotedFrom  = regexp.MustCompile(`^<!-- quoted from (\S+) -->$`)
)

// blocks returns the blocks of a page, in order.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	var found []block
	var b *block
	end, indent, why, from := "", "", "", ""
	for n, line := range strings.Split(read(t, page), "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case b != nil && bare == end:
			found = append(found, *b)
			b = nil
		case b != nil:
			b.text += strings.TrimPrefix(line, indent) + "\n"
		case strings.HasPrefix(bare, "```"):
			indent = line[:strings.Index(line, "`")]
			b, end = &block{page: page, line: n + 2, lang: strings.TrimPrefix(bare, "```"), why: why, from: from}, "```"
		case bare == "<!-- go":
			b, end, indent = &block{page: page, line: n + 2, lang: hidden}, "-->", ""
		case notCompiled.MatchString(bare):
			why = cmp.Or(notCompiled.FindStringSubmatch(bare)[1], "-")
			continue
		case quotedFrom.MatchString(bare):
			from = quotedFrom.FindStringSubmatch(bare)[1]
			continue
		}
		if bare != "" && b == nil {
			why, from = "", ""
		}
	}
	if b != nil {
		t.Errorf("%s: the block does not end", b.name())
	}
	return found
}

func TestBlocksAreFoundAsTheyStand(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		fences := strings.Count(read(t, page), "```go\n")
		found := 0
		for _, b := range blocks(t, page) {
			if b.lang == "go" {
				found++
			}
			if b.why != "" && (b.lang != "go" || len(strings.Fields(b.why)) < 3) {
				t.Errorf("%s: say in a sentence why this block of Go is not compiled", b.name())
			}
		}
		if found != fences {
			t.Errorf("%s: %d blocks of Go found, %d are there", page, found, fences)
		}
	}
}

func TestQuotedBlocksStandInTheirFiles(t *testing.T) {
	t.Parallel()
	// Indentation and comments aside. An empty line divides quotations.
	aside := regexp.MustCompile(`(?m)^[ \t]+|[ \t]*//.*$`)
	bare := func(text string) string { return aside.ReplaceAllString(text, "") }
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			for quoted := range strings.SplitSeq(bare(b.text), "\n\n") {
				if b.from != "" && !strings.Contains(bare(read(t, b.from)), strings.TrimSpace(quoted)) {
					t.Errorf("%s: this does not stand in %s:\n%s", b.name(), b.from, quoted)
				}
			}
		}
	}
}

// elided is a block's text without its ellipses: those outside of comments stand
// for what is left out.
func elided(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		code, comment, has := strings.Cut(line, "//")
		b.WriteString(strings.ReplaceAll(code, "…", ""))
		if has {
			b.WriteString("//" + comment)
		}
	}
	return b.String()
}

func TestTheReadmeListsEveryPage(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "docs/") && !strings.Contains(readme, "]("+page+")") {
			t.Errorf("%s is not among the pages of README.md", page)
		}
	}
}
