//go:build !linux

package control

import "net"

// Here the permissions of the socket say who may speak to whom.

func checkPeer(net.Conn) error { return nil }

func checkServer(net.Conn) error { return nil }
