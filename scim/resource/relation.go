package resource

// Member is one entry of a relation attribute, such as a group's members, as a
// client sent it or as it is shown.
type Member struct {
	ID      string // the sub-attribute "value"
	Type    string // resource type, or "" when the client named none
	Display string
	Ref     string // "$ref" as sent; made by the server on output
}

// Relations are the relation attributes that a body named, by canonical
// attribute name. An absent key was not named, an empty slice was named and
// empty: the difference decides whether a PUT empties a group.
type Relations map[string][]Member
