package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// A plot is a column of bars for each panel, side by side, a row for each peer. Colours change with the reader's theme.
const (
	plotWidth  = 860
	namesWidth = 220
	rowHeight  = 26
	headHeight = 34
	valueWidth = 64 // right of the longest bar
)

const plotStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.bar { fill: #9aa4b1 }
.ours { fill: #0b7a5e }
.range { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.bar { fill: #6b7684 }
.ours { fill: #2fb58e }
.range { stroke: #e6edf3 }
}
</style>
`

// writePlot draws a chapter and returns the name of the file, "" if there is nothing to draw.
func writePlot(folder string, c chapter, r *results) (string, error) {
	rows := rowsOf(c, r)
	if len(c.panels) == 0 || len(rows) == 0 {
		return "", nil
	}
	name := strings.ReplaceAll(c.name, "/", "-") + ".svg"
	var w strings.Builder
	height := headHeight + rowHeight*len(rows) + 8
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n%s",
		plotWidth, height, html.EscapeString(c.title), plotStyle)
	for i, p := range rows {
		fmt.Fprintf(&w, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", namesWidth-10, baseline(i), html.EscapeString(p.title))
	}
	width := (plotWidth - namesWidth) / len(c.panels)
	for i, panel := range c.panels {
		drawPanel(&w, c, panel, r, rows, namesWidth+i*width, width)
	}
	w.WriteString("</svg>\n")
	return name, os.WriteFile(filepath.Join(folder, name), []byte(w.String()), 0o644)
}

func rowsOf(c chapter, r *results) (rows []*peer) {
	for _, p := range peers {
		if r.values[c.name][p.name] != nil {
			rows = append(rows, p)
		}
	}
	return rows
}

func baseline(row int) int { return headHeight + row*rowHeight + 18 }

func drawPanel(w *strings.Builder, c chapter, panel panel, r *results, rows []*peer, left, width int) {
	fmt.Fprintf(w, `<text class="head" x="%d" y="20">%s</text>`+"\n", left, html.EscapeString(panel.title))
	longest := 0.0
	for _, p := range rows {
		if s := r.of(c.name, p.name, panel.value); !math.IsNaN(s.high) {
			longest = max(longest, s.high)
		}
	}
	scale := float64(width-valueWidth) / max(longest, 1e-9)
	for i, p := range rows {
		s := r.of(c.name, p.name, panel.value)
		if math.IsNaN(s.median) {
			continue
		}
		class, top := "bar", baseline(i)-13
		if isOurs(p.name) {
			class = "ours"
		}
		fmt.Fprintf(w, `<rect class="%s" x="%d" y="%d" width="%.1f" height="16" rx="2"/>`+"\n", class, left, top, max(1, s.median*scale))
		if s.low < s.high {
			fmt.Fprintf(w, `<path class="range" d="M%.1f %dH%.1f"/>`+"\n", float64(left)+s.low*scale, top+8, float64(left)+s.high*scale)
		}
		fmt.Fprintf(w, `<text x="%.1f" y="%d">%s</text>`+"\n", float64(left)+s.high*scale+6, baseline(i), number(s.median))
	}
}
