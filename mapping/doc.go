// Package mapping carries users and other resources between SCIM and the data
// that a host already has: a Go struct, or a row of columns.
//
//	type Account struct {
//		ID     int64  `scim:"id"`
//		Login  string `scim:"userName,max=100"`
//		Given  string `scim:"name.givenName" label:"First name"`
//		Work   string `scim:"emails[type eq 'work'].value"`
//		Active bool   `scim:"active"`
//		Extra  []byte `scim:"*"`
//	}
//
//	m, err := mapping.Of[Account](t)    // t is the server's type, see scim.Binder
//	…
//	ignored, err := m.Assign(&account, r) // SCIM to host
//	r, err := m.Resource(&account)        // host to SCIM
//
// A mapping is a list of fields that says what it touches: nothing of a
// resource reaches a field that is not declared. It is checked when it is built,
// immutable afterwards, and safe for concurrent use.
//
// # Paths
//
// A field is declared for a path, by a struct tag or by a function of this
// package, [Attr] as a rule:
//
//	userName                               an attribute
//	name.givenName                         a sub-attribute
//	emails[type eq 'work'].value           a part of one element
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department
//	emails.value                           the primary element's, else the first one's
//	roles                                  all elements, for a slice
//	id, meta.created, meta.lastModified, meta.version   from the host alone
//	*                                      the side document, for a []byte
//
// Brackets hold one comparison with eq or several joined by and, so that an
// element can be made from them. Text in them stands in single quotes, since
// double quotes would end a struct tag; behind code's backquotes either will do.
// Several paths into one element share it. Of the elements that match, the
// primary one is read, else the first with a value.
//
// # Tags
//
// Behind the path a tag may say ",readonly", ",writeonce", ",max=50" and
// ",default=…", the last being text, a number, true or false to the end of the
// tag. A tag label:"…" is the field's name for people. A field of a struct type
// that has a path is a group of fields whose paths continue it; an embedded
// struct without one counts as part of the outer struct.
//
//	Home  Address `scim:"addresses[type eq 'home']"` // Street string `scim:"streetAddress"`
//	Mails []Mail  `scim:"emails"`                    // Kind string `scim:"type"`
//
// # Types
//
//	string, and types made of it                string, reference
//	bool                                        boolean
//	int…, uint…                                 integer
//	float32, float64                            decimal
//	time.Time                                   dateTime
//	[]byte                                      binary
//	encoding.TextMarshaler and TextUnmarshaler  string, reference
//	*V, sql.Null[V], sql.NullString, …          as V
//	[]V                                         a multi-valued attribute of V, by "value" where it is complex
//	[]struct with tags                          a complex multi-valued attribute
//	scim.Value                                  anything
//
// # Unassigned
//
// nil, an invalid sql.Null, the zero time.Time, an empty slice and the empty
// text of a plain string are unassigned; the empty text behind a pointer or in a
// valid sql.NullString is a value, as are 0 and false. What a client leaves
// unassigned becomes the field's default, or the zero value of its type. A
// boolean "active" that is left out is true, which is how the server takes it.
//
// # What has no place
//
// Attributes, elements and sub-attributes that no field is declared for are kept
// in the side document where there is one: m.Resource after m.Assign gives back
// what was assigned. Without one Assign returns their names. An element whose
// value the host has cleared disappears, with what the side document knew of it;
// one whose value the host has changed keeps the rest.
//
// Relations (a group's members, a user's groups) and passwords cannot be mapped:
// relations are links, and a password is handed to the hook of
// scim.WithPassword and never kept.
//
// # Set-up guides
//
// [IdPs] are tables of what identity providers call the attributes that they
// send. [NewGuide] joins one with the fields of a host to the guide that an admin
// of the host's customer follows: what to enter, which attribute to map from what,
// which ones to remove.
package mapping
