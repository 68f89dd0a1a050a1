package roles

import (
	"fmt"
	"slices"
)

// The words for small sets of values, in JSON and in logs.
var (
	policyWords = []string{"highest", "lowest", "reject"}
	scopeWords  = []string{"", "workspace", "organisation", "group"}
)

// String returns "highest", "lowest" or "reject".
func (p ConflictPolicy) String() string { return word(policyWords, int(p)) }

// MarshalText writes the word that String returns.
func (p ConflictPolicy) MarshalText() ([]byte, error) { return marshal(policyWords, int(p)) }

// UnmarshalText reads such a word; without regard to case.
func (p *ConflictPolicy) UnmarshalText(text []byte) error {
	i, err := unmarshal(policyWords, text)
	*p = ConflictPolicy(i)
	return err
}

// String returns "workspace", "organisation" or "group"; "" for the zero value.
func (k ScopeKind) String() string { return word(scopeWords, int(k)) }

// MarshalText writes the word that String returns.
func (k ScopeKind) MarshalText() ([]byte, error) { return marshal(scopeWords, int(k)) }

// UnmarshalText reads such a word; without regard to case.
func (k *ScopeKind) UnmarshalText(text []byte) error {
	i, err := unmarshal(scopeWords, text)
	*k = ScopeKind(i)
	return err
}

func word(words []string, i int) string {
	if i >= len(words) {
		return fmt.Sprintf("invalid(%d)", i)
	}
	return words[i]
}

func marshal(words []string, i int) ([]byte, error) {
	if i >= len(words) {
		return nil, fmt.Errorf("roles: there is no value %d beside %q", i, words)
	}
	return []byte(words[i]), nil
}

func unmarshal(words []string, text []byte) (int, error) {
	i := slices.Index(words, lower(string(text)))
	if i < 0 {
		return 0, fmt.Errorf("roles: the value is none of %q", words)
	}
	return i, nil
}
