package gateway

import (
	"reflect"

	"qun/internal/chat"
	"qun/internal/describe"
)

const about = `The events of Qun's chat on Socket.IO protocol 5, namespace "/". Who connects may say who it is with auth: {token} of the
handshake; a token that is not valid is the one CONNECT_ERROR there is. Every request is answered by its ack. Messages of one
name are a request, its answer and a push.`

// AsyncAPI is what is said on the namespace, as an AsyncAPI 3 document.
func (g *Gateway) AsyncAPI() []byte { return g.protocol().AsyncAPI() }

// TypeScript is the same as types for the official client.
func (g *Gateway) TypeScript() []byte { return g.protocol().TypeScript() }

func (g *Gateway) protocol() *describe.Protocol {
	return &describe.Protocol{
		Title: "Qun", Version: g.cfg.Build, Description: about,
		Requests: g.requests, Pushes: pushes(), Refusal: reflect.TypeFor[refusal](),
		Times: []reflect.Type{reflect.TypeFor[chat.Time]()}, Enums: enums(),
	}
}

// pushes are what clients hear without asking.
func pushes() []describe.Push {
	return []describe.Push{
		{Name: "message", Payloads: []reflect.Type{reflect.TypeFor[chat.Message](), reflect.TypeFor[notice]()}},
		{Name: "change", Payloads: []reflect.Type{reflect.TypeFor[chat.Change]()}},
		{Name: "heads", Payloads: []reflect.Type{reflect.TypeFor[headsPush]()}},
		{Name: "me", Payloads: []reflect.Type{reflect.TypeFor[chat.MeChange]()}},
		{Name: "typing", Payloads: []reflect.Type{reflect.TypeFor[typingPush]()}},
		{Name: "presence", Payloads: []reflect.Type{reflect.TypeFor[presencePush]()}},
		{Name: "read", Payloads: []reflect.Type{reflect.TypeFor[readPush]()}},
	}
}

// enums are the values of the chat's types that have few; a test compares them with the chat's constants.
func enums() map[reflect.Type][]string {
	all := map[reflect.Type][]string{}
	add := func(t reflect.Type, values []string) { all[t] = values }
	add(describe.Enum(
		chat.CodeBusy, chat.CodeRateLimited, chat.CodeSlowMode, chat.CodeInternal, chat.CodeNotInRoom, chat.CodeInvalid,
		chat.CodeUnauthorized, chat.CodeForbidden, chat.CodeNotFound, chat.CodeNameTaken, chat.CodeConflict, chat.CodeMuted,
		chat.CodeTooLarge,
	))
	add(describe.Enum(chat.ChangeMessage, chat.ChangeMember, chat.ChangeGroup))
	add(describe.Enum(chat.GoneLeft, chat.GoneKicked, chat.GoneBanned, chat.GoneDissolved))
	add(describe.Enum(chat.KindGroup, chat.KindDirect))
	add(describe.Enum(chat.VisibilityOpen, chat.VisibilityPublic, chat.VisibilityPrivate))
	add(describe.Enum(chat.JoiningOpen, chat.JoiningApproval, chat.JoiningInvite))
	add(describe.Enum(chat.ExtentAll, chat.ExtentJoined))
	add(describe.Enum(chat.RequestWaiting, chat.RequestApproved, chat.RequestRejected, chat.RequestWithdrawn))
	add(describe.Enum(chat.RoleOwner, chat.RoleAdmin, chat.RoleMember))
	add(describe.Enum(chat.MemberActive, chat.MemberLeft, chat.MemberKicked, chat.MemberBanned))
	add(describe.Enum(chat.NotifyAll, chat.NotifyMentions, chat.NotifyNothing))
	add(describe.Enum(chat.MessageText, chat.MessageFile, chat.MessageJoin, chat.MessageSystem, chat.MessageNotice))
	add(describe.Enum(chat.PresenceOnline, chat.PresenceAway, chat.PresenceOffline))
	add(describe.Enum(chat.WebhookIncoming, chat.WebhookOutgoing))
	add(describe.Enum(chat.WebhookMessage, chat.WebhookChange))
	return all
}
