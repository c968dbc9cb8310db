package chat

import (
	"context"
	"errors"
)

// Courier tells the world outside. The chat asks it to look again at what it changed.
type Courier interface {
	// WebhooksChanged says that the webhooks of a group are others now. It does not block.
	WebhooksChanged(GroupID)
	// SubscriptionsChanged says that a device wants to be called, or no longer. It does not block.
	SubscriptionsChanged()
	// Ping tells an outgoing webhook a line that nobody said, now and once. The error is fit to be shown.
	Ping(ctx context.Context, w *Webhook, line *Message) error
	// Key is the server's public key for Web Push, as browsers want it.
	Key() string
}

// noCourier is a chat that tells nobody outside.
type noCourier struct{}

func (noCourier) WebhooksChanged(GroupID) {}
func (noCourier) SubscriptionsChanged()   {}
func (noCourier) Key() string             { return "" }
func (noCourier) Ping(context.Context, *Webhook, *Message) error {
	return errors.New("this server tells nobody outside")
}

// Own is a Notifier that hears only of what this node caused: what is to be done once in the world is done there.
func Own(n Notifier) Notifier { return own{n} }

type own struct{ Notifier }

func (o own) Notify(e Event) {
	if !e.Elsewhere {
		o.Notifier.Notify(e)
	}
}

// Notifiers tell each other's events on, in order.
type Notifiers []Notifier

// Notify tells all of them.
func (n Notifiers) Notify(e Event) {
	for _, one := range n {
		one.Notify(e)
	}
}
