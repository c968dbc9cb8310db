// Package storetest holds what every store must do: a store that passes Run may stand under the chat.
package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"qun/internal/auth"
	"qun/internal/chat"
)

// Store is what is tested.
type Store interface {
	chat.Store
	auth.Store
	io.Closer

	// SettleIndex waits until everything written so far is in the search index.
	SettleIndex(context.Context) error
}

// Open opens the data at a place: a folder of the test's own, or whatever the store makes of that name. What was
// written at a place is there when it is opened again.
type Open func(t *testing.T, place string) Store

// Run runs the suite against what open opens.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"NumbersAreDense", testNumbersAreDense},
		{"ConcurrentSendersShareOneOrder", testConcurrentSendersShareOneOrder},
		{"DuplicateIsAnsweredWithTheRow", testDuplicateIsAnsweredWithTheRow},
		{"ConcurrentDuplicatesMakeOneMessage", testConcurrentDuplicatesMakeOneMessage},
		{"DuplicateOfTheRemovedIsAnswered", testDuplicateOfTheRemovedIsAnswered},
		{"NumbersOfAUserAreToldInOrder", testNumbersOfAUserAreToldInOrder},
		{"RefusalLeavesTheOthersOfItsBatch", testRefusalLeavesTheOthersOfItsBatch},
		{"RefusedChangeLeavesNothing", testRefusedChangeLeavesNothing},
		{"GuestBecomesMemberWithItsFirstMessage", testGuestBecomesMemberWithItsFirstMessage},
		{"ReplyNeedsItsMessage", testReplyNeedsItsMessage},
		{"MessageCarriesMentionsAndFiles", testMessageCarriesMentionsAndFiles},
		{"UploadsAreFoundAgain", testUploadsAreFoundAgain},
		{"UploadsCountAgainstQuotas", testUploadsCountAgainstQuotas},
		{"FilesAreSeenWhereTheyWereSent", testFilesAreSeenWhereTheyWereSent},
		{"IdleFilesAreForgotten", testIdleFilesAreForgotten},
		{"AvatarsInUseAreListed", testAvatarsInUseAreListed},
		{"LinksAreLentOnceAtATime", testLinksAreLentOnceAtATime},
		{"PreviewsAreRowsOfTheirMessages", testPreviewsAreRowsOfTheirMessages},
		{"MentionsEqualANaiveCount", testMentionsEqualANaiveCount},
		{"AMentionIsToldToMembersAlone", testAMentionIsToldToMembersAlone},
		{"ReactionsAreASetInOrder", testReactionsAreASetInOrder},
		{"PinnedComeLatestFirst", testPinnedComeLatestFirst},
		{"HistoryBeginsWithTheMembership", testHistoryBeginsWithTheMembership},
		{"NamesInAGroupHaveOwners", testNamesInAGroupHaveOwners},
		{"SpeaksUnderTheNameInTheGroup", testSpeaksUnderTheNameInTheGroup},
		{"TheRollHasEverybodyOnce", testTheRollHasEverybodyOnce},
		{"SlowModeCountsFromTheLastMessage", testSlowModeCountsFromTheLastMessage},
		{"ReopenedStoreIsAsBefore", testReopenedStoreIsAsBefore},
		{"PagesAreRangesOfSeq", testPagesAreRangesOfSeq},
		{"RowsAfterARevComeOnceInOrder", testRowsAfterARevComeOnceInOrder},
		{"UnreadEqualsANaiveCount", testUnreadEqualsANaiveCount},
		{"CursorsNeverGoBack", testCursorsNeverGoBack},
		{"MembershipThatEndsAndBeginsAgainHasReadAll", testMembershipThatEndsAndBeginsAgainHasReadAll},
		{"ViewIsOfOneMoment", testViewIsOfOneMoment},
		{"RoomIsMadeOnce", testRoomIsMadeOnce},
		{"SilentRoomsAreDropped", testSilentRoomsAreDropped},
		{"NamesOfMembersAreTheirs", testNamesOfMembersAreTheirs},
		{"BelongingsAndLastMessages", testBelongingsAndLastMessages},
		{"ManyAreReadAsOneByOne", testManyAreReadAsOneByOne},
		{"WhatIsNotThereIsNotFound", testWhatIsNotThereIsNotFound},
		{"CancelledWriteIsStoredOrRefused", testCancelledWriteIsStoredOrRefused},
		{"SearchFindsWords", testSearchFindsWords},
		{"SearchFollowsChanges", testSearchFollowsChanges},
		{"RecalledIsNeverFound", testRecalledIsNeverFound},
		{"SearchStaysInItsBounds", testSearchStaysInItsBounds},
		{"PagesOfManyGroupsMeet", testPagesOfManyGroupsMeet},
		{"SearchAgreesWithReading", testSearchAgreesWithReading},
		{"ErasingIsBoundedByTheFloor", testErasingIsBoundedByTheFloor},
		{"GroupsThatKeepTooMuchAreFound", testGroupsThatKeepTooMuchAreFound},
		{"EverybodyAndTheirWordsAreListed", testEverybodyAndTheirWordsAreListed},
		{"ClosedStoreSaysSo", testClosedStoreSaysSo},
		{"UserChangesUnderItsOwnNumbers", testUserChangesUnderItsOwnNumbers},
		{"RenamedUserFreesItsNameAndTakesNoOthers", testRenamedUserFreesItsNameAndTakesNoOthers},
		{"GuestBecomesMemberAndStaysTheSame", testGuestBecomesMemberAndStaysTheSame},
		{"OfTwoWhoWantANameOneGetsIt", testOfTwoWhoWantANameOneGetsIt},
		{"MembersAreListedByRankThenName", testMembersAreListedByRankThenName},
		{"MembersAreFoundByAnyOfTheirNames", testMembersAreFoundByAnyOfTheirNames},
		{"GroupsAreFoundByThoseWhoMay", testGroupsAreFoundByThoseWhoMay},
		{"AddressBelongsToOneGroup", testAddressBelongsToOneGroup},
		{"AGroupIsMadeOnceUnderAClientID", testAGroupIsMadeOnceUnderAClientID},
		{"InvitesAreKept", testInvitesAreKept},
		{"JoinRequestsArePrivateAndCounted", testJoinRequestsArePrivateAndCounted},
		{"PairHasOneGroup", testPairHasOneGroup},
		{"BlocksBarBothAndAreToldToOne", testBlocksBarBothAndAreToldToOne},
		{"BlockAndPairMeet", testBlockAndPairMeet},
		{"AuditIsPagedBackwards", testAuditIsPagedBackwards},
		{"AnnouncementIsReadByThoseWhoAreIn", testAnnouncementIsReadByThoseWhoAreIn},
		{"StaffHeirsAndTheBanned", testStaffHeirsAndTheBanned},
		{"APasswordEndsOtherSessions", testAPasswordEndsOtherSessions},
		{"ThereIsAlwaysAnAdministrator", testThereIsAlwaysAnAdministrator},
		{"AccountsAreListedAndFound", testAccountsAreListedAndFound},
		{"ATicketIsUsedSoOften", testATicketIsUsedSoOften},
		{"ABotHasOneToken", testABotHasOneToken},
		{"GroupsThatHaveToBeToldAreRemembered", testGroupsThatHaveToBeToldAreRemembered},
		{"ADeletedUserLeavesNoWayIn", testADeletedUserLeavesNoWayIn},
		{"AUserIsOpenedOnceAndKeepsItsRow", testAUserIsOpenedOnceAndKeepsItsRow},
		{"MessagesOfOneAndWhoLeadsNext", testMessagesOfOneAndWhoLeadsNext},
		{"SettingsKeepTheFirstValue", testSettingsKeepTheFirstValue},
		{"SessionsLiveAndEnd", testSessionsLiveAndEnd},
		{"WebhooksAreKept", testWebhooksAreKept},
		{"WebhooksAreLentToOne", testWebhooksAreLentToOne},
		{"SettledWebhookHasComeSoFar", testSettledWebhookHasComeSoFar},
		{"EventsAfterAreEachMessageAndEachChange", testEventsAfterAreEachMessageAndEachChange},
		{"DevicesOfAbsentMembersAreFound", testDevicesOfAbsentMembersAreFound},
		{"DeviceEndsWithItsSession", testDeviceEndsWithItsSession},
		{"EndpointIsOneUsersDevice", testEndpointIsOneUsersDevice},
		{"CallsAreSettled", testCallsAreSettled},
		{"HeadsOfUsersAreTheirCounters", testHeadsOfUsersAreTheirCounters},
		{"NobodyElseHasWritten", testNobodyElseHasWritten},
		{"WhatIsDoneAloneIsDone", testWhatIsDoneAloneIsDone},
		{"ReportsAreKeptUntilResolved", testReportsAreKeptUntilResolved},
		{"SettingsAreKept", testSettingsAreKept},
		{"AdministratorsSeeWhatThereIs", testAdministratorsSeeWhatThereIs},
		{"FilesOfAGroupAreListed", testFilesOfAGroupAreListed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newWorld(t, open)) })
	}
}

// world is a store with somebody in it, and everything it announced.
type world struct {
	t     *testing.T
	ctx   context.Context
	open  Open
	place string
	store Store

	now chat.Time
	ids atomic.Int64

	mu     sync.Mutex // guards below
	events []chat.Event
}

func newWorld(t *testing.T, open Open) *world {
	w := &world{t: t, ctx: t.Context(), open: open, place: t.TempDir(), now: 1_700_000_000_000}
	w.start()
	t.Cleanup(func() { w.store.Close() })
	return w
}

func (w *world) start() {
	w.store = w.open(w.t, w.place)
	w.store.Hear(w.hear)
}

func (w *world) restart() {
	w.t.Helper()
	w.must(w.store.Close())
	w.start()
}

func (w *world) hear(events []chat.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, events...)
}

// heard are the events of a group, in the order they came.
func (w *world) heard(g chat.GroupID) []chat.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var events []chat.Event
	for _, e := range w.events {
		if e.Group == g {
			events = append(events, e)
		}
	}
	return events
}

// checkDense fails unless every counter's events came dense and in order.
func (w *world) checkDense() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	type counter struct {
		group chat.GroupID
		user  chat.UserID
	}
	last := map[counter]chat.Seq{}
	for _, e := range w.events {
		c := counter{e.Group, e.User}
		if before, ok := last[c]; ok && e.Number != before+1 {
			w.t.Errorf("counter %v: %d came after %d", c, e.Number, before)
		}
		last[c] = e.Number
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) id() string {
	return fmt.Sprintf("00000000-0000-7000-8000-%012d", w.ids.Add(1))
}

// member makes a user who may sign in.
func (w *world) member(name string) *chat.User {
	w.t.Helper()
	u := &chat.User{ID: chat.UserID(w.id()), NickName: name, Username: name, Presence: chat.PresenceOffline, CreatedAt: w.now}
	w.must(w.store.CreateUser(w.ctx, u, chat.Credentials{}, []string{name}))
	return u
}

// guest makes a guest, who is nowhere stored yet.
func (w *world) guest(name string) *chat.User {
	return &chat.User{ID: chat.UserID(w.id()), NickName: name, Guest: true, Presence: chat.PresenceOffline, CreatedAt: w.now}
}

// room makes an open group with these members.
func (w *world) room(name string, members ...*chat.User) chat.GroupID {
	w.t.Helper()
	g, made, err := w.store.OpenRoom(w.ctx, name, w.group(name), nil)
	w.must(err)
	if !made {
		w.t.Fatalf("room %s was there", name)
	}
	for _, u := range members {
		w.join(g.ID, u)
	}
	return g.ID
}

func (w *world) group(name string) *chat.Group {
	return &chat.Group{
		ID: chat.GroupID(w.id()), Room: name, Name: name, Kind: chat.KindGroup, Visibility: chat.VisibilityOpen,
		Joining: chat.JoiningOpen, History: chat.ExtentAll, CreatedAt: w.now,
	}
}

func (w *world) join(g chat.GroupID, u *chat.User) {
	w.t.Helper()
	w.put(g, u, chat.MemberActive)
}

// put gives u's membership a state.
func (w *world) put(g chat.GroupID, u *chat.User, state chat.MemberState) {
	w.t.Helper()
	w.must(w.store.Change(w.ctx, g, func(tx chat.GroupTx) error {
		m, err := tx.Membership(u.ID)
		if errors.Is(err, chat.ErrNotFound) {
			m, err = &chat.Membership{
				Member: chat.Member{UserID: u.ID, NickName: u.NickName, Username: u.Username, Role: chat.RoleMember,
					Guest: u.Guest, JoinedAt: w.now},
				Notify: chat.NotifyAll,
			}, nil
		}
		if err != nil {
			return err
		}
		m.State = state
		return tx.PutMembership(m)
	}))
}

// posting is a text of u, ready to be appended; clientID may be empty.
func (w *world) posting(g chat.GroupID, u *chat.User, text, clientID string) *chat.Posting {
	return &chat.Posting{
		Message: chat.Message{
			ID: chat.MessageID(w.id()), GroupID: g, UserID: u.ID, NickName: u.NickName, Guest: u.Guest,
			Kind: chat.MessageText, Text: text, ClientID: clientID, SentAt: w.now,
		},
		By: u, Hash: chat.RequestHash(sha(string(g) + "\x00" + text)), Entered: true, Guests: true,
	}
}

func sha(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:16]
}

// say appends a text that must be taken.
func (w *world) say(g chat.GroupID, u *chat.User, text string) *chat.Message {
	w.t.Helper()
	sent, err := w.store.AppendMessage(w.ctx, w.posting(g, u, text, ""))
	w.must(err)
	return sent.Message
}

func (w *world) view(read func(chat.Reader) error) {
	w.t.Helper()
	w.must(w.store.View(w.ctx, read))
}

func (w *world) groupRow(g chat.GroupID) (row *chat.Group) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { row, err = r.Group(g); return err })
	return row
}

func (w *world) membership(g chat.GroupID, u *chat.User) (m *chat.Membership) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { m, err = r.Membership(g, u.ID); return err })
	return m
}

// history is everything said in g, oldest first.
func (w *world) history(g chat.GroupID) (all []*chat.Message) {
	w.t.Helper()
	w.view(func(r chat.Reader) (err error) { all, err = r.Oldest(g, 0, 1<<30); return err })
	return all
}

func texts(messages []*chat.Message) []string {
	list := make([]string, len(messages))
	for i, m := range messages {
		list[i] = m.Text
	}
	return list
}

func seqs(messages []*chat.Message) []chat.Seq {
	list := make([]chat.Seq, len(messages))
	for i, m := range messages {
		list[i] = m.Seq
	}
	return list
}
