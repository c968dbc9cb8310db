package engineio

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// A poller reads the sockets of a shard. The kernel tells which of them have something: an epoll set of our own, for which
// one goroutine waits as it would for a socket. So a connection needs neither a goroutine with a stack nor an entry in the
// runtime's own set, and a message costs one read.
type poller struct {
	server *Server
	set    int      // the descriptor of the epoll set
	file   *os.File // the same, as the runtime waits for it

	reading sync.Mutex // held by who polls, and guards below; see take for what happens meanwhile
	events  [128]syscall.EpollEvent
	buf     []byte

	mu    sync.Mutex   // guards below; held for a moment only
	conns []*epollConn // by descriptor
}

// newPoller returns nil if the kernel or the runtime cannot do it. Then goroutines wait.
func newPoller(s *Server) *poller {
	set, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	if err := syscall.SetNonblock(set, true); err != nil { // or the runtime would not wait for it
		syscall.Close(set)
		return nil
	}
	file := os.NewFile(uintptr(set), "epoll")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // the runtime does not wait for it
		file.Close()
		return nil
	}
	return &poller{server: s, set: set, file: file, buf: make([]byte, readSize)}
}

// run reads until the poller is closed.
func (p *poller) run() {
	raw, err := p.file.SyscallConn()
	if err == nil {
		_ = raw.Read(func(uintptr) bool { // only closing ends it
			for p.mustLook() {
				runtime.Gosched() // so that what has been read is handled, and what comes meanwhile is read next
			}
			return false
		})
	}
}

func (p *poller) mustLook() bool {
	p.reading.Lock()
	defer p.reading.Unlock()
	return p.poll()
}

// look is poll for those who have something else to do. It is false, too, if somebody else is looking.
func (p *poller) look() bool {
	if !p.reading.TryLock() {
		return false
	}
	defer p.reading.Unlock()
	return p.poll()
}

// poll reads once from each socket that has something. It reports whether there was any. What a socket has left is
// seen again: nothing depends on reading all of it.
func (p *poller) poll() bool {
	n, err := pollNow(p.set, p.events[:])
	if err == syscall.EINTR {
		return true
	}
	for i := range max(n, 0) {
		e := &p.events[i]
		if c := p.conn(int(e.Fd)); c != nil {
			c.take(e.Events)
		}
	}
	return n > 0
}

func (p *poller) conn(fd int) *epollConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fd >= len(p.conns) {
		return nil
	}
	return p.conns[fd]
}

func (p *poller) add(c *epollConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.conns) <= c.fd {
		p.conns = append(p.conns, nil)
	}
	p.conns[c.fd] = c
}

func (p *poller) remove(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[fd] = nil
}

// watch changes what is looked for on a descriptor.
func (p *poller) watch(fd int, before, now uint32) {
	op := syscall.EPOLL_CTL_MOD
	switch {
	case before == 0:
		op = syscall.EPOLL_CTL_ADD
	case now == 0:
		op = syscall.EPOLL_CTL_DEL
	}
	if err := syscall.EpollCtl(p.set, op, fd, &syscall.EpollEvent{Events: now, Fd: int32(fd)}); err != nil {
		p.server.cfg.Logger.Error("watch a connection", "error", err)
	}
}

// close ends run. No connection is left.
func (p *poller) close() { p.file.Close() }
