package chat

import (
	"context"
	"errors"
	"strings"
)

// File is an uploaded file as a message carries it.
type File struct {
	ID       FileID `json:"fileId"`
	Name     string `json:"name"`
	Size     int64  `json:"size"`
	Type     string `json:"type"`
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	URL      string `json:"url"`
	ThumbURL string `json:"thumbUrl,omitempty"`
}

// Files knows what was uploaded. It is asked before a message with files is stored.
type Files interface {
	// Uploads are the files with these ids, in their order, as a message carries them. One that is not there, or is not
	// by's own upload, is ErrNotFound.
	Uploads(ctx context.Context, by UserID, ids []FileID) ([]File, error)
}

// maxFiles is how many files a message may carry.
const maxFiles = 9

// uploads are the files that in asks for.
func (s *Service) uploads(ctx context.Context, by *User, in *NewMessage) ([]File, error) {
	switch {
	case len(in.Files) == 0:
		return nil, nil
	case s.cfg.Files == nil:
		return nil, refuseFiles()
	case len(in.Files) > maxFiles:
		return nil, refuseManyFiles(maxFiles)
	}
	files, err := s.cfg.Files.Uploads(ctx, by.ID, in.Files)
	if errors.Is(err, ErrNotFound) {
		return nil, refuseFiles()
	}
	return files, refusal(err, "look up uploads")
}

// fileText is what stands in for the text of a message that has files only: a line for each, for those who read nothing else.
func fileText(files []File) string {
	lines := make([]string, len(files))
	for i, f := range files {
		lines[i] = "[文件] " + f.Name + " " + f.URL
		if strings.HasPrefix(f.Type, "image/") {
			lines[i] = "[图片] " + f.Name + " " + f.URL
		}
	}
	return strings.Join(lines, "\n")
}
