package load

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Hold makes n connections over TLS that do nothing but answer heartbeats, and returns what ends them. Each has a goroutine:
// what they cost on this side is not measured.
func Hold(cfg Config, n int) (release func(), took time.Duration, err error) {
	var open sync.WaitGroup
	conns, errs := make([]net.Conn, n), make([]error, n)
	turns, start := make(chan struct{}, 64), time.Now()
	for i := range n {
		turns <- struct{}{}
		open.Go(func() {
			defer func() { <-turns }()
			conns[i], errs[i] = hold(cfg, i)
		})
	}
	open.Wait()
	took = time.Since(start)
	release = func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	}
	for _, err := range errs {
		if err != nil {
			release()
			return nil, 0, err
		}
	}
	return release, took, nil
}

func hold(cfg Config, i int) (net.Conn, error) {
	dialer := tls.Dialer{
		NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(2+i/perSource))}},
		Config:    &tls.Config{InsecureSkipVerify: true}, // a certificate made for the occasion, on loopback
	}
	server := cfg.Server(i)
	conn, err := dialer.Dial("tcp", server.String())
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", cfg.Dialect.Path, server)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(conn, 512)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake refused: %s", response.Status)
	}
	for {
		text, err := readText(r)
		if err != nil {
			return nil, err
		}
		answer, done, err := cfg.Dialect.Greet(text, nil)
		if err != nil {
			return nil, err
		}
		if answer != nil {
			if _, err := conn.Write(clientFrame(opText, answer)); err != nil {
				return nil, err
			}
		}
		if done {
			go stay(conn, r, cfg.Dialect)
			return conn, nil
		}
	}
}

// stay answers heartbeats until the connection ends.
func stay(conn net.Conn, r *bufio.Reader, d *Dialect) {
	for {
		text, err := readText(r)
		if err != nil {
			return
		}
		if d.Kind(text) == Ping {
			if _, err := conn.Write(clientFrame(opText, d.Pong)); err != nil {
				return
			}
		}
	}
}

// readText reads one frame.
func readText(r *bufio.Reader) ([]byte, error) {
	for n := 2; ; n++ {
		b, err := r.Peek(n)
		if err != nil {
			return nil, err
		}
		if _, payload, size := cutFrame(b); size > 0 {
			text := append([]byte(nil), payload...)
			_, err := r.Discard(size)
			return text, err
		}
	}
}
