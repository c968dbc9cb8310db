package main

import (
	"fmt"
	"io"
	"strings"
)

// tapReader counts the points of a TAP stream as `node --test` writes it.
type tapReader struct {
	open    bool // a version line was seen
	pending string
	block   []string // the YAML block of the pending point
	inBlock bool
}

// line reports whether text belongs to the stream; if so it has been counted.
func (r *tapReader) line(text string, n *count, out io.Writer) bool {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(trimmed, "TAP version "):
		r.open = true
	case !r.open:
		return false
	case r.inBlock:
		r.block = append(r.block, text)
		if trimmed == "..." {
			r.inBlock = false
			r.settle(n, out)
		}
	case trimmed == "---" && r.pending != "":
		r.inBlock = true
	case strings.HasPrefix(trimmed, "ok "), strings.HasPrefix(trimmed, "not ok "):
		r.settle(n, out)
		r.pending = trimmed
	case strings.HasPrefix(trimmed, "# duration_ms "):
		r.settle(n, out)
		r.open = false
	}
	return true
}

// settle counts the pending point, which is known whole only once its block has been read.
func (r *tapReader) settle(n *count, out io.Writer) {
	point, block := r.pending, r.block
	r.pending, r.block = "", nil
	name, directive := directive(point)
	switch {
	case point == "":
	case strings.HasPrefix(strings.ToUpper(directive), "SKIP"):
		n.skip(name + ": " + orElse(strings.TrimSpace(directive[len("SKIP"):]), "no reason given"))
	case isSuite(block): // counts through its tests
	case strings.HasPrefix(point, "not ok "):
		n.fail(name, block)
		fmt.Fprintf(out, "  FAIL  %s\n%s\n", name, strings.Join(block, "\n"))
	default:
		n.passed++
	}
}

func isSuite(block []string) bool {
	for _, line := range block {
		if strings.TrimSpace(line) == "type: 'suite'" {
			return true
		}
	}
	return false
}

// directive splits "ok 3 - name # SKIP why" into its name and what follows the last unescaped "# ".
func directive(point string) (name, rest string) {
	_, name, _ = strings.Cut(point, " - ")
	if i := strings.LastIndex(name, " # "); i >= 0 {
		return name[:i], name[i+len(" # "):]
	}
	return name, ""
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
