// Package auth says who a token speaks for.
//
// There are two kinds of tokens. A guest's token is self-contained: it carries the guest's id and nickname, signed with
// HMAC-SHA256 under a secret of this server, because a guest that never spoke leaves nothing behind. A member's token is
// 256 random bits that open a session; the store knows only its hash, so a stolen database opens nothing.
//
// Both are secrets: they are never logged and never stand in a URL.
//
// # Concurrency
//
// A Service may be used by many goroutines at once.
package auth
