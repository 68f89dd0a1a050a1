package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

type config struct {
	base, token     string
	operations      int
	limit           time.Duration
	workers, groups int
	phases          []string // empty means all
	keep            bool
}

// check reports what makes a configuration unusable.
func (c *config) check() error {
	if err := checkLoopback(c.base); err != nil {
		return err
	}
	switch {
	case c.operations < 1 || c.operations > 10_000_000:
		return errors.New("-n must be from 1 to 10,000,000")
	case c.workers < 1 || c.workers > 1000:
		return errors.New("-c must be from 1 to 1,000")
	case c.groups < 1 || c.groups > 10_000:
		return errors.New("-groups must be from 1 to 10,000")
	case c.limit <= 0 || c.limit > time.Hour:
		return errors.New("-max must be more than nothing and at most an hour")
	}
	for _, name := range c.phases {
		if !slices.ContainsFunc(phases, func(p phase) bool { return p.name == name }) {
			return fmt.Errorf("there is no phase %q", name)
		}
	}
	return nil
}

// checkLoopback accepts base URLs of this machine only. Of names it takes just
// "localhost": any other could lead elsewhere by the time it is asked for.
func checkLoopback(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return errors.New("-base must be an http or https URL without query and credentials")
	}
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.Unmap().IsLoopback() {
		return fmt.Errorf("%s is not an address of this machine: use 127.0.0.1, [::1] or localhost", host)
	}
	return nil
}
