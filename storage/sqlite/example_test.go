package sqlite_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/storage/sqlite"
)

// What was created is still there after a restart.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "muster")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, request := range []string{"POST /Users", "GET /Users?filter=userName+eq+%22ADA%40example.com%22"} {
		store, err := sqlite.Open(filepath.Join(dir, "directory.db"))
		if err != nil {
			fmt.Println(err)
			return
		}
		srv, err := scim.New(store, scim.BearerToken("secret"))
		if err != nil {
			fmt.Println(err)
			return
		}
		method, path, _ := strings.Cut(request, " ")
		body := strings.NewReader(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}`)
		r := httptest.NewRequest(method, path, body)
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/scim+json")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		fmt.Println(w.Code, http.StatusText(w.Code), strings.Contains(w.Body.String(), `"userName":"ada@example.com"`))
		if err := store.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 201 Created true
	// 200 OK true
}
