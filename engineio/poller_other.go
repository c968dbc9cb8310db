//go:build !linux

package engineio

import "net"

// A poller is not here: goroutines wait for sockets.
type poller struct{}

func newPoller(*Server) *poller { return nil }
func (*poller) run()            {}
func (*poller) look() bool      { return false }
func (*poller) close()          {}

func newEpollConn(net.Conn, []byte, *poller) conn { return nil }
