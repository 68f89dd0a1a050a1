package device

import (
	"context"
	"crypto/rand"

	"github.com/musterhq/muster/scim"
)

// Config says what the server adds to devices and applications.
type Config struct {
	// ControlURL and TelemetryURL are where applications reach the gateway that
	// stands in front of the devices: the attributes deviceControlEnterpriseEndpoint
	// and telemetryEnterpriseEndpoint of a device that names applications (RFC 9944
	// section 7.6). An empty one is left out.
	ControlURL, TelemetryURL string
	// NewToken makes the token of an application that is created without a
	// certificate, of 500 characters at the most. Nil makes random ones of 130 bits.
	// The token is kept as it is, since answers show it.
	NewToken func(ctx context.Context, p scim.Principal, app *scim.Resource) (string, error)
}

// Options returns the options for a server that serves devices and applications:
// the types, with groups that may have both as members, [Check] as a guard, and what
// c says. A host whose Group differs from [Group] puts its own option behind them.
func Options(c Config) []scim.Option {
	return []scim.Option{
		scim.WithResourceType(Device()),
		scim.WithResourceType(EndpointApp()),
		scim.WithResourceType(Group()),
		scim.WithInterceptor(c.complete),
		scim.WithGuard(Check),
	}
}

// complete adds what the server makes to a new resource, and to one that takes the
// place of an old one. Applications get a token on creation alone; from then on the
// server keeps it, as it does everything that clients cannot set.
func (c Config) complete(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
	if op.Resource == nil {
		return next(ctx, op)
	}
	completed := *op
	var err error
	switch op.Type.Schema() {
	case DeviceURN:
		completed.Resource, err = c.device(op.Resource)
	case EndpointAppURN:
		if op.Method == scim.Create {
			completed.Resource, err = c.application(ctx, op)
		}
	}
	if err != nil {
		return nil, err
	}
	return next(ctx, &completed)
}

func (c Config) device(r *scim.Resource) (*scim.Resource, error) {
	apps := r.Lookup(EndpointAppsURN + ":applications")
	if apps.IsZero() {
		return r, nil
	}
	b := r.Edit()
	var list []any
	for app := range apps.Elements() {
		id := ""
		for part := range app.Members() {
			if part.Path().Name() == "value" {
				id = part.Text()
			}
		}
		// A relative URI starts from the service root (RFC 7643 section 2.3.7), so it
		// stays right when the server moves.
		list = append(list, map[string]any{"value": id, "$ref": "EndpointApps/" + id})
	}
	b.Set(EndpointAppsURN+":applications", list)
	if c.ControlURL != "" {
		b.Set(EndpointAppsURN+":deviceControlEnterpriseEndpoint", c.ControlURL)
	}
	if c.TelemetryURL != "" {
		b.Set(EndpointAppsURN+":telemetryEnterpriseEndpoint", c.TelemetryURL)
	}
	return b.Build()
}

func (c Config) application(ctx context.Context, op *scim.Operation) (*scim.Resource, error) {
	if !op.Resource.Lookup("certificateInfo").IsZero() {
		return op.Resource, nil
	}
	token := rand.Text()
	if c.NewToken != nil {
		var err error
		if token, err = c.NewToken(ctx, op.Principal, op.Resource); err != nil {
			return nil, err
		}
	}
	return op.Resource.Edit().Set("clientToken", token).Build()
}
