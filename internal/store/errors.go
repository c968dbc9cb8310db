package store

import "errors"

// Why a store does not open. The message around them says which folder or file.
var (
	ErrLocked     = errors.New("another instance is using it")
	ErrUnwritable = errors.New("it cannot be written")
	ErrDamaged    = errors.New("it is damaged, or no database of ours")
	ErrNewer      = errors.New("it was written by a newer version")
)
