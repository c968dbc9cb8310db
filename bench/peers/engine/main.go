// Engine is the peers' job on Qun's own socketio, with what measuring needs beside it: an event that is only answered,
// TLS, and the profiler.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net/http"
	_ "net/http/pprof" // at -profile only
	"time"

	"qun/socketio"
)

type joinRoom struct{ RoomName string }

type sendMessage struct{ Room, NickName, Message string }

type message struct {
	NickName string `json:"nickName"`
	Message  string `json:"message"`
}

type none = struct{}

func main() {
	secure := flag.Bool("tls", false, "serve TLS, with a certificate made for the occasion")
	profile := flag.String("profile", "", "address of the profiler")
	flag.Parse()
	if *profile != "" {
		go func() { log.Fatal(http.ListenAndServe(*profile, nil)) }()
	}
	if err := listen(flag.Arg(0), *secure); err != nil {
		log.Fatal(err)
	}
}

func listen(address string, secure bool) error {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", newServer())
	server := &http.Server{Addr: address, Handler: mux}
	if !secure {
		return server.ListenAndServe()
	}
	certificate, err := selfSigned()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	return server.ListenAndServeTLS("", "")
}

func newServer() *socketio.Server {
	server := socketio.New(socketio.Config{})
	all := server.Of("/")
	socketio.On(all, "joinRoom", func(_ context.Context, s *socketio.Socket, in joinRoom) (none, error) {
		return none{}, s.Join(socketio.Room(in.RoomName))
	})
	socketio.On(all, "sendMessage", func(_ context.Context, _ *socketio.Socket, in sendMessage) (none, error) {
		return none{}, all.To(socketio.Room(in.Room)).Emit("message", message{in.NickName, in.Message})
	})
	socketio.On(all, "echo", func(_ context.Context, _ *socketio.Socket, in json.RawMessage) (json.RawMessage, error) {
		return in, nil
	})
	return server
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
