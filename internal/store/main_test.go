package store_test

import (
	"testing"

	"qun/internal/leaktest"
)

// TestMain ends the server that the tests shared, if they did.
func TestMain(m *testing.M) {
	leaktest.Main(m, func() error {
		if ours.server == nil {
			return nil
		}
		return ours.server.Close()
	})
}
