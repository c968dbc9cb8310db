package config

import (
	"fmt"
	"strings"
)

// Storage says where everything is kept: what every command that touches the data is told.
type Storage struct {
	Data     string `default:"./qun-data" placeholder:"FOLDER" help:"Where everything is kept; one running server a folder."`
	Database string `placeholder:"URL" help:"Keep the chat in this PostgreSQL database (15 or newer, UTF8) instead of a file in the data folder: postgres://user:password@host/name. Better said by the variable or the file, where other users of the machine do not see the password."`
}

// Check says what is wrong with it. A database's address is never repeated: it may hold a password.
func (s *Storage) Check() error {
	if s.Data == "" {
		return fmt.Errorf("--data: name a folder, for example ./qun-data")
	}
	if s.Database != "" && !strings.HasPrefix(s.Database, "postgres://") && !strings.HasPrefix(s.Database, "postgresql://") {
		return fmt.Errorf("--database: an address of PostgreSQL is needed, for example postgres://qun@localhost/qun")
	}
	return nil
}
