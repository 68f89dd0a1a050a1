// Package device serves devices and the applications that reach them: the resource
// types Device and EndpointApp of RFC 9944, with their extensions.
//
//	opts := device.Options(device.Config{ControlURL: "https://gateway.example.com/control"})
//	srv, err := scim.New(memory.New(), scim.BearerToken("secret"), opts...)
//
// It is made of nothing but the public parts of Muster and shows how a host writes
// such a thing itself: declarations ([Device], [EndpointApp], [Group]), an
// interceptor for what the server adds ([Config]), and a guard for what the
// definitions cannot say ([Check]).
//
// # Readings
//
//   - A device's extensions are optional, and several may be present.
//   - Pairing methods are extensions inside the BLE extension. The null method has no
//     attributes and "just works" has a key that is null, so neither leaves a trace
//     but its name in pairingMethods.
//   - applicationType is called readOnly and required at once. Here it is set once,
//     by the client that creates the application.
//   - irk, bootstrapKey and fdoVoucher can be written and never read. Keys of pairing
//     methods are returned, as the RFC has it; a host that does not want that changes
//     the declaration.
//   - Uniqueness of addresses "by the manufacturer" is nothing that a server can
//     judge: they are indexed and not enforced.
package device
