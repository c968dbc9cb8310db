// Package store keeps the chat in SQL: it is the chat.Store and the auth.Store.
//
// # Writing
//
// One goroutine writes (writer). It takes everything that waits, sends and changes alike, into one transaction, and
// commits: the more wait, the more share a commit. There is no timer; an idle server commits at once. A refusal is the
// refused one's alone. After the commit it hands the events to the announcer, and then wakes who asked.
//
// # Reading
//
// Readers have connections of their own. A View is one transaction: all it sees is of one moment, however long it takes.
//
// # SQL
//
// Placeholders are $1, $2 …, writes return with RETURNING, conflicts are ON CONFLICT: what SQLite and PostgreSQL have in
// common. Where they differ a query is in the dialect. Each dialect has its folder of migrations.
package store
