package main

import (
	"io"
	"log/slog"

	"qun/internal/config"
)

// newLog is the log as the settings want it.
func newLog(out io.Writer, s *config.Serve) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // the flag takes nothing else
	options := &slog.HandlerOptions{Level: level}
	if s.Log == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
