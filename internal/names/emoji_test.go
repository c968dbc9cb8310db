package names_test

import (
	"strings"
	"testing"

	"qun/internal/names"
)

func TestAnEmojiIsOneEmoji(t *testing.T) {
	for text, want := range map[string]string{
		"👍": "👍", "👍🏽": "👍🏽", "❤️": "❤️", "❤": "❤️", "☺": "☺️", "⚡": "⚡", "🇨🇳": "🇨🇳", "1⃣": "1️⃣", "#️⃣": "#️⃣",
		"👨‍👩‍👧‍👦": "👨‍👩‍👧‍👦", "🏳️‍🌈": "🏳️‍🌈", "👩🏾‍💻": "👩🏾‍💻", "🤷🏻‍♂️": "🤷🏻‍♂️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿": "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🫠": "🫠", "©": "©️",
	} {
		if got, ok := names.Emoji(text); !ok || got != want {
			t.Errorf("%+q: got %+q, %t, want %+q", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "a", "1", "#", "ok", "赞", "👍👍", "👍a", "a👍", " 👍", "👍\u200d", "\u200d👍", "\ufe0f", "🇨", "🇨🇳🇨🇳", "👍\u0301", "★\ufe0f",
		"e\u20e3", "\x00", "👍\xff", "🏽x", "👍\U000e0067", "👨‍👩‍👧‍👦" + strings.Repeat("\u200d👦", 4),
	} {
		if got, ok := names.Emoji(text); ok {
			t.Errorf("%+q is taken as %+q", text, got)
		}
	}
}

func FuzzEmoji(f *testing.F) {
	for _, seed := range []string{"👍", "❤", "👨‍👩‍👧‍👦", "1⃣", "🇨🇳", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		emoji, ok := names.Emoji(text)
		if !ok {
			return
		}
		if again, ok := names.Emoji(emoji); !ok || again != emoji || len(emoji) > 32 {
			t.Errorf("%+q is written %+q, and that %+q, %t", text, emoji, again, ok)
		}
	})
}
