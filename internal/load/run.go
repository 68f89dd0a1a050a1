package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// run measures all phases and prints a line for each as it ends.
func run(ctx context.Context, cfg config, out io.Writer) (err error) {
	if err := cfg.check(); err != nil {
		return err
	}
	l := newLoad(cfg)
	if !cfg.keep {
		defer func() {
			err = errors.Join(err, l.cleanUp(context.WithoutCancel(ctx)))
		}()
	}
	if err := l.createGroups(ctx, cfg.groups); err != nil {
		return err
	}
	fmt.Fprintln(out, header)
	for _, p := range phases {
		wanted := len(cfg.phases) == 0 || slices.Contains(cfg.phases, p.name)
		if !wanted && p.name != "create" {
			continue
		}
		r := measure(ctx, cfg, p.name, func(ctx context.Context, i int) error { return p.do(l, ctx, i) })
		if wanted {
			fmt.Fprintln(out, r)
		}
		if p.name == "create" {
			for n, id := range l.ids {
				if id != "" {
					l.made = append(l.made, n)
				}
			}
			if len(l.made) == 0 {
				return fmt.Errorf("no user could be created: %w", errors.Join(r.firstError, ctx.Err()))
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// measure performs operations until there are enough or the time is over. The
// operation under way when the time ends is finished and counted.
func measure(ctx context.Context, cfg config, name string, do func(context.Context, int) error) result {
	var next atomic.Int64
	times := make([][]time.Duration, cfg.workers)
	failed := make([]int, cfg.workers)
	firstErrors := make([]error, cfg.workers)
	start := time.Now()
	var wg sync.WaitGroup
	for w := range cfg.workers {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(start) < cfg.limit {
				i := int(next.Add(1)) - 1
				if i >= cfg.operations {
					return
				}
				began := time.Now()
				err := do(ctx, i)
				times[w] = append(times[w], time.Since(began))
				if err != nil {
					failed[w]++
					firstErrors[w] = cmp.Or(firstErrors[w], err)
				}
			}
		})
	}
	wg.Wait()
	r := result{name: name, took: time.Since(start), times: slices.Concat(times...)}
	slices.Sort(r.times)
	for w := range cfg.workers {
		r.failed += failed[w]
		r.firstError = cmp.Or(r.firstError, firstErrors[w])
	}
	return r
}
