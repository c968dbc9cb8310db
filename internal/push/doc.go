// Package push tells the world outside what happens in the chat: outgoing webhooks are told of a group's events, browsers
// are called while their user is away (Web Push).
//
// # The outbox is the history
//
// What is to be told is nowhere written a second time. The rows of a group are written in the act's own transaction, each
// under a number of the group's counter, and are never deleted while somebody needs them: that is all an outbox is. A
// webhook keeps the number up to which it was told; a device keeps the message it was called for last. So whatever was
// committed is told at least once, whatever was rolled back never is, a send costs the same whoever listens, and a crash
// loses nothing but the memory of what was told a moment ago, which is then told again under the same delivery id.
// Notify is a hint, not a record: what it hints at is read from the store.
//
// # Who does what
//
// A webhook, or a device, is lent to one worker of one node at a time, by a claim in the store that ends by itself. A
// webhook is told one event at a time, in the group's order. Nothing of one target waits for another's: there is a bound
// for all, and a smaller one for each host.
//
// # Where it reaches
//
// Only to public unicast addresses, which is checked of the address that is dialled and not of the name, unless the
// operator names networks that may be reached, too. No proxy of the environment is used and no redirect followed.
//
// # Links
//
// A Previewer asks for the pages that messages link to, addresses that anybody may name: at the web's own ports alone, for
// a few seconds and a few hundred kilobytes, checked anew where a redirect or a page's picture leads elsewhere. What it
// finds is text and one picture's bytes; what may be shown of them is the chat's to say. A link that waits is written in
// its message's transaction and lent as webhooks are.
package push
