// Package chat is the domain: users, groups, members, messages, and every rule about them. It knows no wire and no SQL;
// it owns the ports it needs (Store, Notifier) and is used through Service.
//
// # Numbers
//
// Each group has one dense counter, its head. Every change of the group (a message, an edit, a member, a setting) takes
// the next number within the transaction that makes it; one number, one row. A message's number at its creation is its
// Seq, its address for ever; every row keeps the number at which it last changed, its Rev. So who saw head N asks for the
// rows with a Rev after N, and who hears N+2 after N knows that something is missing. What is private to a user
// (memberships as the user sees them, cursors) is numbered in the same way by the user's own counter.
//
// # Unread
//
// A group counts its countable messages. A member keeps that count at its cursor, and how many of those after it are its
// own; what is unread is a difference of three numbers. Nothing is ever counted one by one for it.
//
// # Guarantees
//
//  1. Durable, then announced, then acknowledged: when a method that writes returns, its rows survive any crash, and the
//     Notifier has heard of them.
//  2. One order per group, the same for everybody: the order of its numbers. Only the announcer calls the Notifier.
//  3. The same clientId of the same sender is one message, for ever; asked again it is answered before any other rule.
//  4. An answer with rows is of one moment, and says by its head of which.
//  5. Nobody reads a group who is not in it, but guests, while it is open; absent and forbidden are answered alike.
//
// # Concurrency
//
// A Service may be used by any number of goroutines. Rows it returns or announces are shared: they are read, never changed.
package chat
