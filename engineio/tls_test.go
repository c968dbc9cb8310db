package engineio_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"qun/engineio"
)

// encrypted is TLS over loopback: connections of the plain form, in real time.
func encrypted(t *testing.T) form {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"qun.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return form{name: "TLS", patience: sockets.patience, listen: func(t *testing.T) listener {
		return tlsListener{tls.NewListener(listenTCP(t), cfg)}
	}}
}

// overAll runs the test over both forms of connection, and over TLS.
func overAll(t *testing.T, test func(t *testing.T, f form)) {
	t.Helper()
	overBoth(t, test)
	t.Run("TLS", func(t *testing.T) { test(t, encrypted(t)) })
}

type tlsListener struct{ net.Listener }

func (l tlsListener) dial() (net.Conn, error) {
	return tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
}

func TestSessionsOverTLS(t *testing.T) {
	w := start(t, encrypted(t), nil, engineio.Config{})
	p, s := w.connect()
	if !s.Handshake().Secure {
		t.Error("handshake does not know that it was secure")
	}
	go p.send("4"+repeat(500_000), "4end")
	p.expect("4"+repeat(500_000), "4end")
	switched := upgraded(w)
	switched.send("4switched")
	switched.expect("4switched")
	s.Send(text("last"))
	s.Close(engineio.ErrForcedServerClose)
	p.expect("4last")
	p.next(ws.OpClose)
	p.expectCut() // what TLS calls a clean end
	w.expectEnd(engineio.ErrForcedServerClose)
}

func TestPeerClosesOverTLS(t *testing.T) {
	w := start(t, encrypted(t), nil, engineio.Config{})
	p, _ := w.connect()
	w.eventually("nothing is being written", func() bool { return w.server.Stats().PacketsOut == 1 })
	p.write(masked(ws.NewCloseFrame(nil)))
	p.next(ws.OpClose)
	p.expectCut()
	w.expectEnd(engineio.ErrTransportClose)
}

func TestStuckPeersOverTLSHoldNobodyUp(t *testing.T) {
	w := start(t, encrypted(t), nil, engineio.Config{OutboxBytes: 300_000})
	for range 5 {
		_, s := w.connect()
		for !s.Closed() {
			s.Send(text(repeat(10_000)))
		}
		w.expectEnd(engineio.ErrSlowConsumer)
	}
	p, _ := w.connect()
	p.send("4quick")
	p.expect("4quick")
}

// A connection that wraps a socket has a Read and a Write of its own: going around them would break it.
func TestWrappedSocketsAreNotReadPastTheirWrapper(t *testing.T) {
	f := sockets
	f.listen = func(t *testing.T) listener { return scrambledListener{listenTCP(t)} }
	w := start(t, f, nil, engineio.Config{})
	p, _ := w.connect()
	p.send("4through the wrapper")
	p.expect("4through the wrapper")
}

type scrambledListener struct{ listener }

func (l scrambledListener) Accept() (net.Conn, error) {
	c, err := l.listener.Accept()
	if err != nil {
		return nil, err
	}
	return scrambled{c.(*net.TCPConn)}, nil
}

func (l scrambledListener) dial() (net.Conn, error) {
	c, err := l.listener.dial()
	if err != nil {
		return nil, err
	}
	return scrambled{c.(*net.TCPConn)}, nil
}

// scrambled flips the bits of all that passes.
type scrambled struct{ *net.TCPConn }

func (c scrambled) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	for i := range b[:n] {
		b[i] ^= 0xff
	}
	return n, err
}

func (c scrambled) Write(b []byte) (int, error) {
	flipped := make([]byte, len(b))
	for i := range b {
		flipped[i] = b[i] ^ 0xff
	}
	return c.TCPConn.Write(flipped)
}
