// Package gateway is the chat over Socket.IO: the only place where both vocabularies meet.
//
// A Hub is the chat's Notifier: it turns what became durable into pushes to rooms, each payload encoded once. A Gateway
// turns a client's events into calls of the chat, and results or refusals into acks.
//
// # Clients
//
// A socket is a plain client until it says hello: it hears `message` and nothing else, and reads why something was
// refused as a notice among the messages. Hello makes it a full client, which hears of every change and reads refusals
// in acks. What differs between the two is in plain.go.
//
// # Rooms
//
// Per group there are two rooms: one for everybody in it (`message`), one for full clients (`change`, `heads`,
// `typing`). Per user there is one for all full clients of that user (`me`). A socket enters the rooms first and reads
// the snapshot then, so that nothing falls between; a push that comes twice is told by its number.
//
// # Concurrency
//
// Events of one socket are handled one at a time. The Hub is called by the announcer and never waits for a client or for
// the chat. What both touch of a client is behind the client's mutex.
package gateway
