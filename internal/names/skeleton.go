package names

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Skeleton is what a name looks like at a glance: two names with one skeleton cannot be told apart for certain, so only
// one member may bear it. It is for comparing, never for showing.
//
// It is case folded and in compatibility form (full-width, circled, mathematical letters are plain ones), without accents
// on Latin, Greek and Cyrillic letters, without spaces and anything invisible, without punctuation at its ends, and each
// character is replaced by the one it passes for (lookalikes). That i, l and 1 are one, and so "Lia" and "Ila", is the
// price: the guest in question gets a suffix, the member is asked for another name.
func Skeleton(name string) string {
	var out strings.Builder
	var base rune
	for _, r := range norm.NFKD.String(fold(clean(name))) {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me) && (unicode.In(base, european...) || r == emojiStyle || r == textStyle),
			unicode.IsSpace(r), invisible(r), r == zwj, r == zwnj, r >= variantFirst && r <= variantLast:
			continue
		}
		if !unicode.In(r, unicode.Mn) {
			base = r
		}
		out.WriteString(looksLike(r))
	}
	whole := out.String()
	if core := strings.TrimFunc(whole, unicode.IsPunct); core != "" {
		return core
	}
	return whole
}

// Reserved reports whether a skeleton is that of a name under which the server itself speaks.
func Reserved(skeleton string) bool {
	switch skeleton {
	case "系统", "系統", systemSkeleton, "己注销", "己註銷": // the server itself, and 已注销, who is no more (已 passes for 己)
		return true
	}
	return false
}

const systemSkeleton = "systern" // "system": m looks like rn

var european = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic}

// looksLike is what r passes for: itself, mostly.
func looksLike(r rune) string {
	switch {
	case r >= '\U0001f150' && r <= '\U0001f169': // letters in black circles
		return looksLike('a' + r - '\U0001f150')
	case r >= '\U0001f170' && r <= '\U0001f189': // letters in black squares
		return looksLike('a' + r - '\U0001f170')
	case r >= '\U0001f1e6' && r <= '\U0001f1ff': // regional indicators
		return looksLike('a' + r - '\U0001f1e6')
	}
	if twin, ok := lookalikes[r]; ok {
		return twin
	}
	return string(r)
}

// lookalikes maps characters to what they pass for, in the case folded form: a letter of which only the capital has a
// twin (В and B) stands here in its small form. Each line is a twin and what looks like it.
var lookalikes = parseLookalikes(`
a   а α ɑ ᴀ
ae  æ ӕ
b   в β ь ʙ Ꮟ ƅ
c   с ϲ ς ᴄ
d   ԁ ɗ đ ᴅ ժ
e   е ε є ҽ ᴇ
f   ϝ ғ ƒ ք
g   ɡ ց ɢ
h   н η һ հ ʜ
j   ј ϳ ʝ ᴊ
k   к κ ᴋ қ
l   i 1 | і ι ӏ ı ł ɩ ɪ ǀ ׀ ן ו ⵏ ｜ ʟ
n   п ո ռ ɴ ν
o   0 о ο σ օ ø ө ᴏ ס ه ه o ໐ ០ 〇 ○ ◯
oe  œ
p   р ρ ᴘ þ
q   ԛ գ զ
r   г ʀ ᴦ
rn  m м μ ᴍ
s   ѕ ꜱ ʂ
t   т τ ᴛ ŧ
u   υ ս ц ʋ ᴜ
v   ѵ ᴠ
vv  w ш щ ω ԝ ᴡ ա
x   х χ ×
y   у γ ү ʏ ყ
z   ζ ᴢ
3   з ʒ ӡ
二  ニ
力  カ
口  ロ 囗
工  エ
夕  タ
卜  ト
八  ハ
一  ー ― — – ─
己  已 巳
土  士
未  末
日  曰
`)

func parseLookalikes(table string) map[rune]string {
	twins := map[rune]string{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		for _, field := range fields[min(1, len(fields)):] {
			for _, r := range field {
				twins[r] = fields[0]
			}
		}
	}
	return twins
}
