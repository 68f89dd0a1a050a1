// Command load measures a SCIM server over HTTP, phase by phase.
//
//	go run ./internal/load -base http://127.0.0.1:8080/scim/v2 -token secret -n 10000 -c 8
//
// The phases run one after the other, each until -n operations are done or -max
// has passed, with -c requests under way at a time:
//
//	create      POST /Users
//	get         GET /Users/{id}
//	lookup      GET /Users?filter=userName eq "…"
//	patch       PATCH of active and displayName, as one identity provider sends it
//	members     PATCH that adds one member to one of -groups groups
//	list        GET /Users?count=100, page after page
//	deactivate  PATCH active false
//
// For each it prints how many operations were done and failed, the rate, and
// percentiles of the time that one took, as the client saw it. What it created
// it deletes at the end, except with -keep. It refuses every address that is not
// of this machine: it is for measuring one's own server.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	cfg := config{}
	flag.StringVar(&cfg.base, "base", "http://127.0.0.1:8080/scim/v2", "base URL of the server, on this machine")
	flag.StringVar(&cfg.token, "token", "", "bearer token")
	flag.IntVar(&cfg.operations, "n", 1000, "operations in each phase")
	flag.DurationVar(&cfg.limit, "max", 30*time.Second, "longest time of a phase")
	flag.IntVar(&cfg.workers, "c", 4, "requests under way at a time")
	flag.IntVar(&cfg.groups, "groups", 1, "groups that members are added to")
	flag.BoolVar(&cfg.keep, "keep", false, "leave what was created")
	only := flag.String("phases", "", "phases to print, comma separated (create always runs; default all)")
	flag.Parse()
	if *only != "" {
		cfg.phases = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
