// Command qun is the chat server: one process, one folder of data.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	os.Exit(Run(untilSignal(), os.Args[1:], ThisMachine()))
}

// untilSignal ends with the first SIGTERM or SIGINT. A second one then ends the process at once, as the system does.
func untilSignal() context.Context {
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, restore)
	return ctx
}
