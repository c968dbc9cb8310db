package wordfilter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"qun/internal/wordfilter"
)

func TestWordsAreFoundHoweverTheyAreTyped(t *testing.T) {
	f := wordfilter.New([]string{"casino", "赌博", "free money", "ça", "ΣΊΣΥΦΟΣ", "ass", "3d", "カジノ", "", "\u200b"})
	for _, c := range []struct{ text, want string }{
		{"Casino", "casino"}, {"CASINO!", "casino"}, {"ｃａｓｉｎｏ", "casino"}, {"ＣＡＳＩＮＯ", "casino"}, {"ca\u200bsi\u00adno", "casino"},
		{"the casino.", "casino"}, {"casinos", ""}, {"a-casino-b", "casino"}, {"网上casino真好", "casino"},
		{"一起赌博吧", "赌博"}, {"赌\u200d博", "赌博"}, {"赌 博", ""}, {"get FREE　MONEY now", "free money"},
		{"Ça va", "ça"}, {"cab", ""}, {"σίσυφοσ", "ΣΊΣΥΦΟΣ"}, {"class", ""}, {"assassin", ""}, {"my ass", "ass"}, {"ass", "ass"},
		{"3D", "3d"}, {"13d", ""}, {"新しいカジノへ", "カジノ"}, {"", ""}, {"nothing", ""}, {"赌", ""},
	} {
		word, found := f.Find(c.text)
		if word != c.want || found != (c.want != "") {
			t.Errorf("%q: found %q, %v, want %q", c.text, word, found, c.want)
		}
	}
	if _, found := (*wordfilter.Filter)(nil).Find("casino"); found {
		t.Error("a filter that is not there finds something")
	}
	if _, found := wordfilter.New(nil).Find("casino"); found {
		t.Error("a filter without words finds something")
	}
}

// A word that is no whole one must not hide another that ends at the same place, or later.
func TestWordsInsideOfOthersAreFound(t *testing.T) {
	f := wordfilter.New([]string{"abcd", "bc", "天天向上", "向上", "上"})
	for text, want := range map[string]string{"x bc x": "bc", "abcx": "", "abcd": "abcd", "abc d": "", "天天": "", "天上": "上", "向上": "向上", "天天向": ""} {
		if word, _ := f.Find(text); word != want {
			t.Errorf("%q: found %q, want %q", text, word, want)
		}
	}
}

// The automaton against the plain way, over texts of few letters, in which everything overlaps.
func TestAutomatonFindsWhatLookingFindsOneByOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("天地人") // no word ends another
	some := func(most int) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteRune(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	for range 2000 {
		var words []string
		for range 1 + random.IntN(6) {
			words = append(words, some(4))
		}
		text := some(12)
		want := false
		for _, w := range words {
			want = want || strings.Contains(text, w)
		}
		word, found := wordfilter.New(words).Find(text)
		if found != want || found && !strings.Contains(text, word) {
			t.Fatalf("%q in %q: found %q, %v, want %v", words, text, word, found, want)
		}
	}
}

func FuzzFindNeverPanics(f *testing.F) {
	f.Add("casino\n赌博", "a casino, ｃａｓｉｎｏ")
	f.Fuzz(func(t *testing.T, words, text string) {
		list := strings.Split(words, "\n")
		if word, found := wordfilter.New(list).Find(text); found && word == "" {
			t.Errorf("found nothing in %q", text)
		}
	})
}

// tenThousand are words as a list may have them.
func tenThousand() (words []string) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 10_000 {
		if i%2 == 0 {
			words = append(words, fmt.Sprintf("bad%x", random.Uint32()))
			continue
		}
		words = append(words, string([]rune{0x4e00 + random.Int32N(2000), 0x4e00 + random.Int32N(2000), 0x4e00 + random.Int32N(2000)}))
	}
	return words
}

func TestFindingAllocatesNothing(t *testing.T) {
	f := wordfilter.New(tenThousand())
	text := strings.Repeat("今天天气真好, a message of some length. ", 8)
	if n := testing.AllocsPerRun(100, func() { f.Find(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	f := wordfilter.New(tenThousand())
	for name, text := range map[string]string{
		"64 bytes of English": strings.Repeat("a message as it is sent. ", 3)[:64],
		"64 runes of Chinese": strings.Repeat("今天天气真好，我们去公园走走吧。", 4),
		"8000 runes":          strings.Repeat("今天天气真好, hello ", 500),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, found := f.Find(text); found {
					b.Fatal("found something")
				}
			}
		})
	}
}
