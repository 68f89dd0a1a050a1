// Package transcript replays recorded conversations of SCIM clients against a
// server and checks the answers.
//
// A transcript is a text file with one JSON object a line, each a step: a
// request as one client sends it, and what its answer must be. It says what a
// client relies on and nothing else, so it holds for any server that this client
// can work with.
//
//	idp       the client
//	step      what the step is about
//	method    of the request
//	path      below the base URL, percent-encoded, with its query
//	headers   of the request
//	body      a JSON value, or null for none
//	raw_body  text instead of body, for requests that are not JSON
//	expect    status: any of these; json: path to value; headers: name to prefix
//	save      variable to path: keeps a value of the answer for later steps
//	certain   false when no source shows the exact bytes of this request
//	needed    true when a step is not certain and later steps use what it saves
//	src       where the behaviour is described
//	q         the behaviours that the step shows, as docs/clients.md numbers them
//
// # Variables
//
// ${name} stands for a saved value in the path (where it is percent-encoded), in
// headers, in the body, in paths into an answer and in expected values. Three are built in: ${run} is
// random for each replay, so that names do not clash; ${token} is the bearer
// token; ${base} is the base URL. A step that does not name Authorization gets
// "Bearer ${token}"; a header that a step names with an empty value is not sent.
//
// # Paths into an answer
//
//	a.b[0].c                  the first element's c
//	list[*].value             the values of all elements, as a list
//	emails[type=work].value   in the first element whose type is work
//	"urn:x:2.0:User".y        a key with dots
//
// # Expected values
//
// A value is compared as JSON: objects and arrays deeply, numbers by value. An
// object with one key from this list is a matcher instead:
//
//	$exists    true: there is a value other than null; false: there is none
//	$absent    the reverse of $exists
//	$empty     true: absent, null, "", [] or {}; false: anything else
//	$type      string, number, integer, boolean, array, object or null
//	$len       the length of a string, an array or an object
//	$min       a number that is at least this
//	$contains  an array with this element, or a string with this part
//	$set       an array of these elements in any order, each as often
//	$oneOf     one of these values
//	$regex     a string that this regular expression finds a match in
//	$ieq       this string but for letter case
//	$not       not this value or matcher
//
// Headers are compared by prefix, so that parameters may follow; one that is
// expected must be there. On an answer 204 or 304, which must have no body, json
// and save are passed over.
package transcript
