//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// PostgreSQL refuses to run as root, so root runs it as somebody else.

// somebody returns the user and group of somebody without rights; ok is false
// when this process has none to give up.
func somebody() (uid, gid int, ok bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if errors.Join(err1, err2) == nil {
			return uid, gid, true
		}
	}
	return 65534, 65534, true
}

// unprivileged makes a process run as somebody. It has a process group of its
// own, so that an interrupt at the terminal leaves the end to the keeper.
func unprivileged() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := somebody(); ok {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attr
}

// giveAway makes somebody the owner of files.
func giveAway(names ...string) error {
	uid, gid, ok := somebody()
	if !ok {
		return nil
	}
	for _, name := range names {
		if err := os.Chown(name, uid, gid); err != nil {
			return err
		}
	}
	return nil
}
