package gateway_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"qun/internal/gateway"
)

// So many are greeted at a time as the lobby has places, the others in the order in which they came, and not who went away.
func TestALobbyServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := gateway.NewLobby()
		var leaves []func()
		for range cap(l) {
			leave, err := l.Enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		impatient, goAway := context.WithCancel(t.Context())
		var served []int
		for i := range 5 {
			ctx := t.Context()
			if i == 2 {
				ctx = impatient
			}
			go func() {
				leave, err := l.Enter(ctx)
				if err != nil {
					return
				}
				served = append(served, i)
				leave()
			}()
			synctest.Wait()
		}
		if len(served) > 0 {
			t.Errorf("%v were served in a full lobby", served)
		}
		goAway()
		synctest.Wait()
		leaves[0]()
		synctest.Wait()
		if want := []int{0, 1, 3, 4}; !slices.Equal(served, want) {
			t.Errorf("served were %v, want %v", served, want)
		}
		for _, leave := range leaves[1:] {
			leave()
		}
		if len(l) > 0 {
			t.Errorf("%d places are not free", len(l))
		}
	})
}
