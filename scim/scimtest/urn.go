package scimtest

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	configURN     = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	typeURN       = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaURN     = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	errorURN      = "urn:ietf:params:scim:api:messages:2.0:Error"
	listURN       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	searchURN     = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	bulkURN       = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkDoneURN   = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// urns are the variables for URNs in checks.
func urns() map[string]string {
	return map[string]string{
		"User": userURN, "Group": groupURN, "Enterprise": enterpriseURN,
		"Config": configURN, "ResourceType": typeURN, "Schema": schemaURN,
		"Error": errorURN, "ListResponse": listURN, "PatchOp": patchURN,
		"SearchRequest": searchURN, "BulkRequest": bulkURN, "BulkResponse": bulkDoneURN,
	}
}
