package main

import (
	"context"
	"log/slog"

	"github.com/musterhq/muster/scim"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// spans names the span of a request by what it does, such as "scim patch User",
// rather than by a path with an id in it, and gives each operation of a bulk request
// a span of its own. otelhttp makes the span of the request; it has to stand where no
// http.ServeMux has set a pattern before, because it names the span by that at the
// end.
func spans(provider trace.TracerProvider) scim.Interceptor {
	tracer := provider.Tracer("github.com/musterhq/muster/examples/mount")
	return func(ctx context.Context, op *scim.Operation, next scim.Next) (*scim.Result, error) {
		name := "scim " + string(op.Method) + " " + op.Type.Name()
		span := trace.SpanFromContext(ctx)
		if op.Bulk {
			ctx, span = tracer.Start(ctx, name)
			defer span.End()
		} else {
			span.SetName(name)
		}
		span.SetAttributes(attribute.String("scim.tenant", op.Principal.Tenant), attribute.String("scim.connection", op.Principal.Connection))
		res, err := next(ctx, op)
		if err != nil && op.Bulk {
			span.SetStatus(codes.Error, "refused") // the text of an error may name a value
		}
		return res, err
	}
}

// logExporter writes spans to the log, in place of a collector.
type logExporter struct{ log *slog.Logger }

func (e logExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	for _, s := range spans {
		e.log.InfoContext(ctx, "span", "name", s.Name(), "trace", s.SpanContext().TraceID(), "duration", s.EndTime().Sub(s.StartTime()))
	}
	return nil
}

func (e logExporter) Shutdown(context.Context) error { return nil }
