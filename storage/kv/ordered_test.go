package kv_test

import (
	"bytes"
	"math/rand/v2"
)

// ordered is a persistent ordered map, a treap: what changes one makes another
// that shares most nodes with it. nil is the empty one.
type ordered struct {
	key, value  []byte
	priority    uint64
	left, right *ordered
}

func (t *ordered) get(key []byte) ([]byte, bool) {
	for t != nil {
		switch c := bytes.Compare(key, t.key); {
		case c == 0:
			return t.value, true
		case c < 0:
			t = t.left
		default:
			t = t.right
		}
	}
	return nil, false
}

func (t *ordered) put(key, value []byte) *ordered {
	less, _, more := t.split(key)
	return less.join(&ordered{key: key, value: value, priority: rand.Uint64()}).join(more)
}

func (t *ordered) delete(key []byte) *ordered {
	less, _, more := t.split(key)
	return less.join(more)
}

// scan visits the keys greater than after.
func (t *ordered) scan(after []byte, visit func(key, value []byte) bool) bool {
	if t == nil {
		return true
	}
	if bytes.Compare(t.key, after) > 0 {
		return t.left.scan(after, visit) && visit(t.key, t.value) && t.right.scan(after, visit)
	}
	return t.right.scan(after, visit)
}

// split divides at a key, which is in neither part.
func (t *ordered) split(key []byte) (less, equal, more *ordered) {
	if t == nil {
		return nil, nil, nil
	}
	n := *t
	switch c := bytes.Compare(key, t.key); {
	case c == 0:
		return t.left, t, t.right
	case c < 0:
		less, equal, n.left = t.left.split(key)
		return less, equal, &n
	default:
		n.right, equal, more = t.right.split(key)
		return &n, equal, more
	}
}

// join puts two maps together of which all keys of o are the greater ones.
func (t *ordered) join(o *ordered) *ordered {
	switch {
	case t == nil:
		return o
	case o == nil:
		return t
	case t.priority > o.priority:
		n := *t
		n.right = n.right.join(o)
		return &n
	default:
		n := *o
		n.left = t.join(n.left)
		return &n
	}
}
