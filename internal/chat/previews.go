package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"qun/internal/names"
)

// Preview is what the page behind a message's first link says of itself. It is a stranger's text, never HTML.
type Preview struct {
	URL         string `json:"url"`  // as it stands in the message
	Site        string `json:"site"` // what the page calls its site, or its host
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Picture     *File  `json:"picture,omitempty"` // drawn anew by this server, and kept here
}

// Page is what was found behind a link.
type Page struct {
	Site, Title, Description string
	Picture                  []byte // of any kind, as it came; nil: none
}

// Link is a link whose message waits for a preview.
type Link struct {
	Group   GroupID
	Seq     Seq
	URL     string
	By      UserID // who sent it
	AskedAt Time
	Tries   int // how often it was lent
}

// PreviewStore lends links. That one waits is written in the transaction of the message, so it is looked at once the
// message is there, whatever happens in between.
type PreviewStore interface {
	// ClaimLinks lends links that nobody else has, those that wait longest first, until a time.
	ClaimLinks(ctx context.Context, now, until Time, limit int) ([]*Link, error)
}

// PreviewTx keeps which link of a message waits.
type PreviewTx interface {
	// SeekPreview lets a message wait for the preview of a link, and of no other; of "" for none.
	SeekPreview(seq Seq, url string, now Time) error
	// Sought is the link a message waits for; "" if it waits for none.
	Sought(seq Seq) (string, error)
}

const (
	maxLink = 2000 // bytes

	// linkLease is how long a link is lent: longer than it takes to look at one. What was lent maxLinkTries times, or waits
	// for longer than maxLinkAge, is given up.
	linkLease    = time.Minute
	maxLinkTries = 3
	maxLinkAge   = time.Hour

	// How much of a page is shown, in graphemes.
	maxSite, maxTitle, maxDescription = 60, 200, 300

	// How many links a user has looked at: each is a request to somebody outside. Who lifts the limit of messages lifts
	// this one, too.
	linksPerSecond, linkBurst = 0.2, 10
)

// An address ends where one ends in the app: at space, brackets, and Chinese punctuation. What stands in code is no link.
var (
	addressPattern = regexp.MustCompile("(?i)https?://[^\\s<>\"'`，。；：！？、（）【】《》「」『』“”‘’…]+")
	codePattern    = regexp.MustCompile("(?s)```.*?(```|$)|`[^`\n]+`")
)

// FirstLink is the first address of a text that can have a preview: http or https, at the web's own ports, without a
// password. "" if there is none.
func FirstLink(text string) string {
	if !strings.Contains(text, "://") {
		return ""
	}
	for _, found := range addressPattern.FindAllString(codePattern.ReplaceAllString(text, " "), 10) {
		found = strings.TrimRight(found, ".,;:!?)]}*_~")
		if u, err := url.Parse(found); err == nil && len(found) <= maxLink && IsWebAddress(u) {
			return found
		}
	}
	return ""
}

// IsWebAddress reports whether a page may be looked for there.
func IsWebAddress(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// linkOf is the link of a text that is to be looked at now; "" for none.
func (s *Service) linkOf(by *User, text string) string {
	link := FirstLink(text)
	if !s.cfg.Previews || link == "" || s.cfg.URL != "" && strings.HasPrefix(link, s.cfg.URL) || s.links.Take(by.ID) > 0 {
		return ""
	}
	return link
}

// followLink gives a message whose text was before the preview that its text has now: the same link keeps what it has.
func (a *messageAct) followLink(before string) error {
	if FirstLink(before) == FirstLink(a.message.Text) {
		return nil
	}
	a.message.Preview = nil
	return a.tx.SeekPreview(a.message.Seq, a.linkOf(a.who, a.message.Text), a.now())
}

// RemovePreview takes the preview off a message of who's. It stays off while the message has the same link.
func (s *Service) RemovePreview(ctx context.Context, who *User, id GroupID, seq Seq) (*Message, error) {
	return s.changeMessage(ctx, who, id, seq, ActSend, func(a *messageAct) error {
		if a.message.UserID != a.who.ID {
			return refuseNotMine()
		}
		if err := a.tx.SeekPreview(seq, "", a.now()); err != nil || a.message.Preview == nil {
			return err
		}
		a.message.Preview = nil
		return a.put()
	})
}

// ClaimLinks lends links that wait for a preview, at most limit. Each is to be settled.
func (s *Service) ClaimLinks(ctx context.Context, limit int) (links []*Link, err error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	now := s.now()
	claimed, err := s.store.ClaimLinks(ctx, now, now+Time(linkLease.Milliseconds()), limit)
	if err != nil {
		return nil, fmt.Errorf("lend links: %w", err)
	}
	for _, l := range claimed {
		if l.Tries <= maxLinkTries && now-l.AskedAt < Time(maxLinkAge.Milliseconds()) {
			links = append(links, l)
		} else if err := s.showPreview(ctx, l, nil); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// SettleLink gives a message the preview of the page behind its link, unless it is no longer wanted: the link was taken
// out, the message recalled. No page, or one that says nothing, leaves the message as it is.
func (s *Service) SettleLink(ctx context.Context, l *Link, page *Page) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	p, err := s.previewOf(ctx, l, page)
	if err != nil {
		return err
	}
	return s.showPreview(ctx, l, p)
}

// previewOf makes a preview of a page; nil if there is nothing to show.
func (s *Service) previewOf(ctx context.Context, l *Link, page *Page) (*Preview, error) {
	if page == nil {
		return nil, nil
	}
	p := &Preview{URL: l.URL, Site: names.Line(page.Site, maxSite), Title: names.Line(page.Title, maxTitle)}
	p.Description = names.Line(page.Description, maxDescription)
	if u, err := url.Parse(l.URL); err == nil && p.Site == "" {
		p.Site = names.Line(strings.TrimPrefix(u.Hostname(), "www."), maxSite)
	}
	if p.Title == "" {
		return nil, nil
	}
	picture, err := s.keepPicture(ctx, l, page.Picture)
	p.Picture = picture
	return p, err
}

// keepPicture keeps a small picture of a picture as a file of who sent the link; nil if it cannot be had.
func (s *Service) keepPicture(ctx context.Context, l *Link, picture []byte) (*File, error) {
	if len(picture) == 0 || s.cfg.Files == nil {
		return nil, nil
	}
	u := &Upload{By: l.By, MadeAt: s.now(), IdleAt: s.now()}
	u.ID, u.Name = FileID(newID(s.cfg.Now())), "preview"
	content, err := s.cfg.Files.KeepDrawn(ctx, u.ID, bytes.NewReader(picture))
	switch {
	case errors.Is(err, ErrNoPicture), errors.Is(err, ErrTooManyPixels), errors.Is(err, ErrNoSpace):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("keep the picture of a preview: %w", err)
	}
	u.Size, u.Type, u.Width, u.Height, u.Hash = content.Size, content.Type, content.Width, content.Height, content.Hash
	u.Complete(false)
	var by *User
	err = s.store.View(ctx, func(r Reader) error {
		by, err = r.User(l.By)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find who sent a link: %w", err)
	}
	own, all := s.quotas(by)
	err = s.store.AddUpload(ctx, u, own, all)
	if errors.Is(err, ErrQuota) || errors.Is(err, ErrFull) {
		s.dropBytes([]FileID{u.ID})
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store the picture of a preview: %w", err)
	}
	return &u.File, nil
}

// showPreview ends the wait of a link; p is nil for none.
func (s *Service) showPreview(ctx context.Context, l *Link, p *Preview) error {
	err := s.store.Change(ctx, l.Group, func(tx GroupTx) error {
		sought, err := tx.Sought(l.Seq)
		if err != nil || sought != l.URL {
			return err
		}
		if err := tx.SeekPreview(l.Seq, "", 0); err != nil || p == nil {
			return err
		}
		m, err := tx.Message(l.Seq)
		if errors.Is(err, ErrNotFound) || err == nil && m.RecalledAt != 0 {
			return nil
		}
		if err != nil {
			return err
		}
		m.Preview = p
		return tx.PutMessage(m)
	})
	if err != nil {
		return fmt.Errorf("show a preview: %w", err)
	}
	return nil
}
