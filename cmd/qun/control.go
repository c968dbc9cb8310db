package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	// controlName is a socket in the data folder, which only the server's own user can enter.
	controlName = "qun.sock"
	// maxControlPath is the longest path of a socket on every system.
	maxControlPath = 100
	// maxOrder bounds an order, in bytes.
	maxOrder = 64 << 10
	// orderTime is how long an order may take.
	orderTime = 30 * time.Second
)

// control lets the command line of the same user reach the running server.
type control struct {
	server *http.Server
	done   chan struct{} // closed when serving has ended
}

// startControl listens in the data folder. Where that is not possible the server runs without: `qun user` then says that it
// has to be stopped first.
func startControl(folder string, do func(context.Context, order) (string, error), log *slog.Logger) *control {
	path := filepath.Join(folder, controlName)
	listener, err := listenControl(path)
	if errors.Is(err, errControlled) {
		return nil
	}
	if err != nil {
		log.Warn("qun user works only while the server is stopped: no socket in the data folder", "error", err)
		return nil
	}
	c := &control{
		server: &http.Server{
			Handler: orders(do), ReadTimeout: orderTime, WriteTimeout: orderTime,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(c.done)
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serve the command line", "error", err)
		}
	}()
	return c
}

// errControlled says that another server on the same folder and database takes the orders.
var errControlled = errors.New("another server listens in the data folder")

// listenControl takes the place of a socket that a server left behind when it was killed.
func listenControl(path string) (net.Listener, error) {
	if len(path) > maxControlPath {
		return nil, fmt.Errorf("the path %s is too long for a socket", path)
	}
	if conn, err := new(net.Dialer).DialContext(context.Background(), "unix", path); err == nil {
		return nil, errors.Join(errControlled, conn.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// close takes no more orders and waits for those that are being carried out.
func (c *control) close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	err := c.server.Shutdown(ctx)
	<-c.done
	return err
}

// outcome is what an order came to.
type outcome struct {
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// orders answers on the socket.
func orders(do func(context.Context, order) (string, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /order", func(w http.ResponseWriter, r *http.Request) {
		var o order
		var out outcome
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&o); err != nil {
			out.Error = "the order cannot be read"
		} else if text, err := do(r.Context(), o); err != nil {
			out.Error = err.Error()
		} else {
			out.Text = text
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // who went away reads nothing
	})
	return mux
}

// askServer has the server that uses a folder carry an order out. running is false if there is none.
func askServer(ctx context.Context, folder string, o order) (text string, running bool, err error) {
	path, err := filepath.Abs(filepath.Join(folder, controlName))
	if err != nil {
		return "", false, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return "", false, nil
	}
	conn.Close()
	body, err := json.Marshal(o)
	if err != nil {
		return "", true, err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://qun/order", bytes.NewReader(body))
	if err != nil {
		return "", true, err
	}
	w, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return "", true, fmt.Errorf("ask the running server: %w", err)
	}
	defer w.Body.Close()
	return readOutcome(w.Body)
}

func readOutcome(body io.Reader) (text string, running bool, err error) {
	var out outcome
	if err := json.NewDecoder(body).Decode(&out); err != nil {
		return "", true, fmt.Errorf("read the running server's answer: %w", err)
	}
	if out.Error != "" {
		return "", true, errors.New(out.Error)
	}
	return out.Text, true, nil
}
