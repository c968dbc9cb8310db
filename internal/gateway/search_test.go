package gateway_test

import (
	"strings"
	"testing"

	"qun/internal/gateway"
)

func TestAMessageIsFoundAsSoonAsItIsAcknowledged(t *testing.T) {
	h := open(t, gateway.Config{})
	p := h.dial(t)
	g, _ := p.enter("lobby", "小明")
	p.ask("sendMessage", map[string]any{"groupId": g, "message": "我家在上海东边"})
	for _, q := range []map[string]any{{"text": "上海"}, {"text": "上海", "groupId": g, "limit": 1}} {
		if got := p.ask("search", q); !containsAll(got, []string{`"ok":true`, "我家在上海东边", `"marks":[[3,2]]`}) {
			t.Errorf("%v: got %s", q, got)
		}
	}
	if got := p.ask("search", map[string]any{"text": "北京"}); !strings.Contains(got, `"hits":[]`) {
		t.Errorf("got %s", got)
	}
	if got := p.ask("search", map[string]any{"text": ""}); !strings.Contains(got, `"INVALID"`) {
		t.Errorf("got %s", got)
	}
	stranger := h.dial(t)
	if got := stranger.ask("search", map[string]any{"text": "上海"}); strings.Contains(got, "我家") {
		t.Errorf("a stranger found %s", got)
	}
}
