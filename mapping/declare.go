package mapping

import (
	"errors"
	"reflect"
)

// TypedField is a field that holds a V on the host's side. Its methods adjust it
// and return it.
type TypedField[T, V any] struct {
	d    field[T]
	put  func(*T, V) error // gives the host the value
	show func(V) any       // points to the value as the codec wants it
}

// Attr declares that the attribute at path is kept in the variable that at
// points to, which lies in the T that at is given. V is one of the types that
// the package doc lists, which is checked by [Of].
//
//	mapping.Attr("name.familyName", func(a *Account) *string { return &a.Last })
func Attr[T, V any](path string, at func(*T) *V) *TypedField[T, V] {
	f := declare[T, V](path, reflect.TypeFor[V]())
	f.put = func(t *T, v V) error {
		*at(t) = v
		return nil
	}
	f.show = func(v V) any { return &v }
	f.d.read = func(t *T) any { return at(t) }
	f.d.fresh = f.d.read
	f.d.isSet = func(t *T) bool { return !reflect.ValueOf(at(t)).Elem().IsZero() }
	f.d.clear = func(t *T) error { return f.put(t, *new(V)) }
	return f
}

// Convert declares that the attribute at path is kept in a variable of a type of
// the host's own. S, the type on SCIM's side, is one of those that the package
// doc lists; where toSCIM may have nothing to tell, a pointer, which is never nil
// when toHost gets it.
//
//	mapping.Convert("active", func(a *Account) *Status { return &a.Status }, statusOf, Status.IsActive)
//
// An error of toHost refuses the value: a [*scim.Error] is answered as it is, any
// other is for the host's log, and the client reads that the value is not
// accepted. What is unassigned becomes the zero V, without asking toHost.
func Convert[T, V, S any](path string, at func(*T) *V, toHost func(S) (V, error), toSCIM func(V) S) *TypedField[T, V] {
	f := declare[T, V](path, reflect.TypeFor[S]())
	f.put = func(t *T, v V) error {
		*at(t) = v
		return nil
	}
	f.show = func(v V) any {
		s := toSCIM(v)
		return &s
	}
	f.d.read = func(t *T) any { return f.show(*at(t)) }
	f.d.fresh = func(*T) any { return new(S) }
	f.d.write = func(t *T, p any) error {
		v, err := toHost(*p.(*S))
		if err == nil {
			*at(t) = v
		}
		return err
	}
	f.d.isSet = func(t *T) bool { return !reflect.ValueOf(at(t)).Elem().IsZero() }
	f.d.clear = func(t *T) error { return f.put(t, *new(V)) }
	return f
}

// Func declares that the attribute at path is read and written by functions. get
// returns ok false when there is no value; set is called with ok false, and the
// zero V, when the attribute is unassigned. Without set the field is read-only.
// Errors of set are treated as those of [Convert].
func Func[T, V any](path string, get func(*T) (v V, ok bool), set func(t *T, v V, ok bool) error) *TypedField[T, V] {
	f := declare[T, V](path, reflect.TypeFor[V]())
	f.show = func(v V) any { return &v }
	f.d.read = func(t *T) any {
		v, ok := get(t)
		if !ok {
			return nil
		}
		return &v
	}
	f.d.isSet = func(t *T) bool {
		v, ok := get(t)
		return ok && !reflect.ValueOf(&v).Elem().IsZero()
	}
	if set == nil {
		f.d.ReadOnly = true
		return f
	}
	f.put = func(t *T, v V) error { return set(t, v, true) }
	f.d.fresh = func(*T) any { return new(V) }
	f.d.write = func(t *T, p any) error { return set(t, *p.(*V), true) }
	f.d.clear = func(t *T) error { return set(t, *new(V), false) }
	return f
}

// Derived declares an attribute that the host does not keep: of has its value
// while the client sends none. What a client sends is kept in the side document,
// or ignored where there is none, unless it is what of says.
//
//	mapping.Derived("displayName", func(a *Account) string { return mapping.FullName(a.Given, a.Last) })
func Derived[T, V any](path string, of func(*T) V) *TypedField[T, V] {
	f := declare[T, V](path, reflect.TypeFor[V]())
	f.show = func(v V) any { return &v }
	f.d.derived = func(t *T) any { return f.show(of(t)) }
	f.d.read = f.d.derived
	return f
}

// Side declares the variable that keeps the side document: a JSON object with
// what the other fields have no place for, nil when there is nothing. The host
// keeps it and does not look into it; a database may reformat it as JSON. It
// replaces the variable's slice and never writes into it.
func Side[T any](at func(*T) *[]byte) Field[T] {
	return &field[T]{FieldInfo: FieldInfo{Path: sidePath}, side: at}
}

func (f *TypedField[T, V]) declared() *field[T] { return &f.d }

func declare[T, V any](path string, codecFor reflect.Type) *TypedField[T, V] {
	return &TypedField[T, V]{d: field[T]{FieldInfo: FieldInfo{Path: path, Name: path}, typ: codecFor}}
}

// writable reports whether the host is given values; if it is not, the option is
// a mistake.
func (f *TypedField[T, V]) writable(option string) bool {
	if f.put == nil {
		f.d.problems = append(f.d.problems, errors.New(option+" is for fields that are written, not for derived ones and those without set"))
	}
	return f.put != nil
}

// ReadOnly makes the field one that clients cannot set: Assign leaves it alone,
// and names it among what it ignored when the client's value is another one.
func (f *TypedField[T, V]) ReadOnly() *TypedField[T, V] {
	f.d.ReadOnly = true
	return f
}

// WriteOnce makes the field one that is set once: a client that sends another
// value later is refused, with 400 mutability; one that sends none keeps it. A
// field with the zero value of its type counts as not set yet.
func (f *TypedField[T, V]) WriteOnce() *TypedField[T, V] {
	if f.writable("WriteOnce") {
		f.d.WriteOnce = true
	}
	return f
}

// Default sets the value that the field takes when the client sends none.
func (f *TypedField[T, V]) Default(v V) *TypedField[T, V] {
	if f.writable("Default") {
		f.d.Default = true
		f.d.clear = func(t *T) error { return f.put(t, v) }
	}
	return f
}

// Derive sets the function that gives the field its value when the client sends
// none; it is called when all other fields are assigned. A value that was
// derived follows what it was derived from: a client that changes a given name
// by PATCH gets the new displayName, unless it had set one.
func (f *TypedField[T, V]) Derive(of func(*T) V) *TypedField[T, V] {
	if f.writable("Derive") {
		f.d.derive = func(t *T) error { return f.put(t, of(t)) }
		f.d.derived = func(t *T) any { return f.show(of(t)) }
	}
	return f
}

// Max bounds the length of a text, in characters. A longer one is refused with
// 400 invalidValue.
func (f *TypedField[T, V]) Max(characters int) *TypedField[T, V] {
	f.d.Max = characters
	return f
}

// Name sets the host's name for the field, a column for instance. Fields that
// are declared by tags have that of the struct field, others the path.
func (f *TypedField[T, V]) Name(name string) *TypedField[T, V] {
	f.d.Name = name
	return f
}

// Label sets the field's name for people, as the host's own pages show it.
func (f *TypedField[T, V]) Label(label string) *TypedField[T, V] {
	f.d.Label = label
	return f
}
