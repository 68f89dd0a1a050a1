package device

import "github.com/musterhq/muster/scim/schema"

// The URNs of the schemas (RFC 9944 sections 3, 5 and 7).
const (
	DeviceURN      = "urn:ietf:params:scim:schemas:core:2.0:Device"
	EndpointAppURN = "urn:ietf:params:scim:schemas:core:2.0:EndpointApp"

	BLEURN              = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device"
	PairingNullURN      = "urn:ietf:params:scim:schemas:extension:pairingNull:2.0:Device"
	PairingJustWorksURN = "urn:ietf:params:scim:schemas:extension:pairingJustWorks:2.0:Device"
	PairingPassKeyURN   = "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device"
	PairingOOBURN       = "urn:ietf:params:scim:schemas:extension:pairingOOB:2.0:Device"
	DPPURN              = "urn:ietf:params:scim:schemas:extension:dpp:2.0:Device"
	EthernetMABURN      = "urn:ietf:params:scim:schemas:extension:ethernet-mab:2.0:Device"
	FIDOOnboardURN      = "urn:ietf:params:scim:schemas:extension:fido-device-onboard:2.0:Device"
	ZigbeeURN           = "urn:ietf:params:scim:schemas:extension:zigbee:2.0:Device"
	EndpointAppsURN     = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device"
)

// Device returns the resource type Device with all extensions of the RFC, none of
// them required. The result is the caller's to change.
func Device() schema.ResourceType {
	return schema.ResourceType{
		ID:          "Device",
		Name:        "Device",
		Endpoint:    "/Devices",
		Description: "Things that are to be connected to a network",
		Label:       "displayName",
		Indexed: []string{
			BLEURN + ":deviceMacAddress", DPPURN + ":deviceMacAddress", EthernetMABURN + ":deviceMacAddress", ZigbeeURN + ":deviceEui64Address",
		},
		Schema: &schema.Schema{
			ID: DeviceURN, Name: "Device", Description: "A device",
			Attributes: []schema.Attribute{
				text("displayName", "The name to show to people"),
				{Name: "active", Description: "Whether the device is meant to be in operation", Type: schema.Boolean, Required: true},
				{Name: "mudUrl", Description: "Where the manufacturer usage description of the device is (RFC 8520)", Type: schema.Reference, CaseExact: true, ReferenceTypes: []string{"external"}},
				groups(),
			},
		},
		Extensions: []schema.Extension{
			{Schema: ble()},
			{Schema: named(PairingNullURN, "pairingNull", "Pairing for devices that have no method of pairing"), Within: BLEURN},
			{Schema: named(PairingJustWorksURN, "pairingJustWorks", "Pairing without a key",
				schema.Attribute{Name: "key", Description: "Always null", Type: schema.Integer, Mutability: schema.Immutable}), Within: BLEURN},
			{Schema: named(PairingPassKeyURN, "pairingPassKey", "Pairing with a key of six digits",
				schema.Attribute{Name: "key", Description: "The key as a number", Type: schema.Integer, Required: true}), Within: BLEURN},
			{Schema: named(PairingOOBURN, "pairingOOB", "Pairing with a key that comes another way, by NFC for instance",
				schema.Attribute{Name: "key", Description: "The key", Required: true, CaseExact: true},
				schema.Attribute{Name: "randomNumber", Description: "The nonce that belongs to the key", Type: schema.Integer, Required: true},
				schema.Attribute{Name: "confirmationNumber", Description: "The number that some ways of pairing confirm with", Type: schema.Integer}), Within: BLEURN},
			{Schema: named(DPPURN, "dppExtension", "Wi-Fi Easy Connect, also called the device provisioning protocol",
				schema.Attribute{Name: "dppVersion", Description: "The version of DPP that the device has", Type: schema.Integer, Required: true},
				schema.Attribute{Name: "bootstrapKey", Description: "The public key for bootstrapping in base64; never shown", Required: true, CaseExact: true, Mutability: schema.WriteOnly, Returned: schema.ReturnedNever},
				text("deviceMacAddress", "The address, such as 2C:54:91:88:C9:E3"),
				text("serialNumber", "The serial number"),
				texts("bootstrappingMethod", "The ways of bootstrapping that the device has, such as QR and NFC"),
				texts("classChannel", "Operating class and channel, such as 81/1"))},
			{Schema: named(EthernetMABURN, "ethernetMabExtension", "Access to a wired network by address alone",
				schema.Attribute{Name: "deviceMacAddress", Description: "The address, such as 2C:54:91:88:C9:E3", Required: true})},
			{Schema: named(FIDOOnboardURN, "FDOExtension", "FIDO device onboarding",
				schema.Attribute{Name: "fdoVoucher", Description: "The voucher, PEM encoded; never shown", Required: true, Mutability: schema.WriteOnly, Returned: schema.ReturnedNever})},
			{Schema: named(ZigbeeURN, "zigbeeExtension", "Devices with Zigbee",
				required(texts("versionSupport", "The versions of Zigbee that the device has")),
				schema.Attribute{Name: "deviceEui64Address", Description: "The address, such as 50:32:5F:FF:FE:E7:67:28", Required: true})},
			{Schema: endpointApps()},
		},
	}
}

// EndpointApp returns the resource type EndpointApp: an application that controls
// devices or receives what they measure. The result is the caller's to change.
func EndpointApp() schema.ResourceType {
	return schema.ResourceType{
		ID:          "EndpointApp",
		Name:        "EndpointApp",
		Endpoint:    "/EndpointApps",
		Description: "Applications that reach devices",
		Label:       "applicationName",
		Schema: &schema.Schema{
			ID: EndpointAppURN, Name: "EndpointApp", Description: "An application that reaches devices, and how it shows who it is",
			Attributes: []schema.Attribute{
				{Name: "applicationType", Description: "What the application does", Required: true, Mutability: schema.Immutable, CanonicalValues: []string{"deviceControl", "telemetry"}},
				{Name: "applicationName", Description: "The name to show to people", Required: true},
				{Name: "certificateInfo", Description: "The certificate that the application shows", Type: schema.Complex, SubAttributes: []schema.Attribute{
					{Name: "rootCA", Description: "The certificate of the trust anchor in base64", CaseExact: true},
					{Name: "subjectName", Description: "The subject or DNS name in the certificate", Required: true, CaseExact: true},
				}},
				{Name: "clientToken", Description: "The token that an application without a certificate shows; made by the server", CaseExact: true, Mutability: schema.ReadOnly},
				groups(),
			},
		},
	}
}

// Group returns the resource type Group with devices and applications among its
// members (RFC 9944 section 4). The result is the caller's to change.
func Group() schema.ResourceType {
	g := schema.Group()
	g.Relations[0].Targets = append(g.Relations[0].Targets, "Device", "EndpointApp")
	for i := range g.Schema.Attributes {
		if a := &g.Schema.Attributes[i]; a.Name == "members" {
			for j := range a.SubAttributes {
				switch sub := &a.SubAttributes[j]; sub.Name {
				case "type":
					sub.CanonicalValues = append(sub.CanonicalValues, "Device", "EndpointApp")
				case "$ref":
					sub.ReferenceTypes = append(sub.ReferenceTypes, "Device", "EndpointApp")
				}
			}
		}
	}
	return g
}

func ble() *schema.Schema {
	return named(BLEURN, "bleExtension", "Devices with Bluetooth Low Energy",
		required(texts("versionSupport", "The versions of BLE that the device has, such as 5.3")),
		schema.Attribute{Name: "deviceMacAddress", Description: "The address, such as 2C:54:91:88:C9:E2", Required: true},
		schema.Attribute{Name: "isRandom", Description: "Whether the address is a random one", Type: schema.Boolean},
		texts("separateBroadcastAddress", "Other addresses that the device broadcasts with; not together with an irk"),
		schema.Attribute{Name: "irk", Description: "The key that resolves random addresses; never shown", Mutability: schema.WriteOnly, Returned: schema.ReturnedNever},
		schema.Attribute{Name: "mobility", Description: "Whether the device moves between access points", Type: schema.Boolean},
		schema.Attribute{Name: "pairingMethods", Description: "The methods of pairing, by the URN of their schema", MultiValued: true, Required: true, CaseExact: true},
	)
}

func endpointApps() *schema.Schema {
	return named(EndpointAppsURN, "endpointAppsExt", "Applications that reach the device through a gateway",
		schema.Attribute{Name: "applications", Description: "The applications", Type: schema.Complex, MultiValued: true, Required: true, SubAttributes: []schema.Attribute{
			{Name: "value", Description: "The id of the application", Required: true},
			{Name: "$ref", Description: "The URI of the application", Type: schema.Reference, CaseExact: true, ReferenceTypes: []string{"EndpointApp"}, Mutability: schema.ReadOnly},
		}},
		schema.Attribute{Name: "deviceControlEnterpriseEndpoint", Description: "Where applications control the device", Type: schema.Reference, CaseExact: true, ReferenceTypes: []string{"external"}, Mutability: schema.ReadOnly},
		schema.Attribute{Name: "telemetryEnterpriseEndpoint", Description: "Where applications receive what the device measures", Type: schema.Reference, CaseExact: true, ReferenceTypes: []string{"external"}, Mutability: schema.ReadOnly},
	)
}

func groups() schema.Attribute {
	return schema.Attribute{Name: "groups", Description: "The groups that it is in", Type: schema.Complex, MultiValued: true, Mutability: schema.ReadOnly, SubAttributes: []schema.Attribute{
		{Name: "value", Description: "The id of the group", Mutability: schema.ReadOnly},
		{Name: "$ref", Description: "The URI of the group", Type: schema.Reference, CaseExact: true, ReferenceTypes: []string{"Group"}, Mutability: schema.ReadOnly},
		{Name: "display", Description: "The name of the group", Mutability: schema.ReadOnly},
		{Name: "type", Description: "Whether the membership is direct", CanonicalValues: []string{"direct", "indirect"}, Mutability: schema.ReadOnly},
	}}
}

func named(urn, name, description string, attributes ...schema.Attribute) *schema.Schema {
	return &schema.Schema{ID: urn, Name: name, Description: description, Attributes: attributes}
}

func text(name, description string) schema.Attribute {
	return schema.Attribute{Name: name, Description: description}
}

func texts(name, description string) schema.Attribute {
	return schema.Attribute{Name: name, Description: description, MultiValued: true}
}

func required(a schema.Attribute) schema.Attribute {
	a.Required = true
	return a
}
