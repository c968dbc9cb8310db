// Command member makes a member in a data folder that no server uses at the moment. It stands in for registering until there is a
// command for it.
package main

import (
	"context"
	"flag"
	"log"

	"qun/internal/chat"
	"qun/internal/store"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "the server's data folder")
	nick := flag.String("nick", "", "the member's name")
	flag.Parse()
	if err := makeMember(context.Background(), *data, *nick); err != nil {
		log.Fatal(err)
	}
}

func makeMember(ctx context.Context, data, nick string) error {
	s, err := store.Open(ctx, store.Config{Dir: data})
	if err != nil {
		return err
	}
	defer s.Close()
	service := chat.New(s, nobody{}, chat.Config{})
	if _, err := service.CreateMember(ctx, chat.NewMember{Username: "member", NickName: nick}); err != nil {
		return err
	}
	return service.Close(ctx)
}

// nobody hears what happens.
type nobody struct{}

func (nobody) Notify(chat.Event) {}
