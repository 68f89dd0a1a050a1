package filter

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// genExpr draws trees that the parser can make, and trees that it makes only
// from redundant parentheses. depth bounds the nesting.
func genExpr(t *rapid.T, depth int, inner bool) Expr {
	kinds := []string{"comparison"}
	if depth > 0 {
		kinds = append(kinds, "and", "or", "not", "comparison")
		if !inner {
			kinds = append(kinds, "path")
		}
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "and":
		return &Logical{X: genExpr(t, depth-1, inner), Y: genExpr(t, depth-1, inner)}
	case "or":
		return &Logical{Or: true, X: genExpr(t, depth-1, inner), Y: genExpr(t, depth-1, inner)}
	case "not":
		return &Not{X: genExpr(t, depth-1, inner)}
	case "path":
		return &ValuePath{Name: genName(t), X: genExpr(t, depth-1, true)}
	}
	c := &Comparison{Name: genName(t), Op: rapid.SampledFrom([]Op{Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le, Pr}).Draw(t, "op")}
	if c.Op != Pr {
		c.Literal = genLiteral(t)
	}
	return c
}

func genName(t *rapid.T) string {
	name := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z][A-Za-z0-9_$-]{0,5}(\.[A-Za-z][A-Za-z0-9_$-]{0,5})?`),
		rapid.StringMatching(`urn:[a-z]{1,4}(:[A-Za-z0-9.]?[A-Za-z0-9])+:[A-Za-z]{1,4}`),
		rapid.SampledFrom([]string{"$ref", "members.$ref", "eq", "pr", "true", "null"}),
	)
	return name.Filter(isName).Filter(func(s string) bool { return keywordOf(s) == noKeyword }).Draw(t, "name")
}

func genLiteral(t *rapid.T) Literal {
	switch rapid.SampledFrom([]LiteralKind{StringLiteral, NumberLiteral, BoolLiteral, NullLiteral}).Draw(t, "literal") {
	case StringLiteral:
		text := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune(`"\/[]().:' `+"\n\x01\u2028")), rapid.Rune().Filter(func(r rune) bool { return r != 0 })))
		return Literal{Kind: StringLiteral, Text: text.Draw(t, "text")}
	case NumberLiteral:
		return Literal{Kind: NumberLiteral, Text: rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")}
	case BoolLiteral:
		return Literal{Kind: BoolLiteral, Text: rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")}
	}
	return Literal{Kind: NullLiteral}
}

func TestPrintedTreesParseToThemselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := genExpr(t, 4, false)
		got, err := Parse(x.String(), ParseOptions{})
		if err != nil {
			t.Fatalf("%q: %v", x, err)
		}
		if d := cmp.Diff(x, got, ignoreMoreOffsets); d != "" {
			t.Errorf("%q: %s", x, d)
		}
	})
}

func TestPrintedPathsParseToThemselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := PatchPath{Name: rapid.StringMatching(`[A-Za-z]{1,5}|urn:x:[a-z]{1,3}:[a-z.]{0,3}[a-z]`).Filter(isName).Draw(t, "name")}
		if rapid.Bool().Draw(t, "filtered") {
			p.Filter = genExpr(t, 3, true)
			p.Sub = rapid.SampledFrom([]string{"", "value", "$ref", "a_b"}).Draw(t, "sub")
		}
		got, err := ParsePath(p.String(), ParseOptions{})
		if err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		if d := cmp.Diff(p, got, ignoreMoreOffsets); d != "" {
			t.Errorf("%q: %s", p, d)
		}
	})
}
