// Package roles turns provisioned groups into workspaces and roles of the host
// application, and keeps the host in step.
//
// # Terms
//
// A workspace is whatever the host divides a customer into: a project, a team,
// a space. A [Role] is what a user may do there; roles have an order. A [Scope]
// is where a role holds: one workspace, the whole organisation, or a group that
// is a role itself. An [Assignment] says that a user has a role in a scope
// because of these groups, its [Cause] values. The Directory is the provisioned
// users and groups; the Applier is the host's code that grants and revokes.
//
// # Ways from a group to a role
//
// There are three, and each is off until [Settings] turns it on, because whoever
// may name a group at the identity provider must not be able to make an admin
// unless the host said so:
//
//   - the explicit table: a [Row] maps one group to one workspace and role;
//   - the naming [Convention]: "ws-Sales-role-admin" is the role admin in the
//     workspace Sales;
//   - groups as roles: each group is a role of its own.
//
// Apart from these, a user's attribute roles (RFC 7643 section 4.1.2) can give
// the [Organisation] role.
//
// # The pure part
//
// [Settings] are checked and compiled by [NewRules]. [Rules.Resolve] maps a
// user, its groups and the rows of these groups to assignments, and says which
// groups gave nothing and why, where groups conflict, and which workspaces the
// host does not have. [Diff] compares assignments with those applied last. None
// of it does I/O, keeps anything, or depends on the order in which things
// arrive. Rules and tables are safe for concurrent use; values returned belong
// to the caller.
//
// # The reconciler
//
// A [Reconciler] reads users and groups through a [Directory], resolves them, and
// tells the [Applier] of every difference to what it was told before. What
// happens only says which users to look at again, and what was told is kept in the
// same store as the users, so that crashes, lost events and several instances do
// no harm. The table, previews, explanations and lists are methods of it.
//
// # Readings
//
// Where the ways leave a choice:
//
//   - Several groups that lead to one workspace are a conflict, and reported, even
//     when they agree.
//   - A row takes its group out of the convention, also when it was removed, and so
//     does a row of a deleted group of the same name until somebody decides.
//   - A name that would match if a character were the one it looks like, or were
//     not there, does not match.
//   - Of the roles of an organisation the highest counts and nothing is a conflict,
//     since clients send lists.
//   - The name of a group that is a role itself is a label: what counts is its id.
package roles
