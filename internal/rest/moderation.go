package rest

import (
	"context"
	"net/http"

	"qun/internal/chat"
)

// Moderation is what the server's administrators ask of the chat about what was said.
type Moderation interface {
	ServerReports(ctx context.Context, resolved bool) ([]*chat.Reported, *chat.Names, error)
	Judge(ctx context.Context, by *chat.User, in chat.Judgement) error
	ResolveServerReports(ctx context.Context, who *chat.User, id chat.GroupID, seq chat.Seq) error
	WordList(ctx context.Context) (*chat.WordList, error)
	SetWordList(ctx context.Context, by *chat.User, words []string) (*chat.WordList, error)
}

// wordsBody is enough for as many words as a list may hold.
const wordsBody = 4 << 20

func (s *server) registerModeration() {
	const tag = "administration"
	answer(s, route{
		ID: "adminReports", Method: http.MethodGet, Path: "/admin/reports", Tag: tag, Who: administrators,
		Summary: "The messages of all groups that were reported, the newest report first, and by whom",
	}, s.adminReports)
	act(s, route{
		ID: "adminResolveReports", Method: http.MethodDelete, Path: "/admin/reports/{groupId}/{seq}", Tag: tag, Who: administrators,
		Summary: "End the reports on a message, whatever was done about it",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminResolveReports)
	act(s, route{
		ID: "adminJudge", Method: http.MethodPost, Path: "/admin/reports/{groupId}/{seq}", Tag: tag, Who: administrators,
		Summary: "Do something about a reported message, and end the reports on it",
		Refuses: []chat.Code{chat.CodeNotFound},
	}, s.adminJudge)
	answer(s, route{
		ID: "adminWords", Method: http.MethodGet, Path: "/admin/words", Tag: tag, Who: administrators,
		Summary: "The words that nobody may say on this server",
	}, s.adminWords)
	answer(s, route{
		ID: "adminSetWords", Method: http.MethodPut, Path: "/admin/words", Tag: tag, Who: administrators, Body: wordsBody,
		Summary: "Say which words nobody may say from now on: at most 10,000",
	}, s.adminSetWords)
}

type adminReportsIn struct {
	Resolved bool `query:"resolved" doc:"Those that were judged, the last first; what they said is forgotten."`
}

type reportsOut struct {
	Reports []*chat.Reported `json:"reports"`
	*chat.Names
}

func (s *server) adminReports(ctx context.Context, _ *caller, in *adminReportsIn) (*reportsOut, error) {
	list, named, err := s.Chat.ServerReports(ctx, in.Resolved)
	return &reportsOut{list, named}, err
}

type adminJudgeIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
	Body    struct {
		Verdict chat.Verdict `json:"verdict" enum:"dismiss,recall,mute,kick,ban" doc:"What is done: nothing; the message is recalled; its author is muted in the group, put out of it, or kept out for good."`
		Until   chat.Time    `json:"until,omitempty" doc:"Of a mute or a ban; absent: for good."`
	}
}

func (s *server) adminJudge(ctx context.Context, c *caller, in *adminJudgeIn) error {
	return s.Chat.Judge(ctx, c.User, chat.Judgement{Group: in.GroupID, Seq: in.Seq, Verdict: in.Body.Verdict, Until: in.Body.Until})
}

type reportedIn struct {
	GroupID chat.GroupID `path:"groupId"`
	Seq     chat.Seq     `path:"seq" minimum:"1"`
}

func (s *server) adminResolveReports(ctx context.Context, c *caller, in *reportedIn) error {
	return s.Chat.ResolveServerReports(ctx, c.User, in.GroupID, in.Seq)
}

func (s *server) adminWords(ctx context.Context, _ *caller, _ *struct{}) (*chat.WordList, error) {
	return s.Chat.WordList(ctx)
}

type adminSetWordsIn struct {
	Body struct {
		Words []string `json:"words"`
	}
}

func (s *server) adminSetWords(ctx context.Context, c *caller, in *adminSetWordsIn) (*chat.WordList, error) {
	return s.Chat.SetWordList(ctx, c.User, in.Body.Words)
}
