package words

import "strings"

// stem is what forms of an English word have in common: plurals and what ends in -ed and -ing. Others are their own stem.
func stem(word string) string {
	if !isEnglish(word) {
		return word
	}
	return ending(participle(plural(word)))
}

// isEnglish reports whether word may be English: it has small letters alone, and enough of them.
func isEnglish(word string) bool {
	return len(word) > 3 && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") == ""
}

func plural(w string) string {
	switch {
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "ies"):
		return w[:len(w)-2]
	case strings.HasSuffix(w, "ss"), strings.HasSuffix(w, "us"):
		return w
	}
	return strings.TrimSuffix(w, "s")
}

func participle(w string) string {
	for _, suffix := range []string{"ing", "ed"} {
		core, found := strings.CutSuffix(w, suffix)
		if !found || !strings.ContainsAny(core, "aeiouy") {
			continue
		}
		if strings.HasSuffix(w, "eed") {
			return w[:len(w)-1]
		}
		return single(core)
	}
	return w
}

// single makes one of two like consonants at the end: runn, but not fall, miss and buzz.
func single(w string) string {
	last := len(w) - 1
	if last > 1 && w[last] == w[last-1] && !strings.ContainsRune("aeioulsz", rune(w[last])) {
		return w[:last]
	}
	return w
}

// ending evens out what ends in e and y: hope is hoping's, city is cities'.
func ending(w string) string {
	last := len(w) - 1
	switch {
	case last > 2 && w[last] == 'e':
		return w[:last]
	case last > 1 && w[last] == 'y' && !strings.ContainsRune("aeiou", rune(w[last-1])):
		return w[:last] + "i"
	}
	return w
}

// root is how every word begins that begins with word or has its stem; "" when that says too little.
func root(word string) string {
	of := stem(word)
	n := 0
	for n < min(len(word), len(of)) && word[n] == of[n] {
		n++
	}
	if root := strings.TrimSuffix(of[:n], "i"); len(root) >= minPrefix {
		return root
	}
	return ""
}
