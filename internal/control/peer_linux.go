package control

import (
	"errors"
	"net"
	"os"
	"syscall"
)

var errOther = errors.New("this socket is another user's")

// checkPeer returns an error unless the other side is ours, or root's.
func checkPeer(conn net.Conn) error {
	uid, err := peer(conn)
	if err == nil && uid != 0 && uid != os.Geteuid() {
		err = errOther
	}
	return err
}

// checkServer is checkPeer for a client. Root may speak to anybody.
func checkServer(conn net.Conn) error {
	if os.Geteuid() == 0 {
		return nil
	}
	return checkPeer(conn)
}

// peer is the user on the other side; of what is no Unix socket, which tests have, ours.
func peer(conn net.Conn) (uid int, err error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return os.Geteuid(), nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	if cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); cerr != nil {
		return 0, cerr
	}
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
