package soak_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// poller is a session over HTTP long polling.
type poller struct {
	client  *http.Client
	url     string     // of the session
	posting sync.Mutex // a session may have one POST at a time
}

var errGone = errors.New("the session has ended")

// openPolling shakes hands and joins the namespace.
func (s *server) openPolling(ctx context.Context, client *http.Client) (*poller, error) {
	p := &poller{client: client, url: s.url + "/socket.io/?EIO=4&transport=polling"}
	packet, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "0")), &open); err != nil {
		return nil, fmt.Errorf("open packet %q: %w", packet, err)
	}
	p.url += "&sid=" + open.SID
	return p, p.post(ctx, "40")
}

func (p *poller) get(ctx context.Context) (string, error) { return p.do(ctx, http.MethodGet, nil) }

func (p *poller) post(ctx context.Context, packet string) error {
	p.posting.Lock()
	defer p.posting.Unlock()
	_, err := p.do(ctx, http.MethodPost, strings.NewReader(packet))
	return err
}

func (p *poller) do(ctx context.Context, method string, body io.Reader) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.url, body)
	if err != nil {
		return "", err
	}
	answer, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s %s", errGone, answer.Status, text)
	}
	return string(text), err
}

// connectByPolling makes p a client that polls until the test ends.
func (s *server) connectByPolling(t *testing.T, p *talker) {
	t.Helper()
	transport := &http.Transport{}
	ctx, cancel := context.WithCancel(context.Background())
	session, err := s.openPolling(ctx, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	acks := make(chan struct{}, 1)
	done := make(chan struct{})
	var failed atomic.Pointer[error]
	go func() {
		defer close(done)
		if err := session.listen(ctx, p, acks); err != nil {
			failed.Store(&err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done; transport.CloseIdleConnections() })
	p.call = func(ctx context.Context, event string, arg any) error {
		if err := session.post(ctx, "421"+mustJSON([]any{event, arg})); err != nil {
			return err
		}
		select {
		case <-acks:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("wait for the ack of %s: %w", event, ctx.Err())
		}
	}
	p.gone = func() error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}

// listen polls until the context ends, answers pings, and gives the talker what it hears.
func (p *poller) listen(ctx context.Context, t *talker, acks chan<- struct{}) error {
	for {
		payload, err := p.get(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for packet := range strings.SplitSeq(payload, "\x1e") {
			if err := p.take(ctx, packet, t, acks); err != nil {
				return err
			}
		}
	}
}

func (p *poller) take(ctx context.Context, packet string, t *talker, acks chan<- struct{}) error {
	switch {
	case packet == "2":
		return p.post(ctx, "3")
	case packet == "1" || strings.HasPrefix(packet, "41"):
		return errGone
	case strings.HasPrefix(packet, "43"):
		acks <- struct{}{}
	case strings.HasPrefix(packet, "42"):
		var args []json.RawMessage
		var event string
		if err := json.Unmarshal([]byte(packet[2:]), &args); err != nil {
			return err
		}
		if err := json.Unmarshal(args[0], &event); err != nil {
			return err
		}
		t.hear(event, args[1:])
	}
	return nil
}

// brief is how long a nuisance is patient.
func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Second)
}
