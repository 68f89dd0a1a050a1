// Package docs holds the documentation to the code: every Go block of README.md
// and docs compiles, the shell blocks of the tour run, and the reference names
// what there is.
//
// A block that begins with a package clause is a program and stands alone. Any
// other one is a part: declarations, or statements as they stand in a function.
// What a part leaves to the reader's imagination is declared around it:
//
//   - Imports follow from the names of packages.
//   - The names of prelude.txt (ctx, store, auth, srv and a few more) are there
//     where a block does not declare them.
//   - Declarations of a page's earlier blocks are there, until a later block
//     declares the same name.
//   - A comment of HTML that begins with "go" and a line break holds declarations
//     for the blocks below it, which readers do not see.
//   - An ellipsis character stands for something that is left out.
//
// A comment right before a block says when it is neither: with
// "<!-- quoted from FILE -->" it stands in that file, which is compiled as such, and
// with "<!-- not compiled: REASON -->" it is left out.
package docs
