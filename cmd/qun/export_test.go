package main

import (
	"crypto/tls"
	"log/slog"
)

// Patient is the HTTP server without what it serves.
var Patient = patient

// UntilSignal is what main waits for.
var UntilSignal = untilSignal

// KeyPair shows the certificate in two files.
func KeyPair(cert, key string, log *slog.Logger) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	p := &keyPair{cert: cert, key: key, log: log}
	return p.certificate, p.load()
}
