package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Registration says who may make an account.
type Registration string

const (
	RegistrationOpen   Registration = "open"   // everybody
	RegistrationInvite Registration = "invite" // who has a code of an administrator, or an invite to a group
	RegistrationOff    Registration = "off"    // nobody: administrators make accounts
)

// ServerSettings are what an administrator may change while the server runs. Nil is what was never changed, or was given
// back: then holds what the server was started with.
type ServerSettings struct {
	Name              *string       `json:"name,omitempty"` // what the server is called; "": by its address
	Guests            *GuestPolicy  `json:"guests,omitempty"`
	Registration      *Registration `json:"registration,omitempty"`
	Retention         *int          `json:"retention,omitempty"`         // days that groups keep messages at most; 0: for ever
	MessagesPerSecond *float64      `json:"messagesPerSecond,omitempty"` // of one user, five times as many in a burst; 0: no limit
	UploadBytes       *int64        `json:"uploadBytes,omitempty"`       // of one file; 0: no limit
	EditSeconds       *int          `json:"editSeconds,omitempty"`       // how long the author of a message may edit it; 0: for ever
	RecallSeconds     *int          `json:"recallSeconds,omitempty"`     // and recall it
}

// The names of the settings, as on the wire and in the audit.
const (
	SettingName         = "name"
	SettingGuests       = "guests"
	SettingRegistration = "registration"
	SettingRetention    = "retention"
	SettingMessages     = "messagesPerSecond"
	SettingUpload       = "uploadBytes"
	SettingEdit         = "editSeconds"
	SettingRecall       = "recallSeconds"
)

// SettingsInForce are the settings as they hold now.
type SettingsInForce struct {
	Settings ServerSettings    `json:"settings"` // all of them, as they hold
	Changed  []string          `json:"changed"`  // the names of those that an administrator changed; they can be given back
	Fixed    map[string]string `json:"fixed"`    // by name: those that cannot be changed while the server runs, and what fixes them
}

const (
	maxServerName   = 60               // code points
	maxKeepDays     = 36500            // a hundred years
	maxWithin       = 10 * 365 * 86400 // seconds
	maxSettingLimit = 1e9
)

// SettingStore keeps named settings.
type SettingStore interface {
	// ChangeSetting gives a setting the value that change makes of the one before (nil: there was none), and adds the
	// entries to the audit, all or nothing. change may run more than once.
	ChangeSetting(ctx context.Context, name string, change func(before []byte) (after []byte, entries []*AuditEntry, err error)) error
}

// SettingReader reads them.
type SettingReader interface {
	// NamedSetting is a setting as it was stored; ErrNotFound if it never was.
	NamedSetting(name string) ([]byte, error)
}

// serverSettingsName is the setting that holds what was changed, as JSON.
const serverSettingsName = "server-settings"

// inForce is what holds now: it is replaced and never changed.
type inForce struct {
	kept         ServerSettings // what an administrator changed
	name         string
	guests       GuestPolicy
	registration Registration
	retention    int
	limits       Limits
}

// serverSettings are the settings in force. Another node may change them: they are read again together with the list of
// words.
type serverSettings struct {
	start Config
	now   atomic.Pointer[inForce]

	changing sync.Mutex // held by who puts others in force
}

func newServerSettings(cfg Config) *serverSettings {
	s := &serverSettings{start: cfg}
	s.now.Store(s.overlay(ServerSettings{}))
	return s
}

// overlay is what the server was started with, under what was changed and is not fixed.
func (s *serverSettings) overlay(kept ServerSettings) *inForce {
	c := &s.start
	f := &inForce{kept: kept, name: c.Name, guests: c.Guests, registration: c.Registration, retention: c.Retention, limits: c.Limits}
	laid(c, SettingName, &f.name, kept.Name)
	laid(c, SettingGuests, &f.guests, kept.Guests)
	laid(c, SettingRegistration, &f.registration, kept.Registration)
	laid(c, SettingRetention, &f.retention, kept.Retention)
	laid(c, SettingMessages, &f.limits.MessagesPerSecond, kept.MessagesPerSecond)
	laid(c, SettingUpload, &f.limits.UploadBytes, kept.UploadBytes)
	f.limits.MessageBurst = c.Limits.MessageBurst
	if f.limits.MessagesPerSecond != c.Limits.MessagesPerSecond {
		f.limits.MessageBurst = int(math.Ceil(5 * f.limits.MessagesPerSecond))
	}
	edit, recall := seconds(c.Limits.EditWithin), seconds(c.Limits.RecallWithin)
	laid(c, SettingEdit, &edit, kept.EditSeconds)
	laid(c, SettingRecall, &recall, kept.RecallSeconds)
	f.limits.EditWithin, f.limits.RecallWithin = time.Duration(edit)*time.Second, time.Duration(recall)*time.Second
	return f
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// laid puts what was changed over a value, unless the start fixed it.
func laid[T any](c *Config, name string, value *T, kept *T) {
	if _, fixed := c.Fixed[name]; kept != nil && !fixed {
		*value = *kept
	}
}

// read puts in force what is stored.
func (s *serverSettings) read(r SettingReader) error {
	stored, err := r.NamedSetting(serverSettingsName)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("read the server's settings: %w", err)
	}
	kept, err := parseSettings(stored)
	if err == nil {
		s.now.Store(s.overlay(kept))
	}
	return err
}

func parseSettings(stored []byte) (kept ServerSettings, err error) {
	if len(stored) > 0 {
		if err = json.Unmarshal(stored, &kept); err != nil {
			err = fmt.Errorf("read the server's settings: %w", err)
		}
	}
	return kept, err
}

// ReadSettings puts in force what administrators changed before. It is to be called once before the service is used.
func (s *Service) ReadSettings(ctx context.Context) error {
	err := s.store.View(ctx, func(r Reader) error { return s.settings.read(r) })
	s.allow()
	return err
}

// ServerName is what the server is called; "" if it has no name but its address.
func (s *Service) ServerName() string { return s.settings.now.Load().name }

// Registration says who may make an account; "" means nobody.
func (s *Service) Registration() Registration { return s.settings.now.Load().registration }

// ServerSettings are the settings in force. Who asks has to be an administrator of the server: the caller sees to it.
func (s *Service) ServerSettings() *SettingsInForce {
	f := s.settings.now.Load()
	edit, recall := seconds(f.limits.EditWithin), seconds(f.limits.RecallWithin)
	out := &SettingsInForce{
		Settings: ServerSettings{
			Name: &f.name, Guests: &f.guests, Registration: &f.registration, Retention: &f.retention,
			MessagesPerSecond: &f.limits.MessagesPerSecond, UploadBytes: &f.limits.UploadBytes, EditSeconds: &edit, RecallSeconds: &recall,
		},
		Changed: slices.Sorted(maps.Keys(f.kept.fields())),
		Fixed:   s.settings.start.Fixed,
	}
	if out.Changed == nil {
		out.Changed = []string{}
	}
	if out.Fixed == nil {
		out.Fixed = map[string]string{}
	}
	return out
}

// fields are the settings that are there, by name, as the audit says them.
func (in ServerSettings) fields() map[string]string {
	raw, err := json.Marshal(in)
	fields := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(raw, &fields)
	}
	if err != nil {
		panic(err) // of a struct of plain values
	}
	texts := map[string]string{}
	for name, value := range fields {
		texts[name] = strings.Trim(string(value), `"`)
	}
	return texts
}

// SettingsUpdate changes settings; what is nil stays as it is. Back names those that are to hold again as the server was
// started with them.
type SettingsUpdate struct {
	ServerSettings
	Back []string `json:"back,omitempty"`
}

// SetServerSettings changes settings, and the change holds at once; on other nodes it takes up to half a minute. Who asks
// has to be an administrator of the server: the caller sees to it.
func (s *Service) SetServerSettings(ctx context.Context, by *User, in SettingsUpdate) (*SettingsInForce, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if err := s.checkSettings(&in); err != nil {
		return nil, err
	}
	s.settings.changing.Lock()
	defer s.settings.changing.Unlock()
	err := s.store.ChangeSetting(ctx, serverSettingsName, func(before []byte) ([]byte, []*AuditEntry, error) {
		kept, err := parseSettings(before)
		if err != nil {
			return nil, nil, err
		}
		now := in.over(kept)
		after, err := json.Marshal(now)
		return after, s.settingEntries(by, kept.fields(), now.fields()), err
	})
	if err != nil {
		return nil, refusal(err, "change the server's settings")
	}
	err = s.store.View(ctx, func(r Reader) error { return s.settings.read(r) })
	s.allow()
	s.relay.change(changedSettings, "")
	return s.ServerSettings(), refusal(err, "read the server's settings")
}

// over is what was kept, with what in changes and without what it gives back.
func (in *SettingsUpdate) over(kept ServerSettings) ServerSettings {
	for _, name := range in.Back {
		switch name {
		case SettingName:
			kept.Name = nil
		case SettingGuests:
			kept.Guests = nil
		case SettingRegistration:
			kept.Registration = nil
		case SettingRetention:
			kept.Retention = nil
		case SettingMessages:
			kept.MessagesPerSecond = nil
		case SettingUpload:
			kept.UploadBytes = nil
		case SettingEdit:
			kept.EditSeconds = nil
		case SettingRecall:
			kept.RecallSeconds = nil
		}
	}
	kept.Name = orKept(in.Name, kept.Name)
	kept.Guests = orKept(in.Guests, kept.Guests)
	kept.Registration = orKept(in.Registration, kept.Registration)
	kept.Retention = orKept(in.Retention, kept.Retention)
	kept.MessagesPerSecond = orKept(in.MessagesPerSecond, kept.MessagesPerSecond)
	kept.UploadBytes = orKept(in.UploadBytes, kept.UploadBytes)
	kept.EditSeconds = orKept(in.EditSeconds, kept.EditSeconds)
	kept.RecallSeconds = orKept(in.RecallSeconds, kept.RecallSeconds)
	return kept
}

func orKept[T any](p, kept *T) *T {
	if p != nil {
		return p
	}
	return kept
}

// settingEntries are what the audit says of a change: a line for each setting.
func (s *Service) settingEntries(by *User, before, after map[string]string) (entries []*AuditEntry) {
	note := func(value string) {
		entries = append(entries, &AuditEntry{At: s.now(), Act: AuditSetting, By: by.ID, Value: value})
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if old, was := before[name]; !was || old != after[name] {
			note(name + "=" + after[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, is := after[name]; !is {
			note(name)
		}
	}
	return entries
}

// AuditSetting is what the audit calls a changed setting; its value is name=value, or the name of one that was given back.
const AuditSetting = "setting"

// checkSettings refuses what cannot be, and what the start fixed.
func (s *Service) checkSettings(in *SettingsUpdate) error {
	for _, name := range slices.Sorted(maps.Keys(in.fields())) {
		if why, fixed := s.settings.start.Fixed[name]; fixed {
			return refuseFixed(name, why)
		}
	}
	if in.Name != nil {
		name := strings.TrimSpace(*in.Name)
		in.Name = &name
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return refuseSetting(SettingName)
		}
		if err := checkText(name, maxServerName); err != nil {
			return err
		}
	}
	between := func(n *int, most int) bool { return n == nil || *n >= 0 && *n <= most }
	switch {
	case in.Guests != nil && !slices.Contains([]GuestPolicy{GuestsOpen, GuestsJoin, GuestsOff}, *in.Guests):
		return refuseSetting(SettingGuests)
	case in.Registration != nil && !slices.Contains([]Registration{RegistrationOpen, RegistrationInvite, RegistrationOff}, *in.Registration):
		return refuseSetting(SettingRegistration)
	case !between(in.Retention, maxKeepDays):
		return refuseSetting(SettingRetention)
	case in.MessagesPerSecond != nil && !(*in.MessagesPerSecond >= 0 && *in.MessagesPerSecond <= maxSettingLimit):
		return refuseSetting(SettingMessages)
	case in.UploadBytes != nil && (*in.UploadBytes < 0 || *in.UploadBytes > maxSettingLimit*1e6):
		return refuseSetting(SettingUpload)
	case !between(in.EditSeconds, maxWithin):
		return refuseSetting(SettingEdit)
	case !between(in.RecallSeconds, maxWithin):
		return refuseSetting(SettingRecall)
	}
	for _, name := range in.Back {
		if _, known := settingNames[name]; !known {
			return refuseSetting(name)
		}
	}
	return nil
}

var settingNames = map[string]struct{}{
	SettingName: {}, SettingGuests: {}, SettingRegistration: {}, SettingRetention: {}, SettingMessages: {}, SettingUpload: {}, SettingEdit: {},
	SettingRecall: {},
}
