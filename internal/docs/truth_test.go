package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// goFiles calls f with the parsed Go files below a directory of the repository.
func goFiles(t *testing.T, dir string, f func(name string, file *ast.File)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.Contains(name, "/testdata/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), parser.ParseComments)
		if err == nil {
			f(name, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestThePageOnSecurityNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, dir := range []string{"examples", "internal", "mapping", "roles", "scim", "storage"} {
		goFiles(t, dir, func(name string, file *ast.File) {
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && strings.HasSuffix(name, "_test.go") && f.Recv == nil {
					known[f.Name.Name] = true
				}
			}
		})
	}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z]-\d{3}) \|`).FindAllStringSubmatch(read(t, "docs/conformance.md"), -1) {
		known[m[1]] = true
	}
	rows := 0
	for line := range strings.Lines(read(t, "docs/security.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.HasPrefix(line, "| threat") || strings.HasPrefix(line, "|--") {
			continue
		}
		rows++
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 && strings.TrimSpace(cells[2]) != "by construction" {
			t.Errorf("nothing shows what holds%s", cells[0])
		}
		for _, m := range names {
			if !known[m[1]] {
				t.Errorf("docs/security.md: there is no test %s", m[1])
			}
		}
	}
	if rows < 30 {
		t.Errorf("only %d threats were found", rows)
	}
}

// The messages at level Warn and Error, which an operator should know, in both
// directions.
func TestThePageOnOperationsListsWhatIsLogged(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/operations.md")
	logged := map[string]bool{}
	goFiles(t, "scim", func(name string, file *ast.File) {
		if path.Dir(name) != "scim" || strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			lit, isText := call.Args[1].(*ast.BasicLit)
			if !ok || !isText || !strings.HasSuffix(sel.Sel.Name, "Context") {
				return true
			}
			message, err := strconv.Unquote(lit.Value)
			if err != nil || !strings.HasPrefix(message, "scim: ") {
				return true
			}
			logged[message] = true
			if !strings.Contains(page, "`"+message+"`") {
				t.Errorf("docs/operations.md does not list the message %q of %s", message, name)
			}
			return true
		})
	})
	for _, m := range regexp.MustCompile("`(scim: [^`]+)`").FindAllStringSubmatch(page, -1) {
		if !logged[m[1]] {
			t.Errorf("docs/operations.md: nothing logs %q", m[1])
		}
	}
}
