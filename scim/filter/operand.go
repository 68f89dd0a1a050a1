package filter

import (
	"strconv"
	"strings"

	"github.com/musterhq/muster/scim/resource"
	"github.com/musterhq/muster/scim/schema"
)

// operand checks that operator and literal suit attribute p, and makes the
// operand of the literal.
func (c *compiler) operand(p schema.Path, e *Comparison) (Operand, error) {
	a := p.Attribute()
	if err := checkOperator(p, a, e); err != nil {
		return Operand{}, err
	}
	lit := e.Literal
	switch {
	case a.Type.IsText() && (lit.Kind == StringLiteral || lit.Kind == BareLiteral):
		return Operand{Text: lit.Text, Key: textKey(a, lit.Text)}, nil
	case a.Type == schema.Boolean && lit.Kind == BoolLiteral:
		return boolOperand(lit.Text == "true"), nil
	case a.Type == schema.Boolean && lit.Kind == StringLiteral && c.opts.BooleanText:
		if yes := strings.EqualFold(lit.Text, "true"); yes || strings.EqualFold(lit.Text, "false") {
			c.used("BooleanText")
			return boolOperand(yes), nil
		}
	case isNumeric(a.Type) && lit.Kind == NumberLiteral:
		// An error says that the number is out of range; ±Inf is what we want then.
		f, _ := strconv.ParseFloat(lit.Text, 64)
		return Operand{Number: f, Key: string(appendNumberKey(nil, lit.Text))}, nil
	case a.Type == schema.DateTime && lit.Kind == StringLiteral:
		if t, ok := resource.Text(p, lit.Text).Time(); ok {
			t = clampTime(t)
			return Operand{Text: lit.Text, Time: t, Key: timeKey(t)}, nil
		}
	}
	return Operand{}, &Error{Offset: lit.Offset, Detail: "attribute " + quoted(p.String()) + " is " + wants(a.Type)}
}

func boolOperand(b bool) Operand { return Operand{Bool: b, Key: boolKey(b)} }

func isNumeric(t schema.DataType) bool { return t == schema.Integer || t == schema.Decimal }

// checkOperator refuses operators that an attribute's type does not have
// (RFC 7644 table 3).
func checkOperator(p schema.Path, a *schema.Attribute, e *Comparison) error {
	switch {
	case e.Op.IsOrder() && (a.Type == schema.Boolean || a.Type == schema.Binary):
	case e.Op.IsSubstring() && !a.Type.IsText():
	default:
		return nil
	}
	return &Error{Offset: e.Offset, Detail: "attribute " + quoted(p.String()) + " is of type " + a.Type.String() + ", which does not have the operator \"" + e.Op.String() + "\""}
}

// wants says what values of a type are compared with.
func wants(t schema.DataType) string {
	switch t {
	case schema.Boolean:
		return "a boolean; compare it with true or false, without quotes"
	case schema.Integer, schema.Decimal:
		return "a number; compare it with a number, without quotes"
	case schema.DateTime:
		return "a dateTime; compare it with a string such as \"2026-01-31T08:00:00Z\""
	}
	return "text; compare it with a string in double quotes"
}
