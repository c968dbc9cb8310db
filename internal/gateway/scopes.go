package gateway

import "qun/internal/auth"

// scopes are what a bot's token must allow for a request. One that does not stand here needs ScopeManage: a new request
// is not open to every bot by forgetting it.
var scopes = map[string]auth.Scope{
	"hello":            auth.ScopeRead,
	"joinRoom":         auth.ScopeRead,
	"history":          auth.ScopeRead,
	"sync":             auth.ScopeRead,
	"readUpTo":         auth.ScopeRead,
	"search":           auth.ScopeRead,
	"getUser":          auth.ScopeRead,
	"getGroup":         auth.ScopeRead,
	"groups":           auth.ScopeRead,
	"members":          auth.ScopeRead,
	"readBy":           auth.ScopeRead,
	"reads":            auth.ScopeRead,
	"announcement":     auth.ScopeRead,
	"readAnnouncement": auth.ScopeRead,
	"inviteInfo":       auth.ScopeRead,
	"visible":          auth.ScopeRead,
	"presence":         auth.ScopeRead,
	"pins":             auth.ScopeRead,
	"groupFiles":       auth.ScopeRead,

	"sendMessage":   auth.ScopeSend,
	"editMessage":   auth.ScopeSend,
	"recallMessage": auth.ScopeSend,
	"forward":       auth.ScopeSend,
	"react":         auth.ScopeSend,
	"removePreview": auth.ScopeSend,
	"typing":        auth.ScopeSend,
	"report":        auth.ScopeSend,
}

func scopeOf(request string) auth.Scope {
	if scope, ok := scopes[request]; ok {
		return scope
	}
	return auth.ScopeManage
}
