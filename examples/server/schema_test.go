package main

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musterhq/muster/storage/memory"
)

const definitions = `{
  "Schemas": [
    {"id": "urn:example:2.0:Printer", "name": "Printer", "attributes": [
      {"name": "model", "type": "string", "required": true},
      {"name": "serial", "type": "string", "uniqueness": "server"}]},
    {"id": "urn:example:2.0:Lease", "name": "Lease", "attributes": [{"name": "until", "type": "dateTime", "required": true}]}],
  "ResourceTypes": [
    {"name": "Printer", "endpoint": "/Printers", "schema": "urn:example:2.0:Printer",
     "schemaExtensions": [{"schema": "urn:example:2.0:Lease", "required": true}]}]
}`

func TestTypesComeFromAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "types.json")
	if err := os.WriteFile(file, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse([]string{"-schema", file, "-path", "/scim"})
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.handler(memory.New(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const lease = `"urn:example:2.0:Lease":{"until":"2030-01-01T00:00:00Z"}`
	for _, c := range []struct {
		name, request, body string
		status              int
	}{
		{"create", "POST /scim/Printers", `{"schemas":["urn:example:2.0:Printer","urn:example:2.0:Lease"],"model":"X1","serial":"A",` + lease + `}`, 201},
		{"taken serial", "POST /scim/Printers", `{"schemas":["urn:example:2.0:Printer"],"model":"X2","serial":"a",` + lease + `}`, 409},
		{"without the required extension", "POST /scim/Printers", `{"schemas":["urn:example:2.0:Printer"],"model":"X3"}`, 400},
		{"find", "GET /scim/Printers?filter=model+eq+%22x1%22", "", 200},
		{"schema", "GET /scim/Schemas/urn:example:2.0:Lease", "", 200},
		{"users are there too", "GET /scim/Users", "", 200},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/scim+json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Body)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.name, w.Code, c.status, text)
		}
		if c.name == "find" && !strings.Contains(string(text), `"totalResults":1`) {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}
