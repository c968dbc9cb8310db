// Package rest is the chat over HTTP: sessions for the web app, the app itself, health.
//
// New returns the routes; Guard stands in front of everything the server answers, the Socket.IO path included: it knows
// which proxies to believe and which Host names are ours, and adds the security headers.
package rest
