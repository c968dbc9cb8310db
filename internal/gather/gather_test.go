package gather_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/gather"
)

// scribe answers each question with itself, in a second, and notes which were asked together.
type scribe struct {
	mu     sync.Mutex // guards below
	crowds [][]int
	ended  int // calls whose context ended before the second
}

func (s *scribe) answer(ctx context.Context, questions []int) ([]int, error) {
	s.mu.Lock()
	s.crowds = append(s.crowds, slices.Sorted(slices.Values(questions)))
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
		return questions, nil
	case <-ctx.Done():
		s.mu.Lock()
		s.ended++
		s.mu.Unlock()
		return nil, ctx.Err()
	}
}

func (s *scribe) gather(atOnce, most int) *gather.Gather[int, int] {
	return gather.New(gather.Config[int, int]{Answer: s.answer, AtOnce: atOnce, Most: most})
}

func TestWhoAsksMeanwhileIsAnsweredTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s scribe
		g := s.gather(2, 4)
		began := time.Now()
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				if answer, err := g.Ask(t.Context(), i); answer != i || err != nil {
					t.Errorf("%d was answered with %d, %v", i, answer, err)
				}
			})
			synctest.Wait() // so that they stand in line
		}
		all.Wait()
		want := [][]int{{0}, {1}, {2, 3, 4, 5}, {6, 7, 8, 9}, {10, 11}}
		slices.SortFunc(s.crowds, slices.Compare)
		if fmt.Sprint(s.crowds) != fmt.Sprint(want) {
			t.Errorf("asked together were %v, want %v", s.crowds, want)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// Who goes away keeps nobody from being answered: neither while it waits, nor when it is the one who asks for others.
func TestWhoGoesAwayLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s scribe
		g := s.gather(1, 4)
		var all sync.WaitGroup
		ask := func(i int, patience time.Duration, want error) {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				answer, err := g.Ask(ctx, i)
				if !errors.Is(err, want) || err == nil && answer != i {
					t.Errorf("%d was answered with %d, %v; want %v", i, answer, err, want)
				}
			})
			synctest.Wait()
		}
		gone := context.DeadlineExceeded
		ask(0, time.Hour, nil)
		ask(1, 500*time.Millisecond, gone)  // while it waits
		ask(2, 1500*time.Millisecond, nil)  // while it asks for others: it hears what came of that
		ask(3, 1500*time.Millisecond, gone) // while another asks for it
		ask(4, time.Hour, nil)
		all.Wait()
		if want := "[[0] [2 3 4]]"; fmt.Sprint(s.crowds) != want || s.ended != 0 {
			t.Errorf("asked together were %v, want %s; %d were given up", s.crowds, want, s.ended)
		}
	})
}

func TestWhatNobodyWaitsForIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s scribe
		g := s.gather(1, 4)
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i)*400*time.Millisecond)
				defer cancel()
				if _, err := g.Ask(ctx, i); err == nil {
					t.Errorf("%d was answered", i)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if s.ended != 2 { // 0 was alone; 1 went before its turn, and 2 then was
			t.Errorf("%d were given up, want 2: %v", s.ended, s.crowds)
		}
	})
}

// An accident of who asks for others is an error to them, and the end of nothing.
func TestAccidentEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gather.New(gather.Config[int, int]{AtOnce: 1, Most: 4, Answer: func(_ context.Context, questions []int) ([]int, error) {
			time.Sleep(time.Second)
			if questions[0] == 1 {
				panic("an accident")
			}
			return questions, nil
		}})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				defer func() {
					if at := recover(); (at != nil) != (i == 1) {
						t.Errorf("%d panics: %v", i, at)
					}
				}()
				if _, err := g.Ask(t.Context(), i); (err != nil) != (i == 2 || i == 3) {
					t.Errorf("%d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if answer, err := g.Ask(t.Context(), 5); answer != 5 || err != nil {
			t.Errorf("after it: %d, %v", answer, err)
		}
	})
}

// A call that hangs holds its crowd for a while only; one that is slow twice is waited for.
func TestWhatHangsIsAskedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience = 5 * time.Second
		calls := 0
		g := gather.New(gather.Config[int, int]{AtOnce: 1, Most: 4, Patience: patience, Answer: func(ctx context.Context, questions []int) ([]int, error) {
			calls++
			lasts := 2 * patience // slow
			if calls == 1 {
				lasts = time.Hour // hangs
			}
			select {
			case <-time.After(lasts):
				return questions, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}})
		for want, took := range []time.Duration{3 * patience, 3 * patience} {
			began := time.Now()
			if answer, err := g.Ask(t.Context(), want); answer != want || err != nil {
				t.Errorf("%d was answered with %d, %v", want, answer, err)
			}
			if time.Since(began) != took {
				t.Errorf("it took %s, want %s", time.Since(began), took)
			}
		}
		if calls != 4 {
			t.Errorf("%d calls, want 4", calls)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Ask(gone, 1); !errors.Is(err, context.Canceled) || calls != 5 {
			t.Errorf("nobody waited any more: got %v and %d calls", err, calls)
		}
	})
}
