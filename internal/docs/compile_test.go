package docs

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// declaration is one that stands before a block: of the prelude, of a hidden
// comment, or of an earlier block.
type declaration struct {
	names   []string // of methods "Type.Method"
	imports []string // import specs it came with
	text    string   // with a line directive
}

// pkg is a package that blocks may use without importing it.
type pkg struct {
	ImportPath, Name, Export string
}

// packages returns the packages of this module and whatever these import, by
// import path. One that does not compile does no harm to blocks without it.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-json=ImportPath,Name,Export", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p
	}
}

// compiler type-checks blocks.
type compiler struct {
	packages map[string]pkg
	byName   map[string]string // import path by name of package
	prelude  []declaration
}

func newCompiler(t *testing.T) *compiler {
	c := &compiler{packages: packages(t), byName: map[string]string{}}
	// Of several packages with one name, one of ours and the one nearest to its
	// module's root is meant; a block that means another imports it in a hidden
	// comment.
	ours := func(importPath string) bool { return strings.HasPrefix(importPath, "github.com/musterhq/muster/") }
	rank := func(importPath string) int {
		if first, _, _ := strings.Cut(importPath, "/"); !ours(importPath) && strings.Contains(first, ".") {
			return 200
		} else if !ours(importPath) {
			return 100 + strings.Count(importPath, "/")
		}
		return strings.Count(importPath, "/")
	}
	for _, p := range c.packages {
		have, ok := c.byName[p.Name]
		if internal := slices.Contains(strings.Split(p.ImportPath, "/"), "internal"); internal || p.Name == "main" || rank(p.ImportPath) == 200 {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(rank(p.ImportPath), rank(have)), strings.Compare(p.ImportPath, have)) < 0 {
			c.byName[p.Name] = p.ImportPath
		}
	}
	for name, importPath := range map[string]string{ // what pages mean of several, and packages of others
		"rand": "crypto/rand", "template": "html/template",
		"chi": "github.com/go-chi/chi/v5", "gin": "github.com/gin-gonic/gin", "echo": "github.com/labstack/echo/v5",
		"trace": "go.opentelemetry.io/otel/trace", "otelhttp": "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
	} {
		c.byName[name] = importPath
	}
	text, err := os.ReadFile("prelude.txt")
	if err != nil {
		t.Fatal(err)
	}
	c.prelude, err = declarations("prelude.txt", 1, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const clause = "package page; "

// declarations divides a text of declarations.
func declarations(page string, line int, text string) ([]declaration, error) {
	fset := token.NewFileSet()
	source := clause + text
	file, err := parser.ParseFile(fset, page, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range file.Imports {
		imports = append(imports, source[fset.Position(spec.Pos()).Offset:fset.Position(spec.End()).Offset])
	}
	var found []declaration
	for _, decl := range file.Decls {
		begin, end := fset.Position(decl.Pos()), fset.Position(decl.End())
		d := declaration{
			imports: imports,
			text:    fmt.Sprintf("\n//line %s:%d\n%s\n", page, line+begin.Line-1, source[begin.Offset:end.Offset]),
		}
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			name := decl.Name.Name
			if decl.Recv != nil {
				name = receiver(decl.Recv.List[0].Type) + "." + name
			}
			d.names = []string{name}
		case *ast.GenDecl:
			if decl.Tok == token.IMPORT {
				continue
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					d.names = append(d.names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						d.names = append(d.names, n.Name)
					}
				}
			}
		}
		found = append(found, d)
	}
	return found, nil
}

func receiver(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// replaces reports whether a declaration of one name makes another disappear: the
// same name, or a method of the type.
func replaces(names []string, d declaration) bool {
	return slices.ContainsFunc(d.names, func(old string) bool {
		typ, _, _ := strings.Cut(old, ".")
		return slices.Contains(names, old) || slices.Contains(names, typ)
	})
}

// check compiles a block behind the declarations of its page, and returns these
// with those of the block.
func (c *compiler) check(b block, page []declaration) ([]declaration, error) {
	text := elided(b.text)
	if b.lang == hidden {
		text = b.text
	}
	if strings.HasPrefix(strings.TrimSpace(firstCode(text)), "package ") {
		return page, c.typecheck(fmt.Sprintf("//line %s:%d\n%s", b.page, b.line, text), true)
	}
	own, err := declarations(b.page, b.line, text)
	if err == nil {
		var names []string
		for _, d := range own {
			names = append(names, d.names...)
		}
		page = slices.DeleteFunc(slices.Clone(page), func(d declaration) bool { return replaces(names, d) })
		page = append(page, own...)
		return page, c.part(page)
	}
	// The blank result lets a block return, with a value or without.
	body := fmt.Sprintf("func _() (_ error) {\n//line %s:%d\n%s\nreturn\n}", b.page, b.line, text)
	return page, c.part(append(slices.Clone(page), declaration{text: body}))
}

// firstCode is a text without the comments at its beginning.
func firstCode(text string) string {
	for strings.HasPrefix(text, "//") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// part compiles declarations, with what they leave open taken from the prelude
// and from packages.
func (c *compiler) part(decls []declaration) error {
	var declared, body, imports []string
	for _, d := range decls {
		declared = append(declared, d.names...)
		body = append(body, d.text)
		imports = append(imports, d.imports...)
	}
	for {
		source := source(imports, body)
		file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, spec := range file.Imports {
			known[importName(spec)] = true
		}
		grown := false
		for _, open := range file.Unresolved {
			name := open.Name
			if known[name] || slices.Contains(declared, name) || types.Universe.Lookup(name) != nil {
				continue
			}
			known[name] = true
			i := slices.IndexFunc(c.prelude, func(d declaration) bool { return slices.Contains(d.names, name) })
			if i >= 0 && !replaces(declared, c.prelude[i]) {
				declared = append(declared, c.prelude[i].names...)
				body = append(body, c.prelude[i].text)
				grown = true
			} else if importPath, ok := c.byName[name]; ok {
				imports = append(imports, name+" "+strconv.Quote(importPath))
				grown = true
			}
		}
		if !grown {
			return c.typecheck(source, false)
		}
	}
}

func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p, _ := strconv.Unquote(spec.Path.Value)
	if major := regexp.MustCompile(`^v\d+$`); major.MatchString(path.Base(p)) {
		p = path.Dir(p)
	}
	return path.Base(p)
}

func source(imports, body []string) string {
	var b strings.Builder
	b.WriteString("package page\n")
	imports = slices.Compact(slices.Sorted(slices.Values(imports)))
	for _, spec := range imports {
		fmt.Fprintf(&b, "import %s\n", spec)
	}
	for _, text := range body {
		b.WriteString(text + "\n")
	}
	return b.String()
}

// typecheck checks a file. What a part declares and does not use is no mistake.
func (c *compiler) typecheck(source string, whole bool) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, 0)
	if err != nil {
		return err
	}
	var errs []error
	conf := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(importPath string) (io.ReadCloser, error) {
			p, ok := c.packages[importPath]
			if !ok || p.Export == "" {
				return nil, fmt.Errorf("there is no package %s", importPath)
			}
			return os.Open(p.Export)
		}),
		Error: func(err error) {
			if e, ok := err.(types.Error); !ok || whole || !e.Soft {
				errs = append(errs, err)
			}
		},
	}
	conf.Check("page", fset, []*ast.File{file}, nil)
	return errors.Join(errs...)
}

func TestEveryBlockOfGoCompiles(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	t.Run("what does not compile is found", func(t *testing.T) { findsMistakes(t, c) })
	for _, page := range pages(t) {
		var decls []declaration
		for _, b := range blocks(t, page) {
			if b.lang != hidden && (b.lang != "go" || b.why != "" || b.from != "") {
				continue
			}
			next, err := c.check(b, decls)
			if err != nil {
				t.Errorf("the block at %s does not compile:\n%v", b.name(), err)
			}
			decls = next
		}
	}
}

func findsMistakes(t *testing.T, c *compiler) {
	for name, text := range map[string]string{
		"an unknown function": "scim.Nonsense()",
		"a wrong argument":    "srv, err := scim.New(1, 2)",
		"an unknown name":     "nobody.Declared(this)",
		"no Go":               "srv := = 1",
		"an unused import":    "package main\n\nimport \"fmt\"\n\nfunc main() {}\n",
		"an unknown field":    "p := scim.Principal{Tenants: \"acme\"}",
		"a wrong method":      "type x struct{}\nfunc (x) List() {}\nvar _ scim.ResourceHandler = x{}",
	} {
		if _, err := c.check(block{page: "docs/x.md", line: 1, lang: "go", text: text}, nil); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	for name, text := range map[string]string{
		"an unused variable": "srv, err := scim.New(store, auth)",
		"a return":           "if err := ctx.Err(); err != nil {\n\treturn err\n}",
		"an ellipsis":        "if srv == nil { … }",
		"a declaration":      "func f() int { return 1 }",
		"a program":          "package main\n\nfunc main() {}\n",
	} {
		if _, err := c.check(block{page: "docs/x.md", line: 1, lang: "go", text: text}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
