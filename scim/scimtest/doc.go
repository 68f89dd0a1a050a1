// Package scimtest checks a SCIM server from outside, for a host's own tests.
//
// [Run] holds it to the requirements of RFC 7643, RFC 7644 and RFC 9865 that HTTP
// can show, nearly four hundred of them, one subtest each. [Replay] sends it what
// identity providers send. Both take a [Target]: a handler, or a server that
// listens.
//
//	func TestSCIM(t *testing.T) {
//		target := scimtest.Target{Handler: handler, Token: "secret"}
//		scimtest.Run(t, target)
//		scimtest.Replay(t, target, scimtest.Transcripts())
//	}
//
// Where the RFCs leave a choice, an answer is right that docs/conformance.md says
// Muster gives, or one of those that its options lead to; [Mode] says how much
// tolerance is expected. A guard, a resource handler with less than all attributes,
// or a policy of the host may have good reasons to answer otherwise: such a check is
// left out by name, with the reason, in [Target.Except].
//
// The server may be in use. Checks work on resources that they create, under names
// of their own, and delete them; they never count on being alone, look at most at
// a page of others' resources, and run one after another: some sixteen hundred
// requests in all. A server that limits rates has to let them through.
package scimtest
