package adaptertest_test

import (
	"errors"
	"testing"

	"qun/socketio"
	"qun/socketio/adaptertest"
)

func TestMemoryBus(t *testing.T) {
	adaptertest.Run(t, func(_ *testing.T, n int) []socketio.Adapter {
		var bus adaptertest.Bus
		adapters := make([]socketio.Adapter, n)
		for i := range adapters {
			adapters[i] = bus.Adapter()
		}
		return adapters
	})
}

func TestMemoryBusWithInterest(t *testing.T) {
	adaptertest.Run(t, func(_ *testing.T, n int) []socketio.Adapter {
		var bus adaptertest.Bus
		adapters := make([]socketio.Adapter, n)
		for i := range adapters {
			adapters[i] = bus.Interested()
		}
		return adapters
	})
}

func TestBusDropsWhatAServerDoesNotTake(t *testing.T) {
	var bus adaptertest.Bus
	sender, stuck := bus.Adapter(), bus.Adapter()
	release := make(chan struct{})
	if err := errors.Join(
		sender.Open(t.Context(), "sender", func(*socketio.Command) {}),
		stuck.Open(t.Context(), "stuck", func(*socketio.Command) { <-release }),
	); err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for range 20_000 {
		if err := sender.Publish(&socketio.Command{Kind: socketio.KindBroadcast}); errors.Is(err, adaptertest.ErrFull) {
			dropped++
		}
	}
	if dropped < 5_000 || dropped != stuck.Dropped() {
		t.Errorf("got %d errors and %d dropped commands, want the same, most of 20,000", dropped, stuck.Dropped())
	}
	close(release)
	if err := errors.Join(stuck.Close(), sender.Close()); err != nil {
		t.Error(err)
	}
}

func TestMemoryBusInBadWeather(t *testing.T) {
	adaptertest.RunFaulty(t, func(_ *testing.T, n int) []socketio.Adapter {
		var bus adaptertest.Bus
		adapters := make([]socketio.Adapter, n)
		for i := range adapters {
			adapters[i] = bus.Interested()
		}
		return adapters
	})
}
