package names_test

import (
	"strings"
	"testing"

	"qun/internal/names"
)

func TestFileNamesAreSafeEverywhere(t *testing.T) {
	for typed, want := range map[string]string{
		"cat.png":                      "cat.png",
		"年会 照片 (1).jpeg":               "年会 照片 (1).jpeg",
		"../../etc/passwd":             "passwd",
		`C:\Users\me\doc.pdf`:          "doc.pdf",
		"a\r\nSet-Cookie: x=1.txt":     "aSet-Cookie_ x=1.txt",
		"annex\u202egpj.exe":           "annexgpj.exe",
		"a\u200bb\x00c.txt":            "abc.txt",
		`<b>"x"|?*.html`:               "_b__x____.html",
		"":                             "file",
		"..":                           "file",
		"...":                          "file",
		"/":                            "file",
		"  .  ":                        "file",
		"trailing. .":                  "trailing",
		".bashrc":                      ".bashrc",
		"\xff\xfe.bin":                 ".bin",
		strings.Repeat("x", 300):       strings.Repeat("x", 100),
		"a." + strings.Repeat("b", 50): "a." + strings.Repeat("b", 50),
	} {
		if got := names.File(typed); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
	long := names.File(strings.Repeat("长", 200) + ".tar.gz")
	if !strings.HasSuffix(long, ".gz") || len(long) > 255 || !strings.HasPrefix(long, "长长") {
		t.Errorf("a long name is %q", long)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("cat.png")
	f.Add("..\\x/\u202e." + strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, typed string) {
		name := names.File(typed)
		if name == "" || len(name) > 255 || strings.ContainsAny(name, "/\\\x00\r\n\"") || name == "." || name == ".." {
			t.Errorf("%q became %q", typed, name)
		}
		if again := names.File(name); again != name {
			t.Errorf("%q became %q, and that %q", typed, name, again)
		}
	})
}
