package push

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/simplifiedchinese"

	"qun/internal/chat"
)

// What is looked at of a page that anybody may name.
const (
	maxPage      = 512 << 10 // bytes; what follows is not read
	maxPicture   = 5 << 20   // bytes; a larger one is none
	maxRedirects = 3
	pageTime     = 5 * time.Second // for a page, and again for its picture
	maxWords     = 4 << 10         // bytes of a title or a description: the rest is not kept
	agent        = "Mozilla/5.0 (compatible; Qun link preview)"
)

var (
	errNoPage    = errors.New("there is no page to show")
	errRedirects = errors.New("it leads on too often, or to where no page is looked for")
)

// NewPageClient is a client for addresses that anybody may name: it reaches only where the dialer does, also after each
// redirect, keeps no cookies and says where it comes from to nobody.
func NewPageClient(d *Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // one of the environment would dial for us, whatever the address
			DialContext:            d.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    pageTime,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           16,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        pageTime,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if len(before) > maxRedirects || !chat.IsWebAddress(next.URL) {
				return errRedirects
			}
			next.Header.Del("Referer")
			return nil
		},
		Timeout: pageTime,
	}
}

// look finds out what is behind a link. The error says why there is nothing to show.
func look(ctx context.Context, client *http.Client, link string) (*chat.Page, error) {
	a, err := get(ctx, client, link, "text/html,application/xhtml+xml;q=0.9,image/*;q=0.8", maxPicture)
	if err != nil {
		return nil, err
	}
	switch {
	case isImage(a.body) && !a.cut:
		return &chat.Page{Title: nameOf(a.url), Picture: a.body}, nil
	case !a.isPage():
		return nil, errNoPage
	}
	page, picture := read(a.text(), a.url)
	if picture == "" {
		return page, nil
	}
	if p, err := get(ctx, client, picture, "image/*", maxPicture); err == nil && isImage(p.body) && !p.cut {
		page.Picture = p.body
	}
	return page, nil // without the picture if need be
}

// answer is what was got.
type answer struct {
	url  *url.URL // where it was in the end
	kind string   // as it says
	body []byte   // cut, if it is more than was wanted
	cut  bool
}

// get asks for an address. Of a page no more is read than of pages is looked at.
func get(ctx context.Context, client *http.Client, address, accept string, limit int64) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || !chat.IsWebAddress(request.URL) {
		return nil, errNoPage
	}
	request.Header.Set("User-Agent", agent)
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8")
	got, err := client.Do(request)
	if err != nil {
		return nil, plainly(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return nil, &answerError{status: got.StatusCode}
	}
	a := &answer{url: got.Request.URL, kind: got.Header.Get("Content-Type")}
	head, err := io.ReadAll(io.LimitReader(got.Body, 512))
	if err != nil {
		return nil, plainly(err)
	}
	if !isImage(head) {
		limit = maxPage
	}
	rest, err := io.ReadAll(io.LimitReader(got.Body, limit+1-int64(len(head))))
	if err != nil {
		return nil, plainly(err)
	}
	a.body = append(head, rest...)
	if a.cut = int64(len(a.body)) > limit; a.cut {
		a.body = a.body[:limit]
	}
	return a, nil
}

// isImage goes by the bytes alone.
func isImage(body []byte) bool {
	switch http.DetectContentType(body) {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	}
	return false
}

// isPage reports whether this is HTML: its bytes look like it, or they are some text and it says so.
func (a *answer) isPage() bool {
	looks := http.DetectContentType(a.body)
	says := strings.Contains(a.kind, "html")
	return strings.HasPrefix(looks, "text/html") && (says || a.kind == "") || strings.HasPrefix(looks, "text/") && says
}

// text is a page in UTF-8. What a page says of its own encoding is believed where the bytes allow it: many say UTF-8
// and are not. Nothing said, and not UTF-8, is Chinese if it can be.
func (a *answer) text() []byte {
	if utf8.Valid(whole(a.body)) {
		return a.body
	}
	encoding, name, _ := charset.DetermineEncoding(a.body, a.kind)
	if name == "utf-8" {
		encoding, name, _ = charset.DetermineEncoding(a.body, "")
	}
	if name == "utf-8" || name == "windows-1252" {
		if text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(a.body); err == nil && isChinese(text) {
			return text
		}
	}
	text, err := encoding.NewDecoder().Bytes(a.body)
	if err != nil {
		return a.body
	}
	return text
}

// whole leaves out the character in which a text was cut.
func whole(text []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return text[:len(text)-n]
			}
			break
		}
	}
	return text
}

// isChinese reports whether a text that was read as Chinese is: it has such characters, and hardly any that are none.
func isChinese(text []byte) bool {
	han, strange := 0, 0
	for _, r := range string(text) {
		switch {
		case r == utf8.RuneError, r >= '\ue000' && r <= '\uf8ff':
			strange++
		case unicode.Is(unicode.Han, r):
			han++
		}
	}
	return han > 20*strange
}

// nameOf is what a file at an address is called.
func nameOf(u *url.URL) string {
	if name := path.Base(u.Path); name != "." && name != "/" {
		return name
	}
	return u.Hostname()
}

// read finds what a page says of itself, and where its picture is; "" for none. What is shown is text and never HTML.
func read(text []byte, at *url.URL) (page *chat.Page, picture string) {
	said := words(text)
	page = &chat.Page{
		Site:        first(said, "og:site_name", "application-name"),
		Title:       first(said, "og:title", "twitter:title", "title"),
		Description: first(said, "og:description", "twitter:description", "description"),
	}
	if page.Site == "" {
		page.Site = strings.TrimPrefix(at.Hostname(), "www.")
	}
	where := first(said, "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src", "image_src")
	if u, err := at.Parse(where); err == nil && where != "" && chat.IsWebAddress(u) {
		picture = u.String()
	}
	return page, picture
}

func first(said map[string]string, names ...string) string {
	for _, name := range names {
		if text := said[name]; text != "" {
			return text
		}
	}
	return ""
}

// words are what the elements of a page's head say, by their names: the first of each.
func words(text []byte) map[string]string {
	said := map[string]string{}
	note := func(name, text string) {
		name = strings.ToLower(name)
		if text = strings.TrimSpace(text); name != "" && text != "" && said[name] == "" {
			said[name] = text[:min(len(text), maxWords)]
		}
	}
	z := html.NewTokenizer(bytes.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return said
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.DataAtom {
			case atom.Meta:
				note(or(attribute(token, "property"), attribute(token, "name")), attribute(token, "content"))
			case atom.Link:
				note(attribute(token, "rel"), attribute(token, "href"))
			case atom.Title:
				if z.Next() == html.TextToken {
					note("title", z.Token().Data)
				}
			case atom.Svg: // has titles of its own
				skip(z, atom.Svg)
			}
		}
	}
}

// skip passes over an element.
func skip(z *html.Tokenizer, what atom.Atom) {
	for depth := 1; depth > 0; {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken:
			if z.Token().DataAtom == what {
				depth++
			}
		case html.EndTagToken:
			if z.Token().DataAtom == what {
				depth--
			}
		}
	}
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
