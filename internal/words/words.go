package words

// Of are the words of a text as an index keeps them, each once: words, the characters of dense scripts, and each two of
// these that are neighbours.
func Of(text string) []string {
	pieces := split(text)
	all := make([]string, 0, 2*len(pieces))
	seen := make(map[string]bool, 2*len(pieces))
	add := func(word string) {
		if !seen[word] {
			seen[word] = true
			all = append(all, word)
		}
	}
	for i, p := range pieces {
		add(p.text)
		if p.joined {
			add(pieces[i-1].text + p.text)
		}
	}
	return all
}
