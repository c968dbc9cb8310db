package names

import (
	"path"
	"strings"
)

// maxFile is how many graphemes the name of a file has; the longest disks take 255 bytes.
const (
	maxFile      = 100
	maxFileBytes = 200
	maxExtension = 16
)

// File cleans the name that a file is uploaded under: without folders, without what hides or turns letters ("gpj.exe" must
// not read "exe.jpg"), without what some disk does not take. A long one loses from its middle, so that its extension stays.
func File(typed string) string {
	name := bound(typed)
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, clean(name))
	name = strings.TrimRight(cutFile(name), ". ")
	if strings.Trim(name, ".") == "" {
		return "file"
	}
	return name
}

func cutFile(name string) string {
	extension := path.Ext(name)
	if len(extension) > maxExtension {
		extension = ""
	}
	stem := cut(strings.TrimSuffix(name, extension), maxFile)
	for limit := maxFile - 1; len(stem)+len(extension) > maxFileBytes; limit-- {
		stem = cut(stem, limit)
	}
	return stem + extension
}
