package names_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"qun/internal/names"
)

func TestGuestNamesAreCleanedNotRefused(t *testing.T) {
	for _, c := range []struct{ why, typed, want string }{
		{"plain names pass", "小明", "小明"},
		{"spaces inside stay", "Anna Maria", "Anna Maria"},
		{"spaces around go", " \u3000\u00a0小明\n", "小明"},
		{"nothing stays nothing", " \u200b\t ", ""},
		{"controls go", "a\x00b\x1bc\r\nd", "abcd"},
		{"overrides go", "gnp.\u202eexe", "gnp.exe"},
		{"isolates go", "\u2066a\u2069", "a"},
		{"zero-width goes", "a\u200bl\u2060i\ufeffce", "alice"},
		{"a joiner between letters goes", "a\u200dl\u200cice", "alice"},
		{"blanks that are letters go", "\u3164\u115f\u2800", ""},
		{"emoji stay", "👨‍👩‍👧 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ❤️ 🙂‍↔️", "👨‍👩‍👧 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ❤️ 🙂‍↔️"},
		{"hidden tags go", "a\U000e0041\U000e0042", "a"},
		{"a joiner that shapes letters stays", "می\u200cخواهم", "می\u200cخواهم"},
		{"variants of ideographs stay", "葛\U000e0100城", "葛\U000e0100城"},
		{"heaps of accents are thinned", "z" + strings.Repeat("\u0301", 50), "z\u0301\u0301\u0301\u0301"},
		{"accents stay", "Žoé Ñandú", "Žoé Ñandú"},
		{"broken UTF-8 goes", "a\xff\xfeb", "ab"},
		{"the suffix goes", "小明（访客）", "小明"},
		{"in any form", "小明 ( 访\u200b客 ）【訪客】﹙访客﹚", "小明"},
		{"alone, too", "（访客）", ""},
		{"elsewhere it is a word", "（访客）小明", "（访客）小明"},
		{"long ones are cut", strings.Repeat("群", 40), strings.Repeat("群", 32)},
		{"by graphemes", strings.Repeat("👨‍👩‍👧", 40), strings.Repeat("👨‍👩‍👧", 32)},
		{"cut down to the suffix, it goes too", strings.Repeat("群", 28) + "（访客）xyz", strings.Repeat("群", 28)},
		{"monsters go", "a" + strings.Repeat("👨‍", 100) + "👨 b", "a b"},
	} {
		if got := names.Guest(c.typed, 32); got != c.want {
			t.Errorf("%s: Guest(%q) = %q, want %q", c.why, c.typed, got, c.want)
		}
	}
}

func TestMembersNamesAreRefusedRatherThanMended(t *testing.T) {
	for _, c := range []struct {
		typed string
		want  error
	}{
		{"张伟", nil}, {"Zoé 🦊", nil},
		{"", names.ErrEmpty}, {"\u200b", names.ErrEmpty},
		{strings.Repeat("a", 33), names.ErrTooLong}, {strings.Repeat("a", 10000), names.ErrTooLong},
		{"a\u202eb", names.ErrForbidden}, {"a\nb", names.ErrForbidden},
		{"张伟（访客）", names.ErrReserved}, {"张伟(访客)", names.ErrReserved},
		{"系统", names.ErrReserved}, {"Ѕуstem", names.ErrReserved},
	} {
		if _, err := names.Member(c.typed, 32); !errors.Is(err, c.want) {
			t.Errorf("Member(%q): got %v, want %v", c.typed, err, c.want)
		}
	}
}

func TestUsernamesAreFoldedAndPlain(t *testing.T) {
	if got, err := names.Username(" ＡLice.B-1_ "); got != "alice.b-1_" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for typed, want := range map[string]error{
		"": names.ErrEmpty, "a b": names.ErrSpelling, "a/b": names.ErrSpelling, "a\u3164b": names.ErrSpelling,
		strings.Repeat("x", 33): names.ErrTooLong, "SYSTEM": names.ErrReserved,
	} {
		if _, err := names.Username(typed); !errors.Is(err, want) {
			t.Errorf("Username(%q): got %v, want %v", typed, err, want)
		}
	}
}

func TestRoomsKeepTheirSpellingAndMeetByKey(t *testing.T) {
	for _, group := range [][]string{
		{"Lobby", "lobby", "LOBBY ", "Ｌｏｂｂｙ", "lob\u200bby"},
		{"大厅", "　大厅"},
		{"Straße", "STRASSE"},
		{"Café", "Cafe\u0301"},
		{"我的 房间 🏠", "我的 房间 🏠"},
		{"👨‍👩‍👧"}, {"👨👩👧"},
		{"Lobbу"}, // Cyrillic у: another room; addresses are told apart by spelling, not by looks
	} {
		_, want, err := names.Room(group[0], 64)
		if err != nil {
			t.Fatalf("Room(%q): %v", group[0], err)
		}
		for _, typed := range group {
			shown, key, err := names.Room(typed, 64)
			if err != nil || key != want {
				t.Errorf("Room(%q) has key %q, %v; want %q", typed, key, err, want)
			}
			if typed == group[0] && shown != typed {
				t.Errorf("Room(%q) shows %q", typed, shown)
			}
		}
	}
}

func TestRoomsAreRefusedRatherThanCut(t *testing.T) {
	for typed, want := range map[string]error{
		"": names.ErrEmpty, " \u3000": names.ErrEmpty, "\u200b": names.ErrEmpty,
		strings.Repeat("群", 65):        names.ErrTooLong,
		strings.Repeat("a", 1<<20):     names.ErrTooLong,
		"a\u202eb":                     names.ErrForbidden,
		"a\x00b":                       names.ErrForbidden,
		"a\nb":                         names.ErrForbidden,
		strings.Repeat("👨‍", 50) + "👨": names.ErrTooLong,
	} {
		if _, _, err := names.Room(typed, 64); !errors.Is(err, want) {
			t.Errorf("Room(%.20q): got %v, want %v", typed, err, want)
		}
	}
}

func TestImitationsHaveOneSkeleton(t *testing.T) {
	for _, group := range [][]string{
		{"alice", "Alice", "ALICE", "аlice", "аӏісе", "a1ice", "AIice", "αlice", "ａｌｉｃｅ", "ⓐⓛⓘⓒⓔ", "𝓪𝓵𝓲𝓬𝓮",
			"a l i c e", "al\u200bice", "álìcê", "alice.", "🅐🅛🅘🅒🅔", "🅰🅻🅸🅲🅴", "_alice_", "ALІСЕ"},
		{"modern", "rnodern", "Modern"},
		{"willow", "vvillovv", "шillow"},
		{"Вова", "Bова", "вoвa"},
		{"小明", "小 明", "小明。", "小\u3164明", "⼩明"},
		{"ニコ", "二コ", "ﾆｺ"},
		{"bob0", "bobo", "ВОВО"},
		{"🐱", "🐱\ufe0f"},
	} {
		want := names.Skeleton(group[0])
		for _, name := range group {
			if got := names.Skeleton(name); got != want {
				t.Errorf("Skeleton(%q) = %q, want %q as of %q", name, got, want, group[0])
			}
		}
	}
}

func TestDifferentNamesHaveDifferentSkeletons(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"alice", "alicia", "bob", "小明", "小红", "张伟", "さくら", "ざくら", "Иван", "Иванна",
		"...", "🐱", "🐶", "user2", "user3", "김민준", "이서연"} {
		skeleton := names.Skeleton(name)
		if other, ok := seen[skeleton]; ok {
			t.Errorf("%q and %q share the skeleton %q", name, other, skeleton)
		}
		seen[skeleton] = name
	}
}

func TestTheServersOwnNamesAreReserved(t *testing.T) {
	for _, name := range []string{"系统", "系 统", "系\u200b统", "system", "SYSTEM", "ѕуѕтем", "sуstern", "已注销", "己注销"} {
		if !names.Reserved(names.Skeleton(name)) {
			t.Errorf("%q is not reserved", name)
		}
	}
	if names.Reserved(names.Skeleton("系统员")) {
		t.Error("系统员 is reserved")
	}
}

func TestSuffixAndSuggestionKeepToTheLimit(t *testing.T) {
	long := strings.Repeat("群", 32)
	if got := names.WithSuffix(long, 32); got != strings.Repeat("群", 28)+"（访客）" {
		t.Errorf("got %q", got)
	}
	if got := names.WithSuffix("小明", 0); got != "小明（访客）" {
		t.Errorf("got %q", got)
	}
	if got := names.Suggestion(long, 8, 32); got != strings.Repeat("群", 30)+"10" {
		t.Errorf("got %q", got)
	}
	if got := names.DefaultGuest(123456); got != "访客3456" {
		t.Errorf("got %q", got)
	}
}

// FuzzNames holds every promise against any bytes.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"alice", "小明（访客）", "a\u202eb", "👨‍👩‍👧", "z\u0301\u0301", "\xff", "访客", "(访客", "🏴󠁧󠁢󠁿", "1️⃣", "İ", "ﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		guest := names.Guest(typed, 32)
		checkShown(t, guest, 32)
		if again := names.Guest(guest, 32); again != guest {
			t.Errorf("cleaning %q again gives %q", guest, again)
		}
		if marked := names.WithSuffix(guest, 32); names.Graphemes(marked) > 32+1 || names.Guest(marked, 32) != names.Guest(strings.TrimSuffix(marked, names.Suffix), 32) {
			t.Errorf("%q keeps its suffix", marked)
		}
		skeleton := names.Skeleton(typed)
		if again := names.Skeleton(guest); len(typed) < 100 && guest == strings.TrimSpace(typed) && again != skeleton {
			t.Errorf("skeleton of %q is %q, of what is shown %q", typed, skeleton, again)
		}
		if shown, key, err := names.Room(typed, 64); err == nil {
			checkShown(t, shown, 64)
			if _, again, err := names.Room(shown, 64); err != nil || again != key {
				t.Errorf("room %q has key %q, then %q, %v", shown, key, again, err)
			}
		}
		if member, err := names.Member(typed, 32); err == nil {
			checkShown(t, member, 32)
		}
		if username, err := names.Username(typed); err == nil {
			if again, err := names.Username(username); err != nil || again != username {
				t.Errorf("username %q becomes %q, %v", username, again, err)
			}
		}
	})
}

func checkShown(t *testing.T, name string, limit int) {
	t.Helper()
	if !utf8.ValidString(name) || names.Graphemes(name) > limit || len(name) > 48*limit {
		t.Errorf("%q: %d graphemes, %d bytes", name, names.Graphemes(name), len(name))
	}
	if strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsAny(name, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff") {
		t.Errorf("%q holds what must not be shown", name)
	}
}
