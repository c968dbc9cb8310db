package store

import "errors"

// Why a store does not open. The message around them says which folder or file.
var (
	ErrLocked     = errors.New("another instance is using it")
	ErrUnwritable = errors.New("it cannot be written")
	ErrDamaged    = errors.New("it is damaged, or no database of ours")
	ErrNewer      = errors.New("it was written by a newer version")
	ErrOlder      = errors.New("it was written by an older version")
	ErrAbsent     = errors.New("there is no data")
	ErrMoved      = errors.New("its chat has moved into a PostgreSQL database")

	// Of a database server alone.
	ErrAddress     = errors.New("it is no address of a PostgreSQL database")
	ErrUnreachable = errors.New("it cannot be reached")
	ErrRefused     = errors.New("it does not let this user in")
	ErrUnsuited    = errors.New("it cannot keep our data")
)

// Why a Move comes to nothing.
var (
	ErrOccupied = errors.New("it is not empty")
	ErrCopy     = errors.New("the copy is not what was copied")
)

// ErrUnknown is what a writer is told when its connection was cut in the middle of a commit, and the database could not be
// asked since: it is stored, or nothing of it is. A message sent again under its clientId is there once in either case.
var ErrUnknown = errors.New("nobody knows whether it was stored")

// lostError is what was met on a connection that is of no use any more.
type lostError struct{ err error }

func (e *lostError) Error() string { return "connection lost: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }
