// Package store keeps the chat in SQL, in SQLite or in PostgreSQL: it is the chat.Store and the auth.Store.
//
// # Writing
//
// A goroutine writes (writer). It takes everything that waits, sends and changes alike, into one transaction, and
// commits: the more wait, the more share a commit. There is no timer; an idle server commits at once. A refusal is the
// refused one's alone. After the commit it hands the events to the announcer, and then wakes who asked.
//
// SQLite has one writer. PostgreSQL has several, and each group is one's; how they keep out of each other's way is said
// at postgresDialect.
//
// # Reading
//
// Readers have connections of their own. A View is one transaction: all it sees is of one moment, however long it takes.
//
// # Searching
//
// Which words messages have is kept in an index (index.go), which an indexer brings up to date behind those who write, some
// time later, in transactions of its own. It may be lost: it is made again of the messages. A search reads what the index
// does not have yet, asks it for the rest, and reads the text of all that it names: so a message is found as soon as it is
// durable, and never for words it no longer has.
//
// # SQL
//
// Placeholders are $1, $2 …, writes return with RETURNING, conflicts are ON CONFLICT: what SQLite and PostgreSQL have in
// common. Where they differ a query is in the dialect. Each dialect has its folder of migrations.
//
// # Several
//
// A folder belongs to one process. A PostgreSQL database may be written by several: numbers stay dense, clientIds
// unique, and migrations run once. Hear tells only of what was written here; Elsewhere says that somebody else wrote, and what is to
// be done by one of several alone is done by Exclusive.
package store
