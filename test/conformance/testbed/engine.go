package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"qun/engineio"
)

// engineEcho is a bare engine that sends every message back.
func engineEcho(logger *slog.Logger) *engineio.Server {
	return engineio.NewServer(echo{}, engineio.Config{
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  200 * time.Millisecond,
		CheckOrigin:  func(*http.Request) bool { return true },
		CORS:         &engineio.CORS{Origin: "*"},
		Logger:       logger,
	})
}

type echo struct{}

func (echo) OnOpen(*engineio.Session)         {}
func (echo) OnClose(*engineio.Session, error) {}
func (echo) OnMessage(s *engineio.Session, m engineio.Message) {
	if m.Binary {
		s.Send(engineio.NewBinary(m.Data))
		return
	}
	s.Send(engineio.NewText(m.Data))
}

// engineClientMode is what the tests of engine.io-client talk to.
func engineClientMode(logger *slog.Logger) mounts {
	c := &companion{}
	return mounts{"/engine.io/": engineio.NewServer(c, engineio.Config{
		PingInterval: 500 * time.Millisecond,
		MaxPayload:   100,
		CheckOrigin:  func(*http.Request) bool { return true },
		CORS:         &engineio.CORS{Allow: func(string) bool { return true }, Credentials: true},
		Admit:        admitUnlessDenied,
		SetHeaders:   c.setHeaders,
		Logger:       logger,
	})}
}

func admitUnlessDenied(r *http.Request) (func(), error) {
	if r.URL.Query().Has("deny") {
		return nil, errors.New("asked to deny")
	}
	return nil, nil
}

// A companion answers what the tests of the client ask, and echoes everything else.
type companion struct {
	echo
	headers sync.Map // by session id: http.Header of its last POST
}

func (c *companion) setHeaders(h http.Header, r *http.Request, initial bool) {
	if initial {
		for _, cookie := range []string{
			"1=1; Max-Age=86400", "2=2; Path=/; HttpOnly; Secure; SameSite=Strict", "3=3; Max-Age=0", "4=4; Expires=" + time.Now().UTC().Format(http.TimeFormat),
		} {
			h.Add("Set-Cookie", cookie)
		}
	}
	if r.Method == http.MethodPost {
		c.headers.Store(r.URL.Query().Get("sid"), r.Header.Clone())
	}
}

func (c *companion) OnOpen(s *engineio.Session) { s.Send(engineio.NewText([]byte("hi"))) }

func (c *companion) OnClose(s *engineio.Session, _ error) { c.headers.Delete(s.ID()) }

func (c *companion) OnMessage(s *engineio.Session, m engineio.Message) {
	switch string(m.Data) {
	case "give binary":
		s.Send(engineio.NewBinary([]byte{0, 1, 2, 3, 4}))
	case "give utf8":
		s.Send(engineio.NewText([]byte("пойду спать всем спокойной ночи")))
	case "sendHeaders":
		s.Send(engineio.NewText(c.lastHeaders(s)))
	default:
		c.echo.OnMessage(s, m)
	}
}

// lastHeaders is the JSON of the headers of the request with which the session's client has just sent something.
func (c *companion) lastHeaders(s *engineio.Session) []byte {
	headers := make(map[string]string)
	if kept, ok := c.headers.Load(s.ID()); ok {
		for name, values := range kept.(http.Header) {
			headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	text, _ := json.Marshal(headers) // strings always marshal
	return text
}
