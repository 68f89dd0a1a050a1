package device_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/musterhq/muster/scim"
	"github.com/musterhq/muster/scim/device"
	"github.com/musterhq/muster/scim/dialect"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage/memory"
)

func newServer(t *testing.T, c device.Config, opts ...scim.Option) http.Handler {
	t.Helper()
	opts = slices.Concat(device.Options(c), opts, []scim.Option{scim.WithLogger(slog.New(slog.DiscardHandler)), scim.WithBaseURL("https://example.com/v2")})
	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

type object = map[string]any

// send makes a request and checks the status.
func send(t *testing.T, h http.Handler, request, body string, status int) object {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer secret")
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != status {
		t.Fatalf("%s: status %d, want %d\n%s", request, w.Code, status, w.Body)
	}
	var answer object
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

func id(o object) string { return o["id"].(string) }

func body(urns []string, members string) string {
	schemas, _ := json.Marshal(append([]string{device.DeviceURN}, urns...))
	return fmt.Sprintf(`{"schemas":%s,"displayName":"BLE Heart Monitor","active":true%s}`, schemas, members)
}

// heartMonitor is a device as RFC 9944 section 7.1 shows them, with two methods of
// pairing.
const heartMonitor = `{"versionSupport":["5.3"],"deviceMacAddress":"2C:54:91:88:C9:E2","isRandom":false,"mobility":true,` +
	`"pairingMethods":["` + device.PairingPassKeyURN + `","` + device.PairingOOBURN + `"],` +
	`"` + device.PairingPassKeyURN + `":{"key":123456},` +
	`"` + device.PairingOOBURN + `":{"key":"TheKeyvalueRetrievedFromOOB","randomNumber":238796813516896}}`

// Holds: N-034
func TestPairingMethodsLieInsideTheBLEExtension(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{}, scim.WithDialect(dialect.Strict()), scim.WithRejectUnknown())
	created := send(t, h, "POST /Devices", body([]string{device.BLEURN}, `,"`+device.BLEURN+`":`+heartMonitor), 201)
	shown := send(t, h, "GET /Devices/"+id(created), "", 200)
	var want any
	if err := json.Unmarshal([]byte(heartMonitor), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, shown[device.BLEURN]); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]any{device.DeviceURN, device.BLEURN}, shown["schemas"]); d != "" {
		t.Error(d)
	}
	passKey := func() any {
		ble := send(t, h, "GET /Devices/"+id(created), "", 200)[device.BLEURN].(object)
		method, _ := ble[device.PairingPassKeyURN].(object)
		return method["key"]
	}
	patch := func(op string) {
		t.Helper()
		send(t, h, "PATCH /Devices/"+id(created), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`, 200)
	}
	for _, path := range []string{device.PairingPassKeyURN + ":key", device.BLEURN + ":" + device.PairingPassKeyURN + ":key"} {
		patch(`{"op":"replace","path":"` + path + `","value":1}`)
		if passKey() != 1.0 {
			t.Errorf("%s: key %v", path, passKey())
		}
		patch(`{"op":"replace","path":"` + path + `","value":2}`)
	}
	for text, n := range map[string]float64{
		device.PairingPassKeyURN + `:key eq 2`:                              1,
		device.BLEURN + `:` + device.PairingPassKeyURN + `:key eq 2`:        1,
		device.PairingPassKeyURN + `:key eq 3`:                              0,
		device.BLEURN + `:deviceMacAddress eq "2c:54:91:88:c9:e2"`:          1,
		device.BLEURN + `:pairingMethods eq "` + device.PairingOOBURN + `"`: 1,
	} {
		if got := send(t, h, "GET /Devices?filter="+url.QueryEscape(text), "", 200)["totalResults"]; got != n {
			t.Errorf("%s: %v devices, want %v", text, got, n)
		}
	}
	only := send(t, h, "GET /Devices/"+id(created)+"?attributes="+url.QueryEscape(device.PairingPassKeyURN), "", 200)
	if d := cmp.Diff(any(object{device.PairingPassKeyURN: object{"key": 2.0}}), only[device.BLEURN]); d != "" {
		t.Errorf("one method alone: %s", d)
	}
	patch(`{"op":"remove","path":"` + device.PairingPassKeyURN + `"}`)
	if passKey() != nil {
		t.Error("the method is still there")
	}
}

func TestMethodsWithoutAKeyLeaveTheirName(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{}, scim.WithDialect(dialect.Strict()), scim.WithRejectUnknown())
	created := send(t, h, "POST /Devices", body([]string{device.BLEURN}, `,"`+device.BLEURN+`":{"versionSupport":["5.3"],"deviceMacAddress":"2C:54:91:88:C9:E2",`+
		`"pairingMethods":["`+device.PairingNullURN+`","`+device.PairingJustWorksURN+`"],`+
		`"`+device.PairingNullURN+`":null,"`+device.PairingJustWorksURN+`":{"key":null}}`), 201)
	ble := created[device.BLEURN].(object)
	if methods := ble["pairingMethods"].([]any); len(methods) != 2 || ble[device.PairingNullURN] != nil || ble[device.PairingJustWorksURN] != nil {
		t.Errorf("%v", ble)
	}
}

// Holds: N-035
func TestSecretsAreWrittenAndNeverShown(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{})
	for _, c := range []struct{ urn, members, secret string }{
		{device.BLEURN, `"versionSupport":["5.3"],"deviceMacAddress":"2C:54:91:88:C9:E2","isRandom":true,"pairingMethods":["` + device.PairingNullURN + `"],"irk":"SECRET"`, "irk"},
		{device.DPPURN, `"dppVersion":2,"bootstrapKey":"SECRET","classChannel":["81/1","115/36"]`, "bootstrapKey"},
		{device.FIDOOnboardURN, `"fdoVoucher":"SECRET"`, "fdoVoucher"},
	} {
		created := send(t, h, "POST /Devices", body([]string{c.urn}, `,"`+c.urn+`":{`+c.members+`}`), 201)
		for _, query := range []string{"", "?attributes=" + url.QueryEscape(c.urn+":"+c.secret)} {
			text, _ := json.Marshal(send(t, h, "GET /Devices/"+id(created)+query, "", 200))
			if strings.Contains(string(text), "SECRET") {
				t.Errorf("%s is shown: %s", c.secret, text)
			}
		}
		send(t, h, "GET /Devices?filter="+url.QueryEscape(c.urn+":"+c.secret+` eq "SECRET"`), "", 400)
	}
}

// Holds: N-033
func TestWhatDevicesMustHave(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{})
	for _, c := range []struct {
		name, urn, members string
		status             int
	}{
		{"nothing but active", "", ``, 201},
		{"wired", device.EthernetMABURN, `"deviceMacAddress":"2C:54:91:88:C9:E3"`, 201},
		{"Easy Connect without version and key", device.DPPURN, `"serialNumber":"4774LH2b4044"`, 400},
		{"zigbee", device.ZigbeeURN, `"versionSupport":["3.0"],"deviceEui64Address":"50:32:5F:FF:FE:E7:67:28"`, 201},
		{"zigbee with a short address", device.ZigbeeURN, `"versionSupport":["3.0"],"deviceEui64Address":"50:32:5F:FF:FE:E7"`, 400},
		{"dashes in an address", device.EthernetMABURN, `"deviceMacAddress":"2C-54-91-88-C9-E3"`, 400},
		{"no hexadecimal digit", device.EthernetMABURN, `"deviceMacAddress":"2G:54:91:88:C9:E3"`, 400},
		{"a pass key of seven digits", device.BLEURN, `"versionSupport":["5"],"deviceMacAddress":"2C:54:91:88:C9:E3","pairingMethods":["` + device.PairingPassKeyURN + `"],"` + device.PairingPassKeyURN + `":{"key":1000000}`, 400},
		{"a pass key that is missing", device.BLEURN, `"versionSupport":["5"],"deviceMacAddress":"2C:54:91:88:C9:E3","pairingMethods":["` + device.PairingOOBURN + `"],"` + device.PairingOOBURN + `":{"key":"a"}`, 400},
		{"irk and broadcast address", device.BLEURN, `"versionSupport":["5"],"deviceMacAddress":"2C:54:91:88:C9:E3","pairingMethods":["x"],"irk":"k","separateBroadcastAddress":["2C:54:91:88:C9:E4"]`, 400},
	} {
		members, urns := "", []string(nil)
		if c.urn != "" {
			members, urns = `,"`+c.urn+`":{`+c.members+`}`, []string{c.urn}
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answer := send(t, h, "POST /Devices", body(urns, members), c.status)
			if c.status == 400 && answer["scimType"] != "invalidValue" {
				t.Errorf("%v", answer)
			}
		})
	}
	send(t, h, "POST /Devices", `{"schemas":["`+device.DeviceURN+`"],"displayName":"no state"}`, 400)
}

// Holds: N-036
func TestApplicationsWithoutACertificateGetAToken(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{})
	app := func(members string) string {
		return `{"schemas":["` + device.EndpointAppURN + `"],"applicationType":"deviceControl","applicationName":"Device Control App 1"` + members + `}`
	}
	bare := send(t, h, "POST /EndpointApps", app(`,"clientToken":"the client's own"`), 201)
	token, _ := bare["clientToken"].(string)
	if len(token) < 20 || len(token) > 500 || token == "the client's own" {
		t.Errorf("token %q", token)
	}
	if other := send(t, h, "POST /EndpointApps", app(``), 201); other["clientToken"] == token {
		t.Error("two applications have one token")
	}
	if put := send(t, h, "PUT /EndpointApps/"+id(bare), app(`,"externalId":"x"`), 200); put["clientToken"] != token {
		t.Errorf("after a PUT the token is %v", put["clientToken"])
	}
	certified := send(t, h, "POST /EndpointApps", app(`,"certificateInfo":{"rootCA":"MIIC","subjectName":"www.example.com"}`), 201)
	if certified["clientToken"] != nil || certified["certificateInfo"].(object)["subjectName"] != "www.example.com" {
		t.Errorf("%v", certified)
	}
	send(t, h, "PUT /EndpointApps/"+id(bare), strings.Replace(app(``), "deviceControl", "telemetry", 1), 400)

	broken := newServer(t, device.Config{NewToken: func(context.Context, scim.Principal, *scim.Resource) (string, error) {
		return "", errors.New("no luck")
	}})
	send(t, broken, "POST /EndpointApps", app(``), 500)
	fixed := newServer(t, device.Config{NewToken: func(_ context.Context, _ scim.Principal, app *scim.Resource) (string, error) {
		return "for " + app.String("applicationName"), nil
	}})
	if got := send(t, fixed, "POST /EndpointApps", app(``), 201)["clientToken"]; got != "for Device Control App 1" {
		t.Errorf("the host's token: %v", got)
	}
}

func TestTheServerSaysWhereApplicationsReachADevice(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{ControlURL: "https://gateway.example.com/control", TelemetryURL: "mqtts://gateway.example.com"})
	app := id(send(t, h, "POST /EndpointApps", `{"schemas":["`+device.EndpointAppURN+`"],"applicationType":"telemetry","applicationName":"T"}`, 201))
	ext := `,"` + device.EndpointAppsURN + `":{"applications":[{"value":"` + app + `"}],"deviceControlEnterpriseEndpoint":"https://evil.example"}`
	want := any(object{
		"applications":                    []any{object{"value": app, "$ref": "EndpointApps/" + app}},
		"deviceControlEnterpriseEndpoint": "https://gateway.example.com/control",
		"telemetryEnterpriseEndpoint":     "mqtts://gateway.example.com",
	})
	created := send(t, h, "POST /Devices", body([]string{device.EndpointAppsURN}, ext), 201)
	if d := cmp.Diff(want, created[device.EndpointAppsURN]); d != "" {
		t.Error(d)
	}
	put := send(t, h, "PUT /Devices/"+id(created), body([]string{device.EndpointAppsURN}, ext), 200)
	if d := cmp.Diff(want, put[device.EndpointAppsURN]); d != "" {
		t.Error(d)
	}
	if gone := send(t, h, "PUT /Devices/"+id(created), body(nil, ""), 200); gone[device.EndpointAppsURN] != nil {
		t.Errorf("the extension was left out and is still there: %v", gone)
	}
}

// Holds: N-037
func TestGroupsHoldDevicesAndApplications(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{})
	d := id(send(t, h, "POST /Devices", body(nil, ""), 201))
	app := id(send(t, h, "POST /EndpointApps", `{"schemas":["`+device.EndpointAppURN+`"],"applicationType":"telemetry","applicationName":"T"}`, 201))
	g := send(t, h, "POST /Groups", `{"schemas":["`+schema.GroupURN+`"],"displayName":"Ward 3","members":[{"value":"`+d+`","type":"Device"},{"value":"`+app+`"}]}`, 201)
	types := object{}
	for _, m := range g["members"].([]any) {
		types[m.(object)["value"].(string)] = m.(object)["type"]
	}
	if d := cmp.Diff(object{d: "Device", app: "EndpointApp"}, types); d != "" {
		t.Error(d)
	}
	for _, path := range []string{"/Devices/" + d, "/EndpointApps/" + app} {
		groups, _ := send(t, h, "GET "+path, "", 200)["groups"].([]any)
		if len(groups) != 1 || groups[0].(object)["value"] != id(g) || groups[0].(object)["display"] != "Ward 3" {
			t.Errorf("%s is in %v", path, groups)
		}
	}
	if got := send(t, h, "GET /Devices?filter="+url.QueryEscape(`groups.value eq "`+id(g)+`"`), "", 200)["totalResults"]; got != 1.0 {
		t.Errorf("%v devices are in the group", got)
	}
}

// Holds: N-032
func TestDiscoveryNamesTypesAndSchemas(t *testing.T) {
	t.Parallel()
	h := newServer(t, device.Config{})
	types := object{}
	for _, r := range send(t, h, "GET /ResourceTypes", "", 200)["Resources"].([]any) {
		types[r.(object)["name"].(string)] = r.(object)["endpoint"]
	}
	if types["Device"] != "/Devices" || types["EndpointApp"] != "/EndpointApps" {
		t.Errorf("%v", types)
	}
	for urn, attribute := range map[string]string{
		device.DeviceURN: "mudUrl", device.EndpointAppURN: "clientToken", device.BLEURN: "deviceMacAddress",
		device.PairingPassKeyURN: "key", device.PairingOOBURN: "randomNumber", device.DPPURN: "bootstrapKey",
		device.EthernetMABURN: "deviceMacAddress", device.FIDOOnboardURN: "fdoVoucher", device.ZigbeeURN: "deviceEui64Address",
		device.EndpointAppsURN: "applications",
	} {
		var names []string
		for _, a := range send(t, h, "GET /Schemas/"+urn, "", 200)["attributes"].([]any) {
			names = append(names, a.(object)["name"].(string))
		}
		if !slices.Contains(names, attribute) {
			t.Errorf("%s has %v, not %s", urn, names, attribute)
		}
	}
	send(t, h, "GET /Schemas/"+device.PairingNullURN, "", 200)
}
