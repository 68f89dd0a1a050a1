// Package signin connects signing in with the users that an identity provider
// provisions: whom a sign-in belongs to, whether it may make a user just in time, and
// who needs a way in because there is no single sign-on.
//
// SCIM says who has an account; single sign-on says who is at the door. Both have to
// ask the same directory, or somebody whom the customer deactivated comes back in
// through the other door. After the host has verified an assertion or a token of the
// identity provider, it asks:
//
//	decision, err := rules.SignIn(ctx, srv, tenant, signin.Identity{
//		Connection: "entra", ExternalID: claims.OID, UserName: claims.UPN,
//	}, nil)
//	switch {
//	case err != nil:              // try again later
//	case decision.Outcome.OK():   // begin a session for decision.User
//	default:                      // show decision.Reason to the person
//	}
//
// A sign-in never writes over a user who is there, never reactivates one, and never
// sets roles: these are the identity provider's to say, through SCIM. [Update] sets at
// sign-in what the host owns.
//
// The package verifies nothing by itself. Signatures, audience, expiry and replay are
// the business of the host's SAML or OpenID Connect library, and come first.
//
// For users who do not sign in through an identity provider, [FirstSignIn] tells the
// host whom to send a link to choose a password.
package signin
