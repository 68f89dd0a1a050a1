package postgres_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/musterhq/muster/internal/pgtest"
	"github.com/musterhq/muster/storage"
)

// instance is a process of examples/server.
type instance struct {
	t    *testing.T
	base string
}

// startInstance runs a server on the database until the test ends.
func startInstance(t *testing.T, program, url string) *instance {
	t.Helper()
	cmd := exec.Command(program, "-addr", "127.0.0.1:0", "-store", url, "-token", "acme=secret")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the server says %q, %v", line, err)
	}
	return &instance{t, base}
}

// send returns the status and the id and version of the answer.
func (i *instance) send(request, body string, header ...string) (status int, id, version string) {
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(i.t.Context(), method, i.base+path, strings.NewReader(body))
	if err != nil {
		i.t.Error(err)
		return 0, "", ""
	}
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/scim+json")
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Error(err)
		return 0, "", ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Error(err)
	}
	var answer struct {
		ID   string
		Meta struct{ Version string }
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			i.t.Errorf("%s: %v", request, err)
		}
	}
	return res.StatusCode, answer.ID, answer.Meta.Version
}

func TestManyInstancesServeOneDirectory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds and runs servers")
	}
	program := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url := pgtest.URL(t)
	instances := []*instance{startInstance(t, program, url), startInstance(t, program, url), startInstance(t, program, url)}
	const (
		userBody  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`
		patchBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
	)
	status, groupID, _ := instances[0].send("POST /Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"All"}`)
	if status != 201 {
		t.Fatalf("POST /Groups = %d", status)
	}
	status, sharedID, _ := instances[0].send("POST /Users", fmt.Sprintf(userBody, "shared"))
	if status != 201 {
		t.Fatalf("POST /Users = %d", status)
	}

	const names, writers = 30, 2
	var created, taken atomic.Int64
	var mu sync.Mutex
	members := map[string]bool{}
	var wg sync.WaitGroup
	for n, s := range instances {
		for w := range writers {
			wg.Go(func() {
				for i := range names {
					// Everybody wants the same names.
					switch status, id, _ := s.send("POST /Users", fmt.Sprintf(userBody, fmt.Sprint("user", i))); status {
					case 201:
						created.Add(1)
						mu.Lock()
						members[id] = true
						mu.Unlock()
						add := fmt.Sprintf(patchBody, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id))
						if status, _, _ := s.send("PATCH /Groups/"+groupID, add); status != 200 && status != 204 {
							t.Errorf("PATCH of the group = %d", status)
						}
					case 409:
						taken.Add(1)
					default:
						t.Errorf("POST /Users = %d", status)
					}
					// Everybody adds an e-mail of its own to one user.
					add := fmt.Sprintf(patchBody, fmt.Sprintf(`{"op":"add","path":"emails","value":[{"value":"%d-%d-%d@x.example"}]}`, n, w, i))
					if status, _, _ := s.send("PATCH /Users/"+sharedID, add); status != 200 && status != 204 {
						t.Errorf("PATCH of the user = %d", status)
					}
				}
			})
		}
	}
	wg.Wait()
	all := len(instances) * writers * names
	if created.Load() != names || taken.Load() != int64(all-names) {
		t.Errorf("%d of %d names were created and %d refused; want %d and %d", created.Load(), names, taken.Load(), names, all-names)
	}

	s := openAt(t, url)
	rec, err := s.Get(t.Context(), "acme", storage.Ref{Type: "User", ID: sharedID})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(rec.Doc), "@x.example"); n != all || rec.Version != int64(all)+1 {
		t.Errorf("the shared user has %d e-mails and version %d; want %d and %d", n, rec.Version, all, all+1)
	}
	links, err := s.Links(t.Context(), &storage.LinkQuery{Tenant: "acme", Relation: storage.Relation{Owner: "Group", Name: "members"}, Of: []storage.Ref{{Type: "Group", ID: groupID}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		delete(members, l.To.ID)
	}
	if len(links) != names || len(members) != 0 {
		t.Errorf("the group has %d members and lacks %d; want %d", len(links), len(members), names)
	}
	changes, err := s.Changes(t.Context(), "acme", 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[storage.Ref]int64{}
	for i, c := range changes {
		if c.Seq != int64(i)+1 || c.Version != versions[c.Ref]+1 {
			t.Fatalf("change %d of %v: number %d, version %d behind %d", i+1, c.Ref, c.Seq, c.Version, versions[c.Ref])
		}
		versions[c.Ref] = c.Version
	}
	if want := 2 + names + names + all; len(changes) != want {
		t.Errorf("%d changes; want %d", len(changes), want)
	}
}
