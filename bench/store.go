package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"qun/bench/machine"
)

// store runs the store's own benchmark: 64 senders at once, each waiting for its message to be durable, without sockets.
func (sc scale) store(b *bench, p *peer, round int) (samples []sample, err error) {
	var out bytes.Buffer
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkSend$/^senders=64$", "-benchtime", sc.measure.String(), "./internal/store")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = b.tree, &out, os.Stderr, machine.Without(os.Environ())
	if err := machine.Start(cmd, &b.cores.All); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("go test: %w: %s", err, out.String())
	}
	for line := range strings.Lines(out.String()) {
		fields := strings.Fields(line)
		for i, unit := range fields {
			if unit != "msg/s" {
				continue
			}
			rate, err := strconv.ParseFloat(fields[i-1], 64)
			if err != nil {
				return nil, err
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "BenchmarkSend/"), "-")
			samples = append(samples, sample{Case: "store/" + name, Peer: p.name, Round: round, Values: map[string]float64{perSecond: rate}})
		}
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("no benchmark ran: %s", out.String())
	}
	return samples, nil
}
