package mapping_test

import (
	"fmt"
	"html/template"
	"net/http"

	"github.com/musterhq/muster/mapping"
	"github.com/musterhq/muster/scim/schema"
)

// A host shows the guide on its settings page, for the customer who is signed in.
func ExampleNewGuide() {
	type Account struct {
		Login  string `scim:"userName" label:"E-mail"`
		Given  string `scim:"name.givenName"`
		Last   string `scim:"name.familyName" label:"Last Name"`
		Active bool   `scim:"active"`
	}
	accounts, err := mapping.Of[Account](schema.MustCompile(schema.User()))
	if err != nil {
		fmt.Println(err)
		return
	}
	page := template.Must(template.New("").Parse(`<!doctype html><title>Set-up</title>{{.}}`))

	http.HandleFunc("GET /settings/provisioning/{idp}", func(w http.ResponseWriter, r *http.Request) {
		idp, ok := mapping.FindIdP(r.PathValue("idp"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		guide, err := mapping.NewGuide(idp, mapping.Host{
			Name:    "Harbour",
			BaseURL: "https://harbour.example/tenants/" + tenantOf(r) + "/scim/v2",
			Support: "support@harbour.example",
			Fields:  accounts.Fields(),
		})
		if err != nil {
			http.Error(w, "The guide cannot be shown.", http.StatusInternalServerError)
			return
		}
		_ = page.Execute(w, guide.HTML())
	})
}

// tenantOf is the host's: whose customer has signed in.
func tenantOf(*http.Request) string { return "acme" }

// The tables of a guide are data, for a page that shows them in its own way.
func ExampleGuide() {
	type Account struct {
		Login  string `scim:"userName" label:"E-mail"`
		Last   string `scim:"name.familyName" label:"Last Name"`
		Active bool   `scim:"active"`
	}
	accounts, err := mapping.Of[Account](schema.MustCompile(schema.User()))
	if err != nil {
		fmt.Println(err)
		return
	}
	entra, _ := mapping.FindIdP("entra")
	guide, err := mapping.NewGuide(entra, mapping.Host{
		Name: "Harbour", BaseURL: "https://harbour.example/scim/v2", Fields: accounts.Fields(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range guide.Attributes {
		fmt.Printf("in Entra map %s to %s; shown as %s\n", a.Source, a.Path, a.Label)
	}
	for _, a := range guide.Remove[:3] {
		fmt.Printf("remove %s\n", a.Path)
	}
	// Output:
	// in Entra map userPrincipalName to userName; shown as E-mail
	// in Entra map surname to name.familyName; shown as Last Name
	// in Entra map Switch([IsSoftDeleted], , "False", "True", "True", "False") to active; shown as Active
	// remove name.givenName
	// remove name.formatted
	// remove displayName
}

// A host with an extension of its own says what feeds it, where it knows.
func ExampleIdP_With() {
	okta, _ := mapping.FindIdP("okta")
	okta = okta.With(
		mapping.IdPAttribute{Path: "userName", Source: "user.email", Default: true},
		mapping.IdPAttribute{Path: "urn:example:params:scim:schemas:harbour:User:berth", Source: "user.berth"},
	)
	fmt.Println(okta.Attributes[0].Source, okta.Attributes[len(okta.Attributes)-1].Source)
	// Output:
	// user.email user.berth
}
