package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// sweepStep is how many rows are looked at, or written, at once.
const sweepStep = 500

// SweepFiles deletes what nobody can see any more: files that were never sent, or whose messages were recalled or are
// gone, a day later; and bytes to which no row leads, which a crash may leave. It is to be called now and then.
func (s *Service) SweepFiles(ctx context.Context) error {
	if s.cfg.Files == nil {
		return nil
	}
	if err := s.begin(); err != nil {
		return err
	}
	defer s.life.RUnlock()
	for _, step := range []func(context.Context) error{s.endFileUses, s.forgetIdle, s.sweepBytes, s.sweepAvatars} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("sweep files: %w", err)
		}
	}
	return nil
}

func (s *Service) endFileUses(ctx context.Context) error {
	for {
		var ended []FileUse
		err := s.store.View(ctx, func(r Reader) (err error) {
			ended, err = r.EndedFileUses(sweepStep)
			return err
		})
		if err != nil || len(ended) == 0 {
			return err
		}
		if err := s.store.EndFileUses(ctx, ended, s.now()); err != nil {
			return err
		}
	}
}

func (s *Service) forgetIdle(ctx context.Context) error {
	before := TimeOf(s.cfg.Now().Add(-idleTime))
	for {
		forgotten, err := s.store.ForgetIdle(ctx, before, sweepStep)
		if err != nil || len(forgotten) == 0 {
			return err
		}
		s.dropBytes(forgotten)
	}
}

// sweepBytes deletes old bytes without a row.
func (s *Service) sweepBytes(ctx context.Context) error {
	kept, err := s.cfg.Files.Kept(s.cfg.Now().Add(-idleTime))
	if err != nil {
		return err
	}
	for len(kept) > 0 {
		some := kept[:min(sweepStep, len(kept))]
		kept = kept[len(some):]
		lost, err := s.unknown(ctx, some)
		if err != nil {
			return err
		}
		s.dropBytes(lost)
	}
	return nil
}

// unknown are those of ids to which no row leads.
func (s *Service) unknown(ctx context.Context, ids []FileID) (lost []FileID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		lost = nil
		for _, id := range ids {
			_, err := r.Upload(id)
			if errors.Is(err, ErrNotFound) {
				lost = append(lost, id)
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	return lost, err
}

// sweepAvatars deletes old avatars that nobody bears.
func (s *Service) sweepAvatars(ctx context.Context) error {
	kept, err := s.cfg.Files.Avatars(s.cfg.Now().Add(-idleTime))
	if err != nil || len(kept) == 0 {
		return err
	}
	borne := map[FileID]bool{}
	err = s.store.View(ctx, func(r Reader) error {
		paths, err := r.AvatarsInUse()
		for _, path := range paths {
			borne[FileID(strings.TrimPrefix(path, avatarPath))] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	var lost []FileID
	for _, id := range kept {
		if !borne[id] {
			lost = append(lost, id)
		}
	}
	return s.cfg.Files.DropAvatars(lost)
}
