package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"

	"qun/internal/names"
)

// WebhookID names a webhook for ever: a UUIDv7 in text.
type WebhookID string

// WebhookKind says which way a webhook leads.
type WebhookKind string

const (
	WebhookIncoming WebhookKind = "incoming" // a program says something in the group
	WebhookOutgoing WebhookKind = "outgoing" // a program is told what happens in the group
)

// WebhookEvent is what an outgoing webhook is told: a push of the protocol, by its name.
type WebhookEvent string

const (
	WebhookMessage WebhookEvent = "message"
	WebhookChange  WebhookEvent = "change"
)

// Webhook is a door of a group for programs. Only the group's owner and admins see it.
type Webhook struct {
	ID        WebhookID      `json:"webhookId"`
	GroupID   GroupID        `json:"groupId"`
	Kind      WebhookKind    `json:"kind"`
	Name      string         `json:"name"`
	UserID    UserID         `json:"userId,omitempty"` // incoming: the bot whose messages they are
	URL       string         `json:"url,omitempty"`    // outgoing: who is told
	Events    []WebhookEvent `json:"events,omitempty"` // outgoing: what of
	MadeBy    UserID         `json:"madeBy"`
	CreatedAt Time           `json:"createdAt"`
	Progress

	Secret []byte `json:"-"` // incoming: a hash of it; outgoing: itself, for it signs
}

// Progress is how far an outgoing webhook has come.
type Progress struct {
	Head      Seq    `json:"-"`                   // of the group's counter: up to here all is told, or given up
	Tries     int    `json:"tries,omitempty"`     // of what comes next
	TriedAt   Time   `json:"-"`                   // when that was tried first
	DueAt     Time   `json:"nextTryAt,omitempty"` // not to be tried earlier
	ToldAt    Time   `json:"toldAt,omitempty"`    // when something was taken last
	FailingAt Time   `json:"failingAt,omitempty"` // since when nothing was taken
	Failure   string `json:"failure,omitempty"`   // what went wrong last
	OffAt     Time   `json:"offAt,omitempty"`     // since when it is switched off
}

// WebhookReader finds webhooks.
type WebhookReader interface {
	// Webhooks are those of a group, oldest first.
	Webhooks(GroupID) ([]*Webhook, error)
	Webhook(WebhookID) (*Webhook, error)
}

// WebhookTx changes the webhooks of a group under its lock. Not every member may see them: they take no number.
type WebhookTx interface {
	Webhooks() ([]*Webhook, error)
	// PutWebhook makes or changes a webhook; whoever is telling it something at the moment does not disturb that.
	PutWebhook(*Webhook) error
	DropWebhook(WebhookID) error
	// AddBot stores a user who cannot sign in and whose name others may bear, too.
	AddBot(*User) error
}

const (
	webhooksPerGroup = 20
	maxWebhookURL    = 2000 // bytes
	secretSize       = 24   // random bytes
)

// WebhookSecret is a webhook when its secret is new: it is never shown again.
type WebhookSecret struct {
	*Webhook `json:"webhook"`
	Secret   string `json:"secret"`
	Path     string `json:"path,omitempty"` // incoming: where to POST
}

// NewWebhook is a webhook to be made.
type NewWebhook struct {
	GroupID GroupID        `json:"groupId"`
	Kind    WebhookKind    `json:"kind"`
	Name    string         `json:"name"`
	URL     string         `json:"url,omitempty"`
	Events  []WebhookEvent `json:"events,omitempty"` // none: messages
}

// WebhookUpdate is what shall change of a webhook; what is nil stays.
type WebhookUpdate struct {
	GroupID   GroupID        `json:"groupId"`
	WebhookID WebhookID      `json:"webhookId"`
	Name      *string        `json:"name,omitempty"`
	URL       *string        `json:"url,omitempty"`
	Events    []WebhookEvent `json:"events,omitempty"`
	On        *bool          `json:"on,omitempty"` // on again, it begins with what happens from now on
}

// Webhooks lists the webhooks of a group for who administers it.
func (s *Service) Webhooks(ctx context.Context, who *User, id GroupID) (hooks []*Webhook, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		if _, _, err := s.within(r, who, id, ActManageLinks); err != nil {
			return err
		}
		hooks, err = r.Webhooks(id)
		return err
	})
	if err != nil {
		return nil, refusal(err, "list webhooks")
	}
	return hooks, nil
}

// CreateWebhook makes a webhook. An incoming one comes with a bot, which is a member of the group.
func (s *Service) CreateWebhook(ctx context.Context, who *User, in NewWebhook) (*WebhookSecret, error) {
	now := s.cfg.Now()
	hook := &Webhook{ID: WebhookID(newID(now)), GroupID: in.GroupID, Kind: in.Kind, MadeBy: who.ID, CreatedAt: TimeOf(now)}
	if err := s.describe(hook, WebhookUpdate{Name: &in.Name, URL: &in.URL, Events: in.Events}); err != nil {
		return nil, err
	}
	if len(hook.Events) == 0 && hook.Kind == WebhookOutgoing {
		hook.Events = []WebhookEvent{WebhookMessage}
	}
	if err := s.refuseBotName(ctx, hook); err != nil {
		return nil, err
	}
	secret := hook.newSecret()
	err := s.changeWebhooks(ctx, who, in.GroupID, "createWebhook", func(tx GroupTx, hooks []*Webhook) (*Webhook, error) {
		if len(hooks) >= webhooksPerGroup {
			return nil, refuseTooManyWebhooks()
		}
		hook.Head = tx.Group().Head
		if hook.Kind == WebhookIncoming {
			if err := s.addBot(tx, hook); err != nil {
				return nil, err
			}
		}
		return hook, tx.PutWebhook(hook)
	})
	if err != nil {
		return nil, err
	}
	return withSecret(hook, secret), nil
}

// refuseBotName keeps the bot of an incoming webhook from bearing a member's name.
func (s *Service) refuseBotName(ctx context.Context, hook *Webhook) error {
	if hook.Kind != WebhookIncoming {
		return nil
	}
	err := s.store.View(ctx, func(r Reader) error {
		taken, err := nameTaken(r, hook.Name)
		if err == nil && taken {
			err = s.refuseTaken(r, hook.Name)
		}
		return err
	})
	return refusal(err, "look up a webhook's name")
}

// addBot makes the user whose messages come in by hook, and lets it into the group.
func (s *Service) addBot(tx GroupTx, hook *Webhook) error {
	bot := &User{ID: UserID(newID(s.cfg.Now())), NickName: hook.Name, Bot: true, Presence: PresenceOffline, CreatedAt: hook.CreatedAt}
	if err := tx.AddBot(bot); err != nil {
		return err
	}
	hook.UserID = bot.ID
	return tx.PutMembership(newMembership(hook.GroupID, bot, RoleMember, hook.CreatedAt))
}

// UpdateWebhook changes a webhook.
func (s *Service) UpdateWebhook(ctx context.Context, who *User, in WebhookUpdate) (*Webhook, error) {
	return s.changeWebhook(ctx, who, in.GroupID, in.WebhookID, "updateWebhook", func(tx GroupTx, hook *Webhook) error {
		if err := s.describe(hook, in); err != nil {
			return err
		}
		if in.URL != nil { // another target has not failed yet
			hook.Progress = Progress{Head: hook.Head, ToldAt: hook.ToldAt, OffAt: hook.OffAt}
		}
		switch {
		case in.On == nil:
		case !*in.On && hook.OffAt == 0:
			hook.OffAt = s.now()
		case *in.On && hook.OffAt != 0:
			hook.Progress = Progress{Head: tx.Group().Head, ToldAt: hook.ToldAt}
		}
		return tx.PutWebhook(hook)
	})
}

// RotateWebhook gives a webhook another secret. From then on the old one is worth nothing.
func (s *Service) RotateWebhook(ctx context.Context, who *User, id GroupID, webhook WebhookID) (*WebhookSecret, error) {
	var secret string
	hook, err := s.changeWebhook(ctx, who, id, webhook, "rotateWebhook", func(tx GroupTx, hook *Webhook) error {
		secret = hook.newSecret()
		return tx.PutWebhook(hook)
	})
	if err != nil {
		return nil, err
	}
	return withSecret(hook, secret), nil
}

// DeleteWebhook ends a webhook. What its bot said stays; the bot leaves the group.
func (s *Service) DeleteWebhook(ctx context.Context, who *User, id GroupID, webhook WebhookID) error {
	_, err := s.changeWebhook(ctx, who, id, webhook, "deleteWebhook", func(tx GroupTx, hook *Webhook) error {
		if hook.UserID != "" {
			if err := leave(tx, hook.UserID); err != nil {
				return err
			}
		}
		return tx.DropWebhook(hook.ID)
	})
	return err
}

// leave ends a membership, if it holds.
func leave(tx GroupTx, u UserID) error {
	m, err := orNone(tx.Membership(u))
	if err != nil || !m.Active() {
		return err
	}
	m.State = MemberLeft
	return tx.PutMembership(m)
}

// TestWebhook tells an outgoing webhook a line of the server, once, and says what came of it.
func (s *Service) TestWebhook(ctx context.Context, who *User, id GroupID, webhook WebhookID) error {
	hooks, err := s.Webhooks(ctx, who, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(hooks, func(w *Webhook) bool { return w.ID == webhook && w.Kind == WebhookOutgoing })
	if at < 0 {
		return refuseWebhook()
	}
	if wait := s.entries.Take(who.ID); wait > 0 {
		return refuseRate(wait)
	}
	line := &Message{ID: MessageID(newID(s.cfg.Now())), GroupID: id, UserID: who.ID, NickName: who.NickName, Kind: MessageNotice,
		Text: "这是一条测试消息。This is a test.", SentAt: s.now()}
	if err := s.cfg.Courier.Ping(ctx, hooks[at], line); err != nil {
		return refuseUntold(err)
	}
	return nil
}

// changeWebhooks lets who, who administers a group, do something to its webhooks, and keeps in the audit that it did.
func (s *Service) changeWebhooks(ctx context.Context, who *User, id GroupID, act string, do func(tx GroupTx, hooks []*Webhook) (*Webhook, error)) error {
	err := s.act(ctx, who, id, ActManageLinks, func(d *deed) error {
		hooks, err := d.tx.Webhooks()
		if err != nil {
			return err
		}
		hook, err := do(d.tx, hooks)
		if err != nil {
			return err
		}
		return d.audit(act, hook.UserID, hook.Name)
	})
	if err == nil {
		s.cfg.Courier.WebhooksChanged(id)
	}
	return err
}

// changeWebhook does something to one of them, and returns it as it is then.
func (s *Service) changeWebhook(ctx context.Context, who *User, id GroupID, webhook WebhookID, act string, do func(GroupTx, *Webhook) error) (hook *Webhook, err error) {
	err = s.changeWebhooks(ctx, who, id, act, func(tx GroupTx, hooks []*Webhook) (*Webhook, error) {
		at := slices.IndexFunc(hooks, func(w *Webhook) bool { return w.ID == webhook })
		if at < 0 {
			return nil, refuseWebhook()
		}
		hook = hooks[at]
		return hook, do(tx, hook)
	})
	if err != nil {
		return nil, err
	}
	return hook, nil
}

// describe puts what somebody typed into hook, or refuses it.
func (s *Service) describe(hook *Webhook, in WebhookUpdate) error {
	if hook.Kind != WebhookIncoming && hook.Kind != WebhookOutgoing {
		return refuseWebhookKind()
	}
	if in.Name != nil {
		name, err := names.Member(*in.Name, s.Limits().NickName)
		if err != nil {
			return s.badName(err)
		}
		hook.Name = name
	}
	if hook.Kind == WebhookIncoming {
		return nil
	}
	if in.URL != nil {
		if !validTarget(*in.URL) {
			return refuseWebhookURL()
		}
		hook.URL = *in.URL
	}
	for _, e := range in.Events {
		if e != WebhookMessage && e != WebhookChange {
			return refuseWebhookEvents()
		}
	}
	if len(in.Events) > 0 {
		hook.Events = slices.Compact(slices.Sorted(slices.Values(in.Events)))
	}
	return nil
}

// validTarget reports whether a webhook may lead there, as far as can be seen: whether the address is public is seen when
// it is dialled. Credentials in it would be shown to every admin.
func validTarget(target string) bool {
	u, err := url.Parse(target)
	return err == nil && len(target) <= maxWebhookURL && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
}

// newSecret gives w a secret, and returns it as its user has to keep it. That of an outgoing one has the form of Standard
// Webhooks and is kept as it is, for it signs; of an incoming one a hash is enough.
func (w *Webhook) newSecret() string {
	bits := make([]byte, secretSize)
	rand.Read(bits)
	if w.Kind == WebhookOutgoing {
		w.Secret = bits
		return "whsec_" + base64.StdEncoding.EncodeToString(bits)
	}
	secret := base64.RawURLEncoding.EncodeToString(bits)
	w.Secret = hashSecret(secret)
	return secret
}

// hashSecret needs no slow hash: the secret is 192 random bits.
func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func withSecret(hook *Webhook, secret string) *WebhookSecret {
	w := &WebhookSecret{Webhook: hook, Secret: secret}
	if hook.Kind == WebhookIncoming {
		w.Path = "/api/v1/hooks/" + string(hook.ID) + "/" + secret
	}
	return w
}
