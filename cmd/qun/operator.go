package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/config"
	"qun/internal/rest"
	"qun/internal/store"
)

// order is what somebody at the command line wants done. It may hold a password: it is never logged.
type order struct {
	Act      string `json:"act"`
	Username string `json:"username,omitempty"`
	NickName string `json:"nickName,omitempty"`
	Password string `json:"password,omitempty"`
	Admin    bool   `json:"admin,omitempty"`
	Search   string `json:"search,omitempty"`
}

// operator carries out orders.
type operator struct {
	chat *chat.Service
	auth *auth.Service
	// signedOut ends all sockets of a user.
	signedOut func(chat.UserID)
	// base is the address at which people find the server.
	base string
	// healthy says what keeps the server from its work. Nil: there is none.
	healthy func(context.Context) error
}

// do carries an order out and says in words what came of it. A refusal is in English, for a terminal.
func (p *operator) do(ctx context.Context, o order) (string, error) {
	acts := map[string]func(context.Context, order) (string, error){
		"add": p.add, "list": p.list, "passwd": p.passwd, "reset": p.reset,
		"disable": p.disable, "enable": p.enable, "promote": p.promote, "demote": p.demote, "health": p.health,
	}
	act := acts[o.Act]
	if act == nil {
		return "", fmt.Errorf("there is no order %q: server and command line are of different versions", o.Act)
	}
	text, err := act(ctx, o)
	if refused, ok := errors.AsType[*chat.Error](err); ok {
		return "", errors.New(inWords(refused))
	}
	return text, err
}

func inWords(e *chat.Error) string {
	if e.Suggestion != "" {
		return e.Message + " Free is, for example, " + e.Suggestion + "."
	}
	return e.Message
}

func (p *operator) add(ctx context.Context, o order) (string, error) {
	hash, err := p.auth.HashPassword(ctx, o.Password, o.Username, o.NickName)
	if err != nil {
		return "", err
	}
	user, err := p.chat.Register(ctx, nil, chat.NewMember{Username: o.Username, NickName: o.NickName, Password: hash, Admin: o.Admin})
	if err != nil {
		return "", err
	}
	what := "a member"
	if o.Admin {
		what = "an administrator"
	}
	return fmt.Sprintf("%s is %s now.\n", user.Username, what), nil
}

// listPage is how many accounts are read at a time.
const listPage = 500

func (p *operator) list(ctx context.Context, o order) (string, error) {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	q := auth.AccountQuery{Search: o.Search, Limit: listPage}
	for {
		accounts, err := p.auth.Accounts(ctx, q)
		if err != nil {
			return "", err
		}
		for _, a := range accounts {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", orDash(a.User.Username), a.User.NickName, a.User.CreatedAt.Std().Format("2006-01-02"), flags(a))
			q.After = a.User.ID
		}
		if len(accounts) < listPage {
			break
		}
	}
	err := table.Flush()
	return strings.ReplaceAll(text.String(), " \n", "\n"), err
}

func orDash(name string) string {
	if name == "" {
		return "-"
	}
	return name
}

func flags(a *auth.Account) string {
	var words []string
	for word, is := range map[string]bool{"administrator": a.Admin, "bot": a.User.Bot, "disabled": a.Disabled} {
		if is {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

// on carries out what concerns one account.
func (p *operator) on(ctx context.Context, o order, do func(chat.UserID) error) error {
	account, err := p.auth.AccountNamed(ctx, o.Username)
	if err != nil {
		return err
	}
	return do(account.User.ID)
}

func (p *operator) passwd(ctx context.Context, o order) (string, error) {
	err := p.on(ctx, o, func(id chat.UserID) error {
		if err := p.auth.SetPassword(ctx, id, o.Password); err != nil {
			return err
		}
		p.signedOut(id)
		return nil
	})
	return fmt.Sprintf("%s has a new password and is signed out everywhere.\n", o.Username), err
}

func (p *operator) reset(ctx context.Context, o order) (text string, err error) {
	err = p.on(ctx, o, func(id chat.UserID) error {
		code, expires, err := p.auth.ResetLink(ctx, "", id)
		text = fmt.Sprintf("%s\nGood once, until %s.\n", p.base+rest.CodePath(auth.TicketReset, code), expires.Format("2006-01-02 15:04 MST"))
		return err
	})
	return text, err
}

func (p *operator) disable(ctx context.Context, o order) (string, error) {
	err := p.on(ctx, o, func(id chat.UserID) error {
		if err := p.auth.Disable(ctx, "", id); err != nil {
			return err
		}
		bots, err := p.chat.Bots(ctx, &chat.User{ID: id})
		for _, u := range append(bots, &chat.User{ID: id}) {
			p.signedOut(u.ID)
		}
		return err
	})
	return fmt.Sprintf("%s cannot sign in any more.\n", o.Username), err
}

func (p *operator) enable(ctx context.Context, o order) (string, error) {
	err := p.on(ctx, o, func(id chat.UserID) error { return p.auth.Enable(ctx, "", id) })
	return fmt.Sprintf("%s can sign in again.\n", o.Username), err
}

func (p *operator) promote(ctx context.Context, o order) (string, error) {
	err := p.on(ctx, o, func(id chat.UserID) error { return p.auth.SetAdmin(ctx, "", id, true) })
	return fmt.Sprintf("%s is an administrator now.\n", o.Username), err
}

func (p *operator) demote(ctx context.Context, o order) (string, error) {
	err := p.on(ctx, o, func(id chat.UserID) error { return p.auth.SetAdmin(ctx, "", id, false) })
	return fmt.Sprintf("%s is no administrator any more.\n", o.Username), err
}

// carryOut opens the data, which no server here uses, for one order.
func carryOut(ctx context.Context, where *config.Storage, o order) (text string, err error) {
	folder, err := dataFolder(where.Data)
	if err != nil {
		return "", err
	}
	data, err := openData(ctx, store.Config{Dir: folder, URL: where.Database})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	who, err := auth.New(ctx, data, auth.Config{})
	if err != nil {
		return "", err
	}
	service := chat.New(data, nobodyHears{}, chat.Config{})
	defer func() { err = errors.Join(err, service.Close(ctx)) }()
	p := &operator{chat: service, auth: who, signedOut: func(chat.UserID) {}, base: "http://localhost:" + config.Port}
	return p.do(ctx, o)
}

// nobodyHears is the Notifier of a chat without sockets.
type nobodyHears struct{}

func (nobodyHears) Notify(chat.Event) {}
