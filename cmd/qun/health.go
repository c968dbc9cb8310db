package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"qun/internal/config"
)

// healthCommand asks the running server whether it can do its work.
type healthCommand struct {
	config.Storage `embed:""`
}

// Run prints a word; a server that is not there, or cannot do its work, is an error.
func (c *healthCommand) Run(ctx context.Context, m Machine) error {
	if err := c.Check(); err != nil {
		return err
	}
	text, running, err := askServer(ctx, c.Data, order{Act: "health"})
	if !running {
		return fmt.Errorf("no Qun uses the data in %s: start one with qun serve, or name its folder with --data", c.Data)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(m.Stdout, text)
	return err
}

// health says that the server can do its work, or why not.
func (p *operator) health(ctx context.Context, _ order) (string, error) {
	if p.healthy == nil {
		return "", errors.New("only a running server can be asked how it is")
	}
	if err := p.healthy(ctx); err != nil {
		return "", fmt.Errorf("the server runs, and its data does not answer: %w", err)
	}
	return "ok\n", nil
}
