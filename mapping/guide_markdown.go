package mapping

import (
	"regexp"
	"strings"
)

// The guides are written in a part of Markdown that is small enough to be read
// back: headings of the third level, paragraphs, lists without lists inside,
// tables, fenced code; in them code, strong text and escapes. HTML is made from
// what is read, so that there is one text and one place where texts are escaped.

// block is a block of a guide.
type block struct {
	Kind  string   // heading, paragraph, steps, list, table or code
	Text  string   // of code
	Items [][]span // of lists; one of a heading and of a paragraph
	Head  [][]span // of a table
	Rows  [][][]span
}

// span is a piece of text in a block.
type span struct {
	Text         string
	Code, Strong bool
}

var listItem = regexp.MustCompile(`^(?:(\d+)\.|-) +`)

// parseBlocks reads a section.
func parseBlocks(text string) []block {
	var blocks []block
	var lines []string // of the block that is being read
	kind := ""
	end := func() {
		if kind != "" {
			blocks = append(blocks, newBlock(kind, lines))
		}
		kind, lines = "", nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		item := listItem.FindStringSubmatch(line)
		switch {
		case kind == "code":
			if line == "```" {
				end()
				continue
			}
			lines = append(lines, line)
			continue
		case strings.HasPrefix(line, "```") && !strings.Contains(line[len("```"):], "`"): // else it is code in a text
			end()
			kind = "code"
			continue
		case line == "":
			end()
			continue
		case strings.HasPrefix(line, "### "):
			end()
			kind, line = "heading", line[len("### "):]
		case strings.HasPrefix(line, "|"):
			if kind != "table" {
				end()
			}
			kind = "table"
		case item != nil:
			this := "list"
			if item[1] != "" {
				this = "steps"
			}
			if kind != this {
				end()
			}
			kind, line = this, line[len(item[0]):]
		case kind == "steps" || kind == "list":
			lines[len(lines)-1] += " " + strings.TrimLeft(line, " ")
			continue
		case kind == "":
			kind = "paragraph"
		}
		lines = append(lines, line)
	}
	end()
	return blocks
}

func newBlock(kind string, lines []string) block {
	b := block{Kind: kind}
	switch kind {
	case "code":
		b.Text = strings.Join(lines, "\n")
	case "table":
		for i, line := range lines {
			switch i {
			case 0:
				b.Head = parseCells(line)
			case 1: // the line between head and rows
			default:
				b.Rows = append(b.Rows, parseCells(line))
			}
		}
	case "steps", "list":
		for _, line := range lines {
			b.Items = append(b.Items, parseSpans(line))
		}
	default:
		b.Items = [][]span{parseSpans(strings.Join(lines, " "))}
	}
	return b
}

// parseCells reads a row of a table. A bar behind a backslash is text, in code
// too.
func parseCells(line string) [][]span {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	var cells [][]span
	begin := 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && (line[i] != '|' || i > 0 && line[i-1] == '\\') {
			continue
		}
		cells = append(cells, parseSpans(strings.ReplaceAll(strings.TrimSpace(line[begin:i]), `\|`, "|")))
		begin = i + 1
	}
	return cells
}

// parseSpans reads the text of a block.
func parseSpans(text string) []span {
	var spans []span
	var b strings.Builder
	strong := false
	end := func() {
		if b.Len() > 0 {
			spans = append(spans, span{Text: b.String(), Strong: strong})
			b.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\\' && i+1 < len(text) && isPunctuation(text[i+1]):
			b.WriteByte(text[i+1])
			i += 2
		case text[i] == '`':
			code, n := parseCode(text[i:])
			if n == 0 {
				b.WriteByte('`')
				i++
				continue
			}
			end()
			spans = append(spans, span{Text: code, Code: true})
			i += n
		case strings.HasPrefix(text[i:], "**"):
			end()
			strong = !strong
			i += 2
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	end()
	return spans
}

// parseCode reads a span of code at the start of text and returns how many bytes
// it takes, 0 when there is none.
func parseCode(text string) (code string, n int) {
	fence := text[:len(text)-len(strings.TrimLeft(text, "`"))]
	for i := len(fence); i < len(text); i++ {
		if text[i] != '`' {
			continue
		}
		run := text[i : i+len(text[i:])-len(strings.TrimLeft(text[i:], "`"))]
		if len(run) == len(fence) {
			code := text[len(fence):i]
			if len(code) > 1 && code[0] == ' ' && code[len(code)-1] == ' ' && strings.TrimSpace(code) != "" {
				code = code[1 : len(code)-1]
			}
			return code, i + len(run)
		}
		i += len(run) - 1
	}
	return "", 0
}

func isPunctuation(c byte) bool {
	return c > ' ' && c < 0x7f && !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
}
