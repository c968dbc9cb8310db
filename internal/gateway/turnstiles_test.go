package gateway_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"qun/internal/gateway"
)

func TestPeopleEnterARoomInTheOrderInWhichTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stiles gateway.Turnstiles
		var order []int // guarded by the turnstile
		var people sync.WaitGroup
		for i := range 10 {
			people.Go(func() {
				leave, err := stiles.Enter(t.Context(), "hall")
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Second)
				order = append(order, i)
				leave()
			})
			synctest.Wait()
		}
		begin := time.Now()
		leave, err := stiles.Enter(t.Context(), "elsewhere")
		if err != nil || time.Since(begin) != 0 {
			t.Errorf("another room waits %v, %v", time.Since(begin), err)
		}
		leave()
		people.Wait()
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
		if n := stiles.Rooms(); n != 0 {
			t.Errorf("%d rooms are remembered", n)
		}
	})
}

func TestWhoDoesNotWaitForTheTurnstileHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stiles gateway.Turnstiles
		leave, err := stiles.Enter(t.Context(), "hall")
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := stiles.Enter(impatient, "hall"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		leave()
		if leave, err = stiles.Enter(t.Context(), "hall"); err != nil {
			t.Fatal(err)
		}
		leave()
		if n := stiles.Rooms(); n != 0 {
			t.Errorf("%d rooms are remembered", n)
		}
	})
}
