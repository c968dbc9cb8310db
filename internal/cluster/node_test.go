package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/cluster"
	"qun/internal/cluster/clustertest"
)

// member is a node with one topic, and what it heard.
type member struct {
	*cluster.Node
	topic *cluster.Topic

	mu     sync.Mutex // guards below
	heard  []string   // "node body"
	missed int
	gone   []string
}

func newMember(bus cluster.Bus, key string) *member {
	m := &member{Node: cluster.New(bus, cluster.Config{Key: []byte(key)})}
	m.topic = m.Topic("test")
	m.topic.Hear(func(node string, body []byte) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.heard = append(m.heard, node+" "+string(body))
	}, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.missed++
	}, func(node string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.gone = append(m.gone, node)
	})
	m.Start()
	return m
}

// take is what m heard since the last call.
func (m *member) take() (heard []string, missed int, gone []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	heard, missed, gone = m.heard, m.missed, m.gone
	m.heard, m.missed, m.gone = nil, 0, nil
	return heard, missed, gone
}

// meet gives nodes the time to hear of each other.
func meet() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

func TestNodesHearEachOtherAndNotThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		a, b, c := newMember(network.Bus(), "key"), newMember(network.Bus(), "key"), newMember(network.Bus(), "key")
		meet()
		for _, m := range []*member{a, b, c} {
			m.take()
		}
		for i := range 500 { // more than one payload holds
			a.topic.Publish(fmt.Appendf(nil, `{"number":%d,"text":"群"}`, i))
		}
		meet()
		for _, m := range []*member{b, c} {
			heard, missed, _ := m.take()
			if len(heard) != 500 || heard[499] != a.ID()+` {"number":499,"text":"群"}` || missed != 0 {
				t.Errorf("heard %d notes, %d times missed", len(heard), missed)
			}
		}
		if heard, _, _ := a.take(); len(heard) != 0 {
			t.Errorf("a node heard itself: %d", len(heard))
		}
		if got := a.Stats(); !got.Up || got.Sent != 500 || b.Stats().Received != 500 {
			t.Errorf("%+v: 500 notes were sent, and received %d", got, b.Stats().Received)
		}
		if got := a.Stats(); got.Peers != 2 || got.Published > 30 || got.Failed+got.Dropped+got.Refused != 0 {
			t.Errorf("%+v: many notes should share a payload", got)
		}
		for _, m := range []*member{a, b, c} {
			m.Close()
		}
	})
}

func TestWhatOneMissedItLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		bus := network.Bus()
		a, b := newMember(network.Bus(), "key"), newMember(bus, "key")
		defer a.Close()
		defer b.Close()
		meet()
		b.take()

		network.SetFaults(clustertest.Faults{Drop: 1})
		a.topic.Publish([]byte(`1`))
		synctest.Wait()
		network.SetFaults(clustertest.Faults{})
		time.Sleep(1100 * time.Millisecond)
		if heard, missed, _ := b.take(); missed != 1 || len(heard) != 0 {
			t.Errorf("a lost payload was noticed %d times within the next sign of life, heard %v", missed, heard)
		}

		bus.Cut(true)
		time.Sleep(10 * time.Second)
		if b.Stats().Up || !a.Stats().Up {
			t.Errorf("the one that is cut off says that it hears: %v, the other: %v", b.Stats().Up, a.Stats().Up)
		}
		bus.Cut(false)
		time.Sleep(10 * time.Millisecond)
		if _, missed, gone := b.take(); missed == 0 || len(gone) != 0 {
			t.Errorf("a bus that comes back: missed %d times; %v are gone, but who hears nothing cannot know", missed, gone)
		}
		if _, _, gone := a.take(); !slices.Equal(gone, []string{b.ID()}) {
			t.Errorf("%v are gone, want the one that was cut off", gone)
		}
		meet()
		if a.Peers() == nil || b.Peers() == nil {
			t.Error("they do not find each other again")
		}
	})
}

func TestWhoIsGoneIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		bus := network.Bus()
		a, polite, killed := newMember(network.Bus(), "key"), newMember(network.Bus(), "key"), newMember(bus, "key")
		defer a.Close()
		defer killed.Close()
		meet()
		a.take()
		polite.Close()
		synctest.Wait()
		if _, _, gone := a.take(); !slices.Equal(gone, []string{polite.ID()}) {
			t.Errorf("%v are gone, want who said good-bye", gone)
		}
		bus.Cut(true)
		time.Sleep(3 * time.Second)
		if _, _, gone := a.take(); len(gone) != 0 {
			t.Errorf("gone after 3 s: %v", gone)
		}
		time.Sleep(2 * time.Second)
		if _, _, gone := a.take(); !slices.Equal(gone, []string{killed.ID()}) || !a.topic.Alone() {
			t.Errorf("%v are gone after 5 s, want who was cut off", gone)
		}
	})
}

func TestForeignPayloadsAreCountedAndDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		a, stranger := newMember(network.Bus(), "key"), newMember(network.Bus(), "another key")
		defer a.Close()
		defer stranger.Close()
		meet()
		a.take()
		before := a.Stats().Refused
		for _, payload := range []string{
			"", "x", strings.Repeat("0", 32), strings.Repeat("0", 32) + `{"n":"abc","i":1,"s":[{"t":"test","d":1}]}`,
			strings.Repeat("[", 100_000), "\x00\xff", strings.Repeat("a", 7000),
		} {
			network.Inject([]byte(payload))
		}
		synctest.Wait()
		if heard, _, _ := a.take(); len(heard) != 0 || a.Peers() != nil || a.Stats().Refused < before+7 {
			t.Errorf("heard %v, sees %v, refused %d", heard, a.Peers(), a.Stats().Refused-before)
		}
		if before == 0 {
			t.Error("the payloads of another key are not refused")
		}
	})
}

// deaf is a bus that takes nothing for as long as it is asked to wait.
type deaf struct{ cluster.Bus }

func (deaf) Publish(ctx context.Context, _ []byte) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestWhoPublishesNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := clustertest.NewNetwork(1, clustertest.Faults{})
		a, b := newMember(deaf{network.Bus()}, "key"), newMember(network.Bus(), "key")
		meet()
		start := time.Now()
		for range 20_000 {
			a.topic.Publish([]byte(`"a note"`))
		}
		a.topic.Publish([]byte(`"` + strings.Repeat("x", a.topic.Limit()) + `"`))
		if time.Since(start) != 0 || a.Stats().Dropped < 10_000 || a.Stats().Failed == 0 {
			t.Errorf("%s, %+v", time.Since(start), a.Stats())
		}
		a.Close()
		b.Close()
	})
}
