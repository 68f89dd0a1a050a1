// Package lint holds the house rules of this repository as tests. Each rule says
// in its failure what to do instead.
package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/musterhq/muster"
	root   = "../.."
)

// files returns the names of all files of the repository, slash-separated and
// relative to its root.
func files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == ".cache") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && d.Name() != ".git" {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goFiles calls f with every Go file of the repository, parsed.
func goFiles(t *testing.T, mode parser.Mode, f func(name string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, read(t, name), mode)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		f(name, fset, file)
	}
}

// The forbidden texts are put together from parts, so that this file does not
// contain them.
var forbidden = []struct{ text, why string }{
	{"/wo" + "rk/", "a path of one machine"},
	{"/fa" + "rm/", "a path of one machine"},
	{"/ho" + "me/", "a path of one machine"},
	{"/Us" + "ers/runner", "a path of one machine"},
	{"bash" + "_jobs", "a path of one machine"},
	{"proxy" + ".golang", "a registry: the Go toolchain knows where modules are"},
	{"sum" + ".golang", "a registry: the Go toolchain knows where modules are"},
	{"BEGIN " + "PRIVATE KEY", "a secret"},
	{"BEGIN RSA " + "PRIVATE KEY", "a secret"},
}

func TestNoFileNamesThisMachine(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		data := read(t, name)
		for _, f := range forbidden {
			if i := bytes.Index(data, []byte(f.text)); i >= 0 {
				t.Errorf("%s:%d: %q is %s: take it out", name, 1+bytes.Count(data[:i], []byte("\n")), f.text, f.why)
			}
		}
	}
}

// unfinished matches marks of work that is left to do. The marks are put
// together so that this file has none.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|panic\("to` + `do"\)`)

func TestNothingIsLeftUnfinished(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		data := read(t, name)
		if at := unfinished.FindIndex(data); at != nil {
			t.Errorf("%s:%d: %s: do it, or open an issue and take the mark out", name, 1+bytes.Count(data[:at[0]], []byte("\n")), data[at[0]:at[1]])
		}
	}
}

// rule says what the packages at or below dir may import, besides the standard
// library. The first rule that a package falls under counts. Names of our own
// packages are relative to the module; a name that ends in "/..." stands for
// everything below as well.
type rule struct {
	dir   string
	allow []string
}

const (
	jsonText = "github.com/go-json-experiment/json/..."
	text     = "golang.org/x/text/..."
)

// rules is the direction of imports: schema ← resource ← filter ← patch ←
// dialect ← scim; storage knows schema, resource and filter; roles and mapping
// know scim and storage, and nobody knows them. Drivers stay in the adapter that
// needs them.
var rules = []rule{
	{"scim/schema", []string{jsonText, text}},
	{"scim/resource", []string{"scim/schema", "internal/...", jsonText, text}},
	{"scim/filter", []string{"scim/schema", "scim/resource", "internal/...", jsonText, text}},
	{"scim/patch", []string{"scim/schema", "scim/resource", "scim/filter", "internal/...", jsonText}},
	{"scim/dialect", []string{"scim/schema", "scim/resource", "scim/filter", "scim/patch", "internal/...", jsonText}},
	{"scim/scimtest", []string{"scim/...", "storage/...", "internal/..."}},
	{"scim/device", []string{"scim/...", "storage"}}, // what a host could have written
	{"scim/policy", []string{"scim/...", "storage", "internal/..."}},
	{"scim/ownership", []string{"scim/...", "storage", "internal/..."}},
	{"scim/signin", []string{"scim/...", "storage", "internal/..."}},
	{"scim", []string{"scim/schema", "scim/resource", "scim/filter", "scim/patch", "scim/dialect", "storage", "internal/...", jsonText, text}},
	{"storage/sqlite", []string{"scim/schema", "scim/resource", "scim/filter", "storage/...", "internal/...", "modernc.org/sqlite/..."}},
	{"storage/postgres", []string{"scim/schema", "scim/resource", "scim/filter", "storage/...", "internal/...", "github.com/jackc/pgx/v5/..."}},
	{"storage/storagetest", []string{"scim/schema", "scim/resource", "scim/filter", "storage", "pgregory.net/rapid"}}, // imported by tests alone
	{"storage", []string{"scim/schema", "scim/resource", "scim/filter", "storage/...", "internal/...", jsonText}},
	{"roles", []string{"scim/...", "storage/...", "internal/...", "roles/...", jsonText}},
	{"mapping/sqltable/postgres", []string{"mapping/sqltable", "github.com/jackc/pgx/v5/..."}},
	{"mapping", []string{"scim/...", "storage/...", "internal/...", "mapping/...", jsonText}},
	// What only an example of its use imports never gets into a host.
	{"examples/mount", []string{"...", "github.com/go-chi/chi/v5/...", "github.com/gin-gonic/gin", "github.com/labstack/echo/v5", "go.opentelemetry.io/..."}},
	{"examples/ownusers", []string{"...", "github.com/jackc/pgx/v5/...", "modernc.org/sqlite"}}, // the application's database
	{"examples", []string{"...", "go.etcd.io/bbolt"}},
	{"internal/pgtest", []string{"internal/...", "github.com/jackc/pgx/v5/..."}},
	{"internal/mailaddr", []string{"scim/schema", "golang.org/x/net/idna", text}}, // domains in the form in which they compare
	{"internal", []string{"scim/...", "storage/...", "internal/...", jsonText, text}},
}

// forTests are imports that any test may have beyond those of its package.
var forTests = []string{
	"...", jsonText, text,
	"github.com/google/go-cmp/...", "pgregory.net/rapid", "github.com/rogpeppe/go-internal/...",
	"golang.org/x/net/idna",
	"github.com/jackc/pgx/v5/...", "modernc.org/sqlite", "golang.org/x/sys/...",
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	goFiles(t, parser.ImportsOnly, func(name string, fset *token.FileSet, file *ast.File) {
		dir := path.Dir(name)
		i := slices.IndexFunc(rules, func(r rule) bool { return dir == r.dir || strings.HasPrefix(dir, r.dir+"/") })
		if i < 0 {
			t.Errorf("%s: no rule says what the packages of %s may import: add one", name, dir)
			return
		}
		allow := rules[i].allow
		if strings.HasSuffix(name, "_test.go") {
			allow = slices.Concat(allow, forTests)
		}
		for _, spec := range file.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if !allowed(imported, allow) {
				t.Errorf("%s: %s may not import %s", fset.Position(spec.Pos()), dir, imported)
			}
		}
	})
}

// allowed reports whether an import path is of the standard library or matches
// one of the names.
func allowed(imported string, names []string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true
	}
	for _, name := range names {
		if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") || name == "..." {
			name = module + "/" + name
		}
		if prefix, all := strings.CutSuffix(name, "/..."); imported == prefix || all && strings.HasPrefix(imported, prefix+"/") {
			return true
		}
	}
	return false
}

func TestImportRulesMatchAsTheySay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		imported, name string
		want           bool
	}{
		{"net/http", "scim/schema", true},
		{module + "/scim/schema", "scim/schema", true},
		{module + "/scim/schema/x", "scim/schema", false},
		{module + "/scim", "scim/schema", false},
		{module + "/scim", "scim/...", true},
		{module + "/scim/x", "scim/...", true},
		{module + "/scimx", "scim/...", false},
		{module + "/anything", "...", true},
		{"github.com/other/x", "...", false},
		{"github.com/go-json-experiment/json/jsontext", jsonText, true},
		{"github.com/go-json-experiment/json", jsonText, true},
	} {
		if allowed(c.imported, []string{c.name}) != c.want {
			t.Errorf("%s against %s: want %v", c.imported, c.name, c.want)
		}
	}
}

func TestEverythingExportedIsDocumented(t *testing.T) {
	t.Parallel()
	packageDocs := map[string]bool{}
	goFiles(t, parser.ParseComments, func(name string, fset *token.FileSet, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		packageDocs[path.Dir(name)] = packageDocs[path.Dir(name)] || file.Doc != nil
		for _, decl := range file.Decls {
			for _, missing := range undocumented(decl) {
				t.Errorf("%s: %s has no comment: say what it is for", fset.Position(decl.Pos()), missing)
			}
		}
	})
	for dir, ok := range packageDocs {
		if !ok {
			t.Errorf("%s: the package has no comment", dir)
		}
	}
}

// undocumented returns the exported names that a declaration introduces without
// a comment. A comment on a group, or at the end of a line, counts.
func undocumented(decl ast.Decl) []string {
	var names []string
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && decl.Doc == nil && (decl.Recv == nil || exportedReceiver(decl.Recv)) && !wellKnown(decl) {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(recv *ast.FieldList) bool {
	exported := false
	ast.Inspect(recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			exported = exported || id.IsExported()
			return false
		}
		return true
	})
	return exported
}

// wellKnown reports whether a method is one of the few whose name says all.
func wellKnown(f *ast.FuncDecl) bool {
	return f.Recv != nil && slices.Contains([]string{"Error", "Unwrap", "Is", "String", "Len", "Less", "Swap", "ServeHTTP"}, f.Name.Name)
}

func TestPackagesHaveNoMutableState(t *testing.T) {
	t.Parallel()
	goFiles(t, parser.SkipObjectResolution, func(name string, fset *token.FileSet, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil && decl.Name.Name == "init" {
					t.Errorf("%s: no init functions: do it in a constructor", fset.Position(decl.Pos()))
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					value, ok := spec.(*ast.ValueSpec)
					if decl.Tok != token.VAR || !ok {
						continue
					}
					for _, n := range value.Names {
						if n.IsExported() && !strings.HasPrefix(n.Name, "Err") {
							t.Errorf("%s: exported variable %s: anybody could change it; make it a function or a constant", fset.Position(n.Pos()), n.Name)
						}
					}
				}
			}
		}
	})
}

func TestLinksBetweenDocumentsLead(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	code := regexp.MustCompile("(?ms)^ *```.*?^ *```$|`[^`\n]*`")
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllSubmatch(code.ReplaceAll(read(t, name), nil), -1) {
			target, heading := string(m[1]), string(m[2])
			if strings.Contains(target, "://") {
				continue
			}
			full := name
			if target != "" {
				full = path.Join(path.Dir(name), target)
			}
			if _, err := fs.Stat(os.DirFS(root), full); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, target)
			} else if heading != "" && !slices.Contains(anchors(read(t, full)), heading) {
				t.Errorf("%s: %s has no heading #%s", name, full, heading)
			}
		}
	}
}

// anchors are the names by which the headings of a Markdown page are linked to.
func anchors(page []byte) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(string(m[1])), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

func TestMarkdownTablesHaveWholeRows(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		columns := 0
		for n, line := range strings.Split(string(read(t, name)), "\n") {
			if !strings.HasPrefix(line, "|") {
				columns = 0
				continue
			}
			cells := len(tableCells(line))
			if columns != 0 && cells != columns {
				t.Errorf("%s:%d: %d cells, the table has %d columns", name, n+1, cells, columns)
			}
			columns = cells
		}
	}
}

// tableCells returns the cells of a Markdown table row, trimmed. A bar that is
// escaped does not divide.
func tableCells(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(strings.TrimSpace(line), `\|`, bar)
	cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(c, bar, `\|`))
	}
	return cells
}
