package scim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func TestThePackageDocLeadsToEveryOption(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, options := "", []string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if name == "doc.go" {
			doc = file.Doc.Text()
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "With") {
				options = append(options, f.Name.Name)
			}
		}
	}
	_, section, _ := strings.Cut(doc, "# Options")
	section, _, _ = strings.Cut(section, "# Choices")
	if len(options) < 30 {
		t.Errorf("only %d options", len(options))
	}
	for _, o := range options {
		if strings.Count(section, "["+o+"]") != 1 {
			t.Errorf("%s stands in the section on options %d times", o, strings.Count(section, "["+o+"]"))
		}
	}
}
