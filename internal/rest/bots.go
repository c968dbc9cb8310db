package rest

import (
	"context"
	"net/http"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Bots is what bots ask of the chat, and those who made them.
type Bots interface {
	CreateBot(ctx context.Context, by *chat.User, nickName string) (*chat.User, error)
	Bots(ctx context.Context, by *chat.User) ([]*chat.User, error)
	OwnBot(ctx context.Context, by *chat.User, id chat.UserID) (*chat.User, error)
	UpdateBot(ctx context.Context, by *chat.User, id chat.UserID, in chat.BotChanges) (*chat.User, error)
	DeleteBot(ctx context.Context, by *chat.User, id chat.UserID) error
	AddBot(ctx context.Context, by *chat.User, g chat.GroupID, bot chat.UserID) (*chat.Member, error)
}

func (s *server) registerBots() {
	const tag = "bots"
	answer(s, route{
		ID: "bots", Method: http.MethodGet, Path: "/me/bots", Tag: tag, Who: persons, Summary: "My bots",
	}, s.bots)
	answer(s, route{
		ID: "createBot", Method: http.MethodPost, Path: "/me/bots", Tag: tag, Who: persons,
		Summary: "Make a bot; its token is shown this once",
		Refuses: []chat.Code{chat.CodeNameTaken},
	}, s.createBot)
	answer(s, route{
		ID: "updateBot", Method: http.MethodPatch, Path: "/me/bots/{botId}", Tag: tag, Who: persons,
		Summary: "Change my bot's name or picture; its groups are told a moment later",
		Refuses: []chat.Code{chat.CodeNotFound, chat.CodeNameTaken},
	}, s.updateBot)
	answer(s, route{
		ID: "rotateBotToken", Method: http.MethodPost, Path: "/me/bots/{botId}/token", Tag: tag, Who: persons,
		Summary: "Give my bot another token, maybe with other scopes; the one before is good no more",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.rotateBotToken)
	act(s, route{
		ID: "deleteBot", Method: http.MethodDelete, Path: "/me/bots/{botId}", Tag: tag, Who: persons,
		Summary: "Delete my bot: it leaves its groups, what it said stays",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.deleteBot)
	answer(s, route{
		ID: "addBot", Method: http.MethodPut, Path: "/groups/{groupId}/bots/{botId}", Tag: tag, Who: persons,
		Summary: "Let a bot into a group of which I am an admin",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.addBot)
}

// botOut is a bot as who made it sees it.
type botOut struct {
	User   *chat.User   `json:"user"`
	Scopes []auth.Scope `json:"scopes"`
	SeenAt chat.Time    `json:"seenAt,omitempty" doc:"When its token was last used, to the hour."`
	Token  string       `json:"token,omitempty" doc:"Shown once: keep it."`
}

type botsOut struct {
	Bots []botOut `json:"bots"`
}

func (s *server) bots(ctx context.Context, c *caller, _ *struct{}) (*botsOut, error) {
	bots, err := s.Chat.Bots(ctx, c.User)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.UserID, len(bots))
	for i, bot := range bots {
		ids[i] = bot.ID
	}
	tokens, err := s.Auth.BotTokens(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := &botsOut{make([]botOut, len(bots))}
	for i, bot := range bots {
		out.Bots[i] = botOut{User: s.withPresence(bot), Scopes: []auth.Scope{}}
		if token, ok := tokens[bot.ID]; ok {
			out.Bots[i].Scopes, out.Bots[i].SeenAt = token.Scopes, chat.TimeOf(token.SeenAt)
		}
	}
	return out, nil
}

type createBotIn struct {
	Body struct {
		NickName string       `json:"nickName"`
		Scopes   []auth.Scope `json:"scopes" doc:"What it may do: read, send, manage."`
	}
}

func (s *server) createBot(ctx context.Context, c *caller, in *createBotIn) (*botOut, error) {
	if err := auth.CheckScopes(in.Body.Scopes); err != nil {
		return nil, err
	}
	bot, err := s.Chat.CreateBot(ctx, c.User, in.Body.NickName)
	if err != nil {
		return nil, err
	}
	return s.giveToken(ctx, bot, in.Body.Scopes)
}

func (s *server) giveToken(ctx context.Context, bot *chat.User, scopes []auth.Scope) (*botOut, error) {
	token, err := s.Auth.IssueBotToken(ctx, bot.ID, scopes)
	if err != nil {
		return nil, err
	}
	return &botOut{User: bot, Scopes: scopes, Token: token}, nil
}

type botIn struct {
	BotID chat.UserID `path:"botId"`
}

type updateBotIn struct {
	BotID chat.UserID `path:"botId"`
	Body  struct {
		NickName *string      `json:"nickName,omitempty"`
		Avatar   *chat.FileID `json:"avatar,omitempty" doc:"The fileId of a picture that I uploaded, or empty for none."`
	}
}

func (s *server) updateBot(ctx context.Context, c *caller, in *updateBotIn) (*userOut, error) {
	bot, err := s.Chat.UpdateBot(ctx, c.User, in.BotID, chat.BotChanges(in.Body))
	if err != nil {
		return nil, err
	}
	return &userOut{s.withPresence(bot)}, nil
}

type rotateBotTokenIn struct {
	BotID chat.UserID `path:"botId"`
	Body  struct {
		Scopes []auth.Scope `json:"scopes"`
	}
}

func (s *server) rotateBotToken(ctx context.Context, c *caller, in *rotateBotTokenIn) (*botOut, error) {
	bot, err := s.Chat.OwnBot(ctx, c.User, in.BotID)
	if err != nil {
		return nil, err
	}
	out, err := s.giveToken(ctx, bot, in.Body.Scopes)
	if err == nil {
		s.signedOutAll(bot.ID, nil)
	}
	return out, err
}

func (s *server) deleteBot(ctx context.Context, c *caller, in *botIn) error {
	err := s.Chat.DeleteBot(ctx, c.User, in.BotID)
	if err == nil {
		s.signedOutAll(in.BotID, nil)
	}
	return err
}

type addBotIn struct {
	GroupID chat.GroupID `path:"groupId"`
	BotID   chat.UserID  `path:"botId"`
}

type memberOut struct {
	Member *chat.Member `json:"member"`
}

func (s *server) addBot(ctx context.Context, c *caller, in *addBotIn) (*memberOut, error) {
	member, err := s.Chat.AddBot(ctx, c.User, in.GroupID, in.BotID)
	return &memberOut{member}, err
}
