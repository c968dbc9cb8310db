package rest

import (
	"context"
	"net/http"
	"sync"
	"time"

	"qun/internal/chat"
)

// Figures is what the overview asks of the chat.
type Figures interface {
	Figures(ctx context.Context) (*chat.Figures, error)
}

// Load is what the server did lately, oldest first, in as many points each.
type Load struct {
	Seconds     int       `json:"seconds"`     // between two points
	Connections []int     `json:"connections"` // that were open
	Messages    []float64 `json:"messages"`    // a second, told to rooms
	Deliveries  []float64 `json:"deliveries"`  // a second: packets to peers
	CPU         []float64 `json:"cpu"`         // cores in use
	Memory      []int64   `json:"memory"`      // bytes of the process
}

// countEvery bounds how often it is counted what the server holds: the load is in memory, this is not.
const countEvery = 15 * time.Second

// counted are figures that several administrators share for a while.
type counted struct {
	mu      sync.Mutex // guards below; held while one counts, which the others wait for
	figures *chat.Figures
	at      time.Time
}

func (c *counted) read(ctx context.Context, count func(context.Context) (*chat.Figures, error)) (*chat.Figures, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.figures != nil && time.Since(c.at) < countEvery {
		return c.figures, nil
	}
	figures, err := count(ctx)
	if err != nil {
		return nil, err
	}
	c.figures, c.at = figures, time.Now()
	return figures, nil
}

func (s *server) registerOverview() {
	answer(s, route{
		ID: "adminOverview", Method: http.MethodGet, Path: "/admin/overview", Tag: "administration", Who: administrators,
		Summary: "How the server is: its load over the last quarter of an hour, and what it holds",
	}, s.adminOverview)
}

type overviewOut struct {
	Version   string        `json:"version"`
	Now       chat.Time     `json:"now"`
	StartedAt chat.Time     `json:"startedAt"`
	Load      Load          `json:"load"`
	Figures   *chat.Figures `json:"figures" doc:"Counted every 15 seconds at most."`
}

func (s *server) adminOverview(ctx context.Context, _ *caller, _ *struct{}) (*overviewOut, error) {
	figures, err := s.counted.read(ctx, s.Chat.Figures)
	if err != nil {
		return nil, err
	}
	out := &overviewOut{Version: s.Version, Now: chat.TimeOf(time.Now()), StartedAt: chat.TimeOf(s.StartedAt), Figures: figures}
	if s.Load != nil {
		out.Load = s.Load()
	}
	return out, nil
}
