package docs

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// cells are the first words in backquotes of the rows below a heading of the
// reference, with the rest of the row.
func cells(t *testing.T, heading string) map[string][]string {
	t.Helper()
	_, section, found := strings.Cut(read(t, "docs/reference.md"), "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/reference.md has no heading %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	if end := regexp.MustCompile(`(?m)^#{1,` + strconv.Itoa(len(level)) + `} `).FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	rows := map[string][]string{}
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[0], -1) {
			rows[m[1]] = row[1:]
		}
	}
	return rows
}

// same reports names that one side has and the other lacks.
func same(t *testing.T, what string, page, code map[string]bool) {
	t.Helper()
	for name := range code {
		if !page[name] {
			t.Errorf("docs/reference.md lacks the %s %s", what, name)
		}
	}
	for name := range page {
		if !code[name] {
			t.Errorf("docs/reference.md names the %s %s, which there is not", what, name)
		}
	}
}

func set(names ...string) map[string]bool {
	found := map[string]bool{}
	for _, n := range names {
		found[n] = true
	}
	return found
}

func TestTheReferenceHasEveryOption(t *testing.T) {
	t.Parallel()
	code := map[string]bool{}
	for _, dir := range []string{"scim", "storage", "roles", "mapping"} {
		goFiles(t, dir, func(name string, file *ast.File) {
			pkg := path.Base(path.Dir(name))
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(pkg, "test") || strings.Contains(name, "/internal/") {
				return
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
					continue
				}
				result, ok := f.Type.Results.List[0].Type.(*ast.Ident)
				switch {
				case !ok || result.Name != "Option":
				case pkg == "scim":
					code[f.Name.Name] = true
				default:
					code[pkg+"."+f.Name.Name] = true
				}
			}
		})
	}
	page := map[string]bool{}
	for _, heading := range []string{"## scim.New", "## Stores", "## roles.New"} {
		maps.Copy(page, set(slices.Collect(maps.Keys(cells(t, heading)))...))
	}
	same(t, "option", page, code)
}

func TestTheReferenceHasEveryFieldOfThePolicies(t *testing.T) {
	t.Parallel()
	code := map[string]bool{}
	for dir, settings := range map[string][]string{
		"scim":           {"Adopting"},
		"scim/ownership": {"Rule"},
		"scim/policy":    {"Domains", "Seats", "LastOwner", "Fuse", "Fields"},
		"scim/signin":    {"Rules", "FirstSignIn"},
	} {
		goFiles(t, dir, func(name string, file *ast.File) {
			if path.Dir(name) != dir || strings.HasSuffix(name, "_test.go") {
				return
			}
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok || !slices.Contains(settings, spec.Name.Name) {
					return true
				}
				for _, f := range spec.Type.(*ast.StructType).Fields.List {
					for _, n := range f.Names {
						if n.IsExported() {
							code[path.Base(dir)+"."+spec.Name.Name+"."+n.Name] = true
						}
					}
				}
				return false
			})
		})
	}
	same(t, "field", set(slices.Collect(maps.Keys(cells(t, "## Policies, owners, sign-in")))...), code)
}

func TestTheReferenceHasEveryLimitWithItsDefault(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", read(t, "scim/limits.go"), 0)
	if err != nil {
		t.Fatal(err)
	}
	code, defaults := map[string]bool{}, map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if fields, ok := n.Type.(*ast.StructType); ok && n.Name.Name == "Limits" {
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						code[name.Name] = true
					}
				}
			}
		case *ast.FuncDecl:
			if n.Name.Name != "defaultLimits" {
				return false
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				defaults[key.Name] = types.ExprString(n.Value)
			}
		}
		return true
	})
	page := cells(t, "## Limits")
	same(t, "limit", set(slices.Collect(maps.Keys(page))...), code)
	for name, row := range page {
		got := strings.ReplaceAll(strings.TrimSpace(row[0]), ",", "")
		want, unit, timed := strings.Cut(defaults[name], " * time.")
		if timed {
			if got != want+" "+strings.ToLower(unit)+"s" && got != want+" "+strings.ToLower(unit) {
				t.Errorf("docs/reference.md: the default of %s is %s, not %s", name, defaults[name], got)
			}
			continue
		}
		if want == "" {
			want = "none"
		} else if v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, want); err == nil {
			n, _ := constant.Int64Val(v.Value)
			want = strconv.FormatInt(n, 10)
		}
		if got != want {
			t.Errorf("docs/reference.md: the default of %s is %s, not %s", name, want, got)
		}
	}
}

// texts returns the values of the constants in a file that have one of the
// types, or none.
func texts(t *testing.T, name string, typed ...string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, read(t, name), 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			typ, _ := spec.Type.(*ast.Ident)
			if typ != nil && !slices.Contains(typed, typ.Name) || typ == nil && len(typed) > 0 {
				continue
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING && spec.Names[0].IsExported() {
					text, _ := strconv.Unquote(lit.Value)
					found[text] = true
				}
			}
		}
	}
	return found
}

func TestTheReferenceHasEveryWordOfErrorsAndEvents(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/reference.md")
	words := texts(t, "scim/error.go")
	maps.Copy(words, texts(t, "scim/cursor.go"))
	maps.Copy(words, texts(t, "roles/event.go", "EventKind"))
	maps.Copy(words, set("create", "replace", "patch", "delete"))
	if len(words) < 20 {
		t.Fatalf("only %d words were found", len(words))
	}
	for word := range words {
		if !strings.Contains(page, "`"+word+"`") {
			t.Errorf("docs/reference.md lacks the word %s", word)
		}
	}
	// What resources of the host's types are logged with.
	kinds := map[string]bool{"unlinked": true}
	goFiles(t, "scim", func(name string, file *ast.File) {
		if path.Dir(name) != "scim" || strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, ok := kv.Key.(*ast.Ident)
			lit, isText := kv.Value.(*ast.BasicLit)
			if ok && isText && strings.EqualFold(key.Name, "kind") {
				kind, _ := strconv.Unquote(lit.Value)
				kinds[kind] = true
			}
			return true
		})
	})
	delete(kinds, "skipped") // of a record of our own
	listed := map[string]bool{}
	for name := range cells(t, "## Words of events") {
		if name != "Paths" {
			listed[name] = true
		}
	}
	same(t, "kind of a change", listed, kinds)
}
