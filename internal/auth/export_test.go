package auth

// HashWith replaces what computes the hashes of passwords.
func (s *Service) HashWith(derive func(password, salt []byte, cost Cost) []byte) {
	s.passwords.derive = derive
}

// MaxHashing is how many may wait for a hash, those who get one included.
const MaxHashing = maxHashing
