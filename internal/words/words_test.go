package words_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"qun/internal/words"
)

func TestWhatIsFound(t *testing.T) {
	for _, c := range []struct {
		text, query, marked string // marked: what is shown, separated by |; "" means that nothing is found
	}{
		{"我家在上海东边", "上海", "上海"},
		{"我家在上海东边", "上海东", "上海东"},
		{"我家在上海东边", "海", "海"},
		{"我家在上海东边", "上东", ""},
		{"海上的船", "上海", ""},
		{"上 海", "上海", ""},
		{"上海，上海！", "上海", "上海|上海"},
		{"在上海开会 meeting 3月", "meeting 上海", "上海|meeting"},
		{"周末一起去爬山吧", "爬山", "爬山"},
		{"東京タワーに行く", "タワー", "タワー"},
		{"ﾀﾜｰ", "タワー", "ﾀﾜｰ"},
		{"안녕하세요", "하세", "하세"},
		{"สวัสดีครับ", "ครับ", "ครับ"},
		{"Deploy the server", "deploy", "Deploy"},
		{"the deployment failed", "deploy", "deployment"},
		{"the deployment failed", "DEPL", "deployment"},
		{"they run fast", "running", "run"},
		{"they were running", "run", "running"},
		{"we tried the cities", "city", "cities"},
		{"one city", "cities", "city"},
		{"hoping for rain", "hope", "hoping"},
		{"boxes", "box", "boxes"},
		{"a string", "strings", "string"},
		{"an app", "ap", ""},
		{"go on", "go", "go"},
		{"gone", "go", ""},
		{"Café Zürich", "cafe zurich", "Café|Zürich"},
		{"Cafe\u0301 ou\u0300", "café", "Cafe\u0301"},
		{"ＦＵＬＬ width ①", "full 1", "ＦＵＬＬ|①"},
		{"Straße", "strasse", "Straße"},
		{"Привет, мир", "привет", "Привет"},
		{"don't panic", "dont", "don't"},
		{"don’t panic", "don't", "don’t"},
		{"call 13800138000", "1380", "13800138000"},
		{"well done 👍🏽", "👍", "👍"},
		{"42㎏", "kg", ""},
		{"weighs ㎏ 42", "kg", "㎏"},
		{"qun-1234", "QUN 1234", "qun|1234"},
		{`say "hello" NOT goodbye`, `"hello" NOT`, "hello|NOT"},
		{"a*b", "*", ""},
		{"", "x", ""},
		{"x", "", ""},
	} {
		marks, found := words.Parse(c.query).Find(c.text)
		var got []string
		runes := []rune(c.text)
		for _, m := range marks {
			got = append(got, string(runes[m[0]:m[0]+m[1]]))
		}
		if strings.Join(got, "|") != c.marked || found != (c.marked != "") {
			t.Errorf("%q in %q: got %q, want %q", c.query, c.text, strings.Join(got, "|"), c.marked)
		}
		if found && !held(words.Of(c.text), words.Parse(c.query).Needles()) {
			t.Errorf("%q is in %q, and no index would know: it has %q, asked is %v", c.query, c.text, words.Of(c.text), words.Parse(c.query).Needles())
		}
	}
}

// held reports whether an index that has these words of a text would name it.
func held(kept []string, needles []words.Needle) bool {
	for _, n := range needles {
		if !slices.ContainsFunc(kept, func(word string) bool { return word == n.Word || n.Begins && strings.HasPrefix(word, n.Word) }) {
			return false
		}
	}
	return true
}

func TestAnIndexKeepsEachWordOnce(t *testing.T) {
	got := words.Of("上海上海 Go go 2")
	want := []string{"上", "海", "上海", "海上", "go", "2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is asked of an index stays small, whatever is typed.
func TestNeedlesAreBounded(t *testing.T) {
	long := words.Parse(strings.Repeat("长江黄河", 25))
	if n := len(long.Needles()); n != 8 {
		t.Errorf("got %d needles", n)
	}
	if _, found := long.Find(strings.Repeat("长江黄河", 24)); found {
		t.Error("a shorter text is found")
	}
	if got := fmt.Sprint(words.Parse("上海东").Needles()); got != "[{上海 false} {海东 false}]" {
		t.Errorf("got %s", got)
	}
}

// FuzzFind looks for a piece of a text in the text.
func FuzzFind(f *testing.F) {
	f.Add("我家在上海东边", 3, 2)
	f.Add("Cafe\u0301 ㎏ don't ﾀﾜｰ 👩‍👧 x\u0301", 0, 9)
	f.Add("\xff\xfe a", 0, 3)
	f.Fuzz(func(t *testing.T, text string, from, n int) {
		for _, word := range words.Of(text) {
			if word == "" || strings.ContainsAny(word, " '\"\\*\x00") {
				t.Errorf("%q is kept as a word of %q", word, text)
			}
		}
		marks, _ := words.Parse(text).Find(text)
		end := 0
		for _, m := range marks {
			if m[0] < end || m[1] <= 0 || m[0]+m[1] > utf8.RuneCountInString(text) {
				t.Errorf("marks %v of %q", marks, text)
			}
			end = m[0] + m[1]
		}
		if from < 0 || n <= 0 || from > len(text) || n > len(text)-from {
			return
		}
		query := words.Parse(text[from : from+n])
		if _, found := query.Find(text); found && !held(words.Of(text), query.Needles()) {
			t.Errorf("%q is in %q, and no index would know", text[from:from+n], text)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	for _, text := range []string{
		"we could ship the new build on Friday if the tests pass", "周末一起去爬山吧，天气应该不错，记得带水", fmt.Sprintf("%064d", 7),
	} {
		b.Run(text[:9], func(b *testing.B) {
			for b.Loop() {
				words.Of(text)
			}
		})
	}
}
