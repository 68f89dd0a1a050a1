package schema

// An extension may lie inside another one, as the pairing methods lie inside the
// BLE extension of devices (RFC 9944 section 7.1). In JSON it is a member of the
// outer extension's object, named by its own URN:
//
//	"urn:…:ble:2.0:Device": {
//	  "deviceMacAddress": "2C:54:91:88:C9:E2",
//	  "urn:…:pairingPassKey:2.0:Device": {"key": 123456}
//	}
//
// For a Type it is a complex attribute of the outer extension that happens to have
// such a name; so its own attributes are simple.

// addNested adds an extension that lies inside another one.
func (c *compiler) addNested(e Extension) {
	urn := e.Schema.ID
	var outer *node
	for _, x := range c.t.extensions {
		if sameName(x.n.urn, e.Within) {
			outer = x.n
		}
		if sameName(x.n.urn, urn) {
			c.bad("schema %q cannot be an extension both by itself and inside another one", urn)
			return
		}
	}
	for _, x := range c.t.nested {
		if sameName(x.n.urn, urn) {
			c.bad("extension %q is declared twice", urn)
			return
		}
	}
	if outer == nil {
		c.bad("extension %q lies within %q, which must be an extension that is declared before it", urn, e.Within)
		return
	}
	n := c.addNode(outer, Attribute{
		Name: urn, Description: e.Schema.Description, Type: Complex, Required: e.Required, SubAttributes: e.Schema.Attributes,
	}, urn, urn, false)
	c.t.nested = append(c.t.nested, Path{n})
	for _, a := range e.Schema.Attributes {
		if a.Type == Complex {
			c.bad("attribute %q: an extension inside another one cannot have complex attributes", urn+":"+a.Name)
			continue
		}
		c.add(n, a, urn, urn+":", false)
	}
}

// HasExtension reports whether the type has an extension of that URN, at the top or
// inside another one. Letter case does not matter.
func (t *Type) HasExtension(urn []byte) bool {
	if n := find(t.nodes[0], urn); n != nil {
		return n.ext
	}
	for _, p := range t.nested {
		if equalFoldASCII(p.n.urn, urn) {
			return true
		}
	}
	return false
}

// inNested reports whether p is or lies in an extension inside outer.
func (p Path) inNested(outer *node) bool {
	for k := p.n; k != nil; k = k.parent {
		if k.parent == outer {
			return k.urn != outer.urn
		}
	}
	return false
}
