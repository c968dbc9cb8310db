// Members fills a folder with a chat's data: n members, each in 20 groups of 100 with a message in them, and the tokens by which
// they are signed in, one a line in the file "tokens".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/store"
)

const (
	groupsOfMember  = 20
	membersPerGroup = 100
)

func main() {
	folder := os.Args[1]
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := makeMembers(folder, n)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "tokens"), []byte(strings.Join(tokens, "\n")), 0o600); err != nil {
		log.Fatal(err)
	}
}

type deaf struct{}

func (deaf) Notify(chat.Event) {}

func makeMembers(folder string, n int) ([]string, error) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: folder})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	service := chat.New(s, deaf{}, chat.Config{Limits: chat.Limits{MessageLength: 8000}})
	defer service.Close(ctx)
	who, err := auth.New(ctx, s, auth.Config{})
	if err != nil {
		return nil, err
	}
	var busy sync.WaitGroup
	tokens, failed := make([]string, n), make(chan error, n)
	turns := make(chan struct{}, 128) // so many at a time share a commit
	for i := range n {
		turns <- struct{}{}
		busy.Go(func() {
			defer func() { <-turns }()
			var err error
			if tokens[i], err = makeMember(ctx, service, who, i, n); err != nil {
				failed <- err
			}
		})
	}
	busy.Wait()
	close(failed)
	return tokens, <-failed
}

// makeMember makes member i, who enters 20 groups, chosen so that each group has a hundred of the n.
func makeMember(ctx context.Context, service *chat.Service, who *auth.Service, i, n int) (token string, err error) {
	user, err := service.CreateMember(ctx, chat.NewMember{Username: fmt.Sprintf("member%d", i)})
	if err != nil {
		return "", err
	}
	groups := max(groupsOfMember, n*groupsOfMember/membersPerGroup)
	for k := range groupsOfMember {
		room := (i*groupsOfMember + k) % groups
		entered, err := service.Enter(ctx, user, chat.Entry{Room: fmt.Sprintf("room %d", room)})
		if err != nil {
			return "", err
		}
		if i < groups/groupsOfMember {
			if _, err := service.SendMessage(ctx, user, chat.NewMessage{Group: entered.Group.ID, Entered: true, Text: "hello"}); err != nil {
				return "", err
			}
		}
	}
	return who.SignIn(ctx, user.ID, "bench")
}
