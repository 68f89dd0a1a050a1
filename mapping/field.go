package mapping

// Field declares how one attribute and the host's data correspond. Fields are
// made by [Attr], [Convert], [Func], [Derived] and [Side], and used once.
type Field[T any] interface {
	declaration() *declaration[T]
}

// TypedField is a field that holds a V, on the host's side. Its methods adjust
// it and return it.
type TypedField[T, V any] struct {
	d declaration[T]
}

func (f *TypedField[T, V]) declaration() *declaration[T] { return &f.d }

// Attr declares that the attribute at path is kept in the variable that at
// points to, which lies in the T that at is given. V is one of the types that
// the package doc lists, which is checked by [Of].
//
//	mapping.Attr("name.familyName", func(a *Account) *string { return &a.Last })
func Attr[T, V any](path string, at func(*T) *V) *TypedField[T, V] { panic("todo") }

// Convert declares that the attribute at path is kept in a variable of a type of
// the host's own. S, the type on SCIM's side, is one of those that the package
// doc lists; where toSCIM may have nothing to tell, a pointer.
//
//	mapping.Convert("active", func(a *Account) *Status { return &a.Status }, fromBool, Status.IsActive)
//
// An error of toHost refuses the value: a [*scim.Error] is answered as it is, any
// other is for the host's log, and the client reads that the value is not
// accepted. toHost is not called for what is unassigned.
func Convert[T, V, S any](path string, at func(*T) *V, toHost func(S) (V, error), toSCIM func(V) S) *TypedField[T, V] {
	panic("todo")
}

// Func declares that the attribute at path is read and written by functions. get
// returns ok false when there is no value; set is called with ok false, and the
// zero V, when the attribute is unassigned. Without set the field is read-only.
// Errors of set are treated as those of [Convert].
func Func[T, V any](path string, get func(*T) (v V, ok bool), set func(t *T, v V, ok bool) error) *TypedField[T, V] {
	panic("todo")
}

// Derived declares an attribute that the host does not keep: of has its value
// while the client sends none. What a client sends is kept in the side document,
// or ignored where there is none, unless it is what of says.
//
//	mapping.Derived("displayName", func(a *Account) string { return mapping.FullName(a.Given, a.Last) })
func Derived[T, V any](path string, of func(*T) V) *TypedField[T, V] { panic("todo") }

// Side declares the variable that keeps the side document: a JSON object with
// what the other fields have no place for, nil when there is nothing. The host
// keeps it and does not look into it; a database may reformat it as JSON. It
// replaces the variable's slice and never writes into it.
func Side[T any](at func(*T) *[]byte) Field[T] { panic("todo") }

// ReadOnly makes the field one that clients cannot set: Assign leaves it alone,
// and names it among what it ignored when the client's value is another one.
func (f *TypedField[T, V]) ReadOnly() *TypedField[T, V] { panic("todo") }

// WriteOnce makes the field one that is set once: a client that sends another
// value later is refused, with 400 mutability; one that sends none keeps it. A
// field with the zero value of its type counts as not set yet.
func (f *TypedField[T, V]) WriteOnce() *TypedField[T, V] { panic("todo") }

// Default sets the value that the field takes when the client sends none.
func (f *TypedField[T, V]) Default(v V) *TypedField[T, V] { panic("todo") }

// Derive sets the function that gives the field its value when the client sends
// none; it is called when all other fields are assigned. A value that was
// derived follows what it was derived from: a client that changes a given name
// by PATCH gets the new displayName, unless it had set one.
func (f *TypedField[T, V]) Derive(of func(*T) V) *TypedField[T, V] { panic("todo") }

// Max bounds the length of a text, in characters. A longer one is refused with
// 400 invalidValue.
func (f *TypedField[T, V]) Max(characters int) *TypedField[T, V] { panic("todo") }

// Name sets the host's name for the field, a column for instance. Fields that
// are declared by tags have that of the struct field, others the path.
func (f *TypedField[T, V]) Name(name string) *TypedField[T, V] { panic("todo") }

// Label sets the field's name for people, as the host's own pages show it.
func (f *TypedField[T, V]) Label(label string) *TypedField[T, V] { panic("todo") }

// declaration is a field before [Of] has resolved its path.
type declaration[T any] struct {
	info FieldInfo
}
