package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"qun/internal/wordfilter"
)

// WordList is what nobody may say on this server.
type WordList struct {
	Words []string `json:"words"`
}

// wordListName is the setting that holds the list, as JSON.
const wordListName = "word-list"

const (
	maxWords      = 10_000
	maxWord       = 100 // code points
	wordListEvery = 30 * time.Second
)

// wordList is the list in force. Another node may change it: now and then it is read again, by one who is about to speak.
type wordList struct {
	// Set once.
	store Store
	now   func() time.Time
	also  func(SettingReader) error // reads what else another node may have changed
	done  func()                    // is told that it was

	words atomic.Pointer[wordfilter.Filter] // nil: not read yet
	due   atomic.Int64                      // when it is to be read again, in milliseconds

	reading sync.Mutex // held by who reads it
}

// current is the list; while one reads it again, all others make do with that of a moment ago.
func (l *wordList) current(ctx context.Context) (*wordfilter.Filter, error) {
	words := l.words.Load()
	switch {
	case words == nil:
		l.reading.Lock()
	case l.now().UnixMilli() < l.due.Load() || !l.reading.TryLock():
		return words, nil
	}
	defer l.reading.Unlock()
	if first := l.words.Load(); words == nil && first != nil { // somebody else was faster
		return first, nil
	}
	err := l.read(ctx)
	return l.words.Load(), err
}

// again reads it at once.
func (l *wordList) again(ctx context.Context) error {
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.read(ctx)
}

// read reads the list; reading is held.
func (l *wordList) read(ctx context.Context) error {
	var stored []byte
	err := l.store.View(ctx, func(r Reader) (err error) {
		if stored, err = r.NamedSetting(wordListName); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return l.also(r)
	})
	if err != nil {
		return fmt.Errorf("read the list of words: %w", err)
	}
	l.done()
	var list WordList
	if len(stored) > 0 {
		if err := json.Unmarshal(stored, &list); err != nil {
			return fmt.Errorf("read the list of words: %w", err)
		}
	}
	l.words.Store(wordfilter.New(list.Words))
	l.due.Store(l.now().Add(wordListEvery).UnixMilli())
	return nil
}

// refuseWords refuses a text that holds a word of the list. It is refused rather than masked: a mask changes what was said
// without its author noticing, and shows everybody that there was something; who is refused can say it otherwise.
func (s *Service) refuseWords(ctx context.Context, text string) error {
	words, err := s.words.current(ctx)
	if err != nil {
		return refusal(err, "read the list of words")
	}
	if word, found := words.Find(text); found {
		return refuseWord(word)
	}
	return nil
}

// WordList is what nobody may say. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) WordList(ctx context.Context) (*WordList, error) {
	list := &WordList{Words: []string{}}
	err := s.store.View(ctx, func(r Reader) error {
		stored, err := r.NamedSetting(wordListName)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(stored, list)
	})
	if err != nil {
		return nil, refusal(err, "read the list of words")
	}
	return list, nil
}

// SetWordList makes words what nobody may say from now on; what was said stays. On other nodes it takes up to half a
// minute. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) SetWordList(ctx context.Context, by *User, words []string) (*WordList, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	list, err := cleanWords(words)
	if err != nil {
		return nil, err
	}
	stored, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("write the list of words: %w", err)
	}
	entry := &AuditEntry{At: s.now(), Act: "setWordList", By: by.ID, Value: fmt.Sprint(len(list.Words))}
	err = s.store.ChangeSetting(ctx, wordListName, func([]byte) ([]byte, []*AuditEntry, error) { return stored, []*AuditEntry{entry}, nil })
	if err != nil {
		return nil, refusal(err, "write the list of words")
	}
	s.relay.change(changedSettings, "")
	return list, refusal(s.words.again(ctx), "read the list of words")
}

// cleanWords trims the words, and leaves out those that are there twice or empty.
func cleanWords(words []string) (*WordList, error) {
	list := &WordList{Words: []string{}}
	there := map[string]bool{"": true}
	for _, w := range words {
		w = strings.TrimSpace(w)
		if utf8.RuneCountInString(w) > maxWord || !utf8.ValidString(w) {
			return nil, refuseWords()
		}
		if !there[w] {
			there[w] = true
			list.Words = append(list.Words, w)
		}
	}
	if len(list.Words) > maxWords {
		return nil, refuseWords()
	}
	return list, nil
}
