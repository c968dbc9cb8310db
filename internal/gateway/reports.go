package gateway

import (
	"context"

	"qun/internal/chat"
)

type reportIn struct {
	GroupID chat.GroupID `json:"groupId"`
	Seq     chat.Seq     `json:"seq"`
	Reason  string       `json:"reason,omitempty"`
}

type reportsOut struct {
	Reports []*chat.Reported `json:"reports"`
}

// report tells who administers a group that a message is wrong.
func (g *Gateway) report(ctx context.Context, _ *client, who *chat.User, in reportIn) (any, error) {
	return nil, g.chat.Report(ctx, who, in.GroupID, in.Seq, in.Reason)
}

// reports lists what was reported in a group, for who administers it.
func (g *Gateway) reports(ctx context.Context, _ *client, who *chat.User, in groupIn) (reportsOut, error) {
	list, err := g.chat.Reports(ctx, who, in.GroupID)
	return reportsOut{list}, err
}

// resolveReports ends the reports on a message.
func (g *Gateway) resolveReports(ctx context.Context, _ *client, who *chat.User, in messageIn) (any, error) {
	return nil, g.chat.ResolveReports(ctx, who, in.GroupID, in.Seq)
}
