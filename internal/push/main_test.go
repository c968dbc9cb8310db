package push_test

import (
	"testing"

	"qun/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
