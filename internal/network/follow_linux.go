package network

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// groups are what the kernel is to report, as bits: the addresses and routes of IPv4
// and IPv6.
const groups = 1<<(syscall.RTNLGRP_IPV4_IFADDR-1) | 1<<(syscall.RTNLGRP_IPV4_ROUTE-1) |
	1<<(syscall.RTNLGRP_IPV6_IFADDR-1) | 1<<(syscall.RTNLGRP_IPV6_ROUTE-1)

// follow calls changed for each change that the kernel reports, until ctx ends.
func follow(ctx context.Context, changed func()) {
	socket, err := subscribe()
	if err != nil {
		return // a sandbox may forbid it
	}
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	defer socket.Close()
	message := make([]byte, 4096) // what does not fit is of no interest
	for {
		_, err := socket.Read(message)
		if err != nil && !errors.Is(err, syscall.ENOBUFS) { // ENOBUFS: there were too many
			return
		}
		changed()
	}
}

func subscribe() (*os.File, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, syscall.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK, Groups: groups}); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}
