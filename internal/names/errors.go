package names

import "errors"

// What may be wrong with a name.
var (
	ErrEmpty     = errors.New("the name is empty")
	ErrTooLong   = errors.New("the name is too long")
	ErrForbidden = errors.New("the name holds a control character or turns the direction of writing")
	ErrReserved  = errors.New("the name is the server's own")
	ErrSpelling  = errors.New("a username has letters, digits and . _ - only")
)
