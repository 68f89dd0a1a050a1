package device_test

import (
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/device"
	"github.com/musterhq/muster/storage/memory"
)

// A server for devices and applications, and the users and groups that every server
// has.
func ExampleOptions() {
	opts := device.Options(device.Config{ControlURL: "https://gateway.example.com/control"})
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), opts...)
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/Devices?attributes=displayName", strings.NewReader(`{
	  "schemas": ["`+device.DeviceURN+`", "`+device.EthernetMABURN+`"],
	  "displayName": "Printer on floor 2",
	  "active": true,
	  "`+device.EthernetMABURN+`": {"deviceMacAddress": "2C:54:91:88:C9:E3"}
	}`))
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "Printer on floor 2"))
	// Output: 201 true
}
