package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"qun/internal/config"
)

// userCommand looks after people from the command line. While the server runs it is asked, through a socket in the data
// folder; else the data is opened.
type userCommand struct {
	Add     userAdd    `cmd:"" help:"Make an account. The password is asked for, or read from the standard input."`
	List    userList   `cmd:"" help:"List accounts."`
	Passwd  userPasswd `cmd:"" help:"Give an account another password; its devices are signed out."`
	Reset   userAct    `cmd:"" help:"Print a link with which somebody sets a new password, once, within a day."`
	Disable userAct    `cmd:"" help:"Keep an account out; its messages stay."`
	Enable  userAct    `cmd:"" help:"Let a disabled account in again."`
	Promote userAct    `cmd:"" help:"Make an account an administrator."`
	Demote  userAct    `cmd:"" help:"Make an administrator an ordinary member again."`
}

// named is a command on one account.
type named struct {
	config.Storage `embed:""`
	Username       string `arg:"" help:"Who signs in with that name."`
}

type userAdd struct {
	named
	NickName string `name:"nickname" placeholder:"NAME" help:"What others see. Default: the username."`
	Admin    bool   `help:"Make it an administrator."`
}

// Run makes an account.
func (c *userAdd) Run(ctx context.Context, m Machine) error {
	password, err := m.newPassword()
	if err != nil {
		return err
	}
	return send(ctx, m, &c.Storage, order{Act: "add", Username: c.Username, NickName: c.NickName, Password: password, Admin: c.Admin})
}

type userList struct {
	config.Storage `embed:""`
	Search         string `arg:"" optional:"" help:"A part of a name."`
}

// Run lists accounts.
func (c *userList) Run(ctx context.Context, m Machine) error {
	return send(ctx, m, &c.Storage, order{Act: "list", Search: c.Search})
}

type userPasswd struct{ named }

// Run sets a password.
func (c *userPasswd) Run(ctx context.Context, m Machine) error {
	password, err := m.newPassword()
	if err != nil {
		return err
	}
	return send(ctx, m, &c.Storage, order{Act: "passwd", Username: c.Username, Password: password})
}

// userAct needs no more than whom it is done to.
type userAct struct{ named }

// Run does what the command is called.
func (c *userAct) Run(ctx context.Context, m Machine, k *kong.Context) error {
	return send(ctx, m, &c.Storage, order{Act: k.Selected().Name, Username: c.Username})
}

// send has an order carried out and prints what came of it.
func send(ctx context.Context, m Machine, where *config.Storage, o order) error {
	if err := where.Check(); err != nil {
		return err
	}
	text, running, err := askServer(ctx, where.Data, o)
	if !running {
		text, err = carryOut(ctx, where, o)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(m.Stdout, text)
	return err
}

// newPassword asks for a password, twice, or reads one line where nobody can be asked. It is never an argument: others see
// those.
func (m Machine) newPassword() (string, error) {
	if m.AskPassword != nil {
		first, err := m.AskPassword("Password: ")
		if err != nil {
			return "", fmt.Errorf("read a password: %w", err)
		}
		second, err := m.AskPassword("Once more: ")
		if err != nil {
			return "", fmt.Errorf("read a password: %w", err)
		}
		if first != second {
			return "", errors.New("the two passwords differ: try again")
		}
		return first, nil
	}
	line, err := bufio.NewReader(io.LimitReader(m.Stdin, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read a password from the standard input: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("no password: type it when asked, or pass one line to the standard input")
	}
	return line, nil
}
