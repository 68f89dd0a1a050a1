package schema

// DataType is the type of an attribute's values (RFC 7643 section 2.3).
type DataType uint8

// The data types. The zero value is String, the default of RFC 7643
// section 2.2.
const (
	String DataType = iota
	Boolean
	Decimal
	Integer
	DateTime
	Binary
	Reference
	Complex
)

var dataTypeNames = [...]string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}

// String returns the name that the RFC gives the type, such as "dateTime".
func (d DataType) String() string { return enumName(dataTypeNames[:], int(d)) }

// IsText reports whether values of the type are JSON strings compared as text:
// strings, references and binary values.
func (d DataType) IsText() bool { return d == String || d == Reference || d == Binary }

// Mutability says who may set an attribute, and when (RFC 7643 section 7).
type Mutability uint8

// The kinds of mutability. The zero value is the RFC's default.
const (
	ReadWrite Mutability = iota
	ReadOnly
	Immutable
	WriteOnly
)

var mutabilityNames = [...]string{"readWrite", "readOnly", "immutable", "writeOnly"}

// String returns the RFC's word, such as "readWrite".
func (m Mutability) String() string { return enumName(mutabilityNames[:], int(m)) }

// Returned says when an attribute appears in answers (RFC 7643 section 7).
type Returned uint8

// The kinds of return. The zero value is the RFC's default.
const (
	ReturnedDefault Returned = iota
	ReturnedAlways
	ReturnedNever
	ReturnedRequest
)

var returnedNames = [...]string{"default", "always", "never", "request"}

// String returns the RFC's word, such as "always".
func (r Returned) String() string { return enumName(returnedNames[:], int(r)) }

// Uniqueness says within what an attribute's value is unique
// (RFC 7643 section 7).
type Uniqueness uint8

// The kinds of uniqueness. The zero value is the RFC's default. Muster enforces
// UniqueServer and UniqueGlobal alike, within a tenant.
const (
	UniqueNone Uniqueness = iota
	UniqueServer
	UniqueGlobal
)

var uniquenessNames = [...]string{"none", "server", "global"}

// String returns the RFC's word, such as "server".
func (u Uniqueness) String() string { return enumName(uniquenessNames[:], int(u)) }

func enumName(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

// Attribute is the definition of one attribute (RFC 7643 section 7). Its zero
// values are the RFC's defaults, so a declaration names only what differs.
type Attribute struct {
	Name        string
	Description string
	Type        DataType
	MultiValued bool
	Required    bool
	// CaseExact says that the letter case of values matters. References and
	// binary values are always case exact, whatever stands here
	// (RFC 7643 sections 2.3.6 and 2.3.7).
	CaseExact bool
	// CanonicalValues are suggestions; other values are accepted.
	CanonicalValues []string
	// ReferenceTypes are the resource types that a Reference may point to, or
	// "external" or "uri".
	ReferenceTypes []string
	Mutability     Mutability
	Returned       Returned
	Uniqueness     Uniqueness
	// SubAttributes are the parts of a Complex attribute. They are never
	// complex themselves (RFC 7643 section 2.3.8).
	SubAttributes []Attribute
}

// Schema is a named set of attributes, identified by a URN (RFC 7643
// section 3 and 7).
type Schema struct {
	ID          string
	Name        string
	Description string
	Attributes  []Attribute
}
