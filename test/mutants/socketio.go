package main

// socketGuards are those of package socketio. Not among them are some behind which another guard stands, so that nothing
// changes without them: an attachment count without its dash (what follows is no payload), a packet without a type, or with
// text, for the msgpack parser (neither begins like a packet), lengths in MessagePack that exceed the message (take says so
// too), DISCONNECT with data (which is no CONNECT either), offsets of other servers (whose dot is no digit) and of the future
// (too far from the last), and the random fingerprint of who makes Identity panic (whose connection ends).
var socketGuards = []mutant{
	// Who is let in.
	{"socketio/conn.go", `func() { c.session.Close(errConnectTimeout) }`, `func() {}`, "TestClientThatJoinsNothingIsClosed"},
	{"socketio/conn.go", `case place != nil && place.socket != nil && place.socket.state.Load() != stateDisconnected:`, `case false:`, "TestSecondConnectWhileTheMiddlewareRunsClosesTheConnection"},
	{"socketio/conn.go", `case place == nil && !c.makeRoom():`, `case false:`, "TestNamespacesPerConnectionAreLimited"},
	{"socketio/conn.go", `case len(p.auth) > c.server.cfg.MaxAuthBytes:`, `case false:`, "TestCredentialsThatAreKeptAreSmall"},
	{"socketio/conn.go", `seat == nil || seat.cancel != nil`, `seat == nil`, "TestEventBeforeTheMiddlewareIsDoneClosesTheConnection"},
	{"socketio/conn.go", `func() { c.decide(s, errMiddlewareTimeout) }`, `func() {}`, "TestMiddlewareThatTakesTooLongIsATimeout"},
	{"socketio/conn.go", `case <-ctx.Done():`, `case <-context.Background().Done():`, "TestWhoFindsNoPlaceForItsMiddlewareIsRefusedInTime"},
	{"socketio/server.go", `make(chan struct{}, s.cfg.MaxConnecting)`, `make(chan struct{}, 1<<20)`, "TestMiddlewaresAreBounded"},
	{"socketio/family.go", `s.dynamic >= s.cfg.MaxDynamicNamespaces`, `false`, "TestNamespacesOfFamiliesAreLimited"},
	{"socketio/family.go", `n.claims > 0 || `, ``, "TestEmptyNamespacesOfFamiliesAreForgotten"},
	{"socketio/family.go", "delete(s.namespaces, n.name)", "", "TestEmptyNamespacesOfFamiliesAreForgotten"},
	{"socketio/socket.go", `rand.Read(b[:])`, `rand.Read(b[:3])`, "TestIDsAndSecretsCannotBeGuessed"},

	{"socketio/server.go", `SetWriteDeadline(time.Now().Add(fileTimeout))`, `SetWriteDeadline(time.Time{})`, "TestPeerThatNeverReadsTheBundleIsCut"},

	// What the application brought may panic.
	{"socketio/conn.go", `if v := recover(); v != nil {`, `if v := any(nil); v != nil {`, "TestPanicClosesOnlyThatConnection"},
	{"socketio/serverside.go", `if v := recover(); v != nil {`, `if v := any(nil); v != nil {`, "TestServersTalkToEachOther"},

	// Packets that are none.
	{"socketio/packet.go", `if len(text) == 0 {`, `if false {`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `len(p.namespace) > maxNamespaceName`, `false`, "TestNamespaceNamesAreLimited"},
	{"socketio/packet.go", ` || len(digits) > 4`, ``, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `d < '0' || d > '9'`, `false`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `n < 1 || `, ``, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", ` || n > limit`, ``, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `digits > maxAckDigits`, `false`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `if len(payload) > 0 {`, `if false {`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `return checkObject(payload)`, `return checkJSON(payload)`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `return errPacketType`, `return nil`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `if len(values) == 0 {`, `if false {`, "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", "default:\n\t\treturn errEventName", "default:", "TestBrokenPacketsAreRefused"},
	{"socketio/packet.go", `if reserved(string(p.event)) {`, `if false {`, "TestBrokenPacketsAreRefused"},
	{"socketio/json.go", `!json.Valid(data) || `, ``, "TestBrokenPacketsAreRefused"},
	{"socketio/json.go", ` || !utf8.Valid(data)`, ` || false && !utf8.Valid(data)`, "TestBrokenPacketsAreRefused"},
	{"socketio/json.go", `depth > maxDepth`, `false`, "TestNestingIsLimited"},
	{"socketio/json.go", `len(values) == maxValues`, `false`, "TestNumberOfArgumentsIsLimited"},
	{"socketio/json.go", `if data[0] != '[' {`, `if false {`, "TestBrokenPacketsAreRefused"},
	{"socketio/conn.go", `if s == nil || !s.Connected() {`, `if s == nil {`, "TestDisconnectOvertakenByTheClient|TestEventsBehindADisconnectInTheSamePayloadAreDropped"},

	// Attachments.
	{"socketio/conn.go", `case m.Binary && c.partial == nil:`, `case false:`, "TestAttachmentGamesCloseTheConnection"},
	{"socketio/conn.go", `case c.partial != nil:`, `case false:`, "TestAttachmentGamesCloseTheConnection"},
	{"socketio/conn.go", `if err := p.expect(); err != nil {`, `if err := p.expect(); false && err != nil {`, "TestAttachmentGamesCloseTheConnection"},
	{"socketio/conn.go", `c.session.Close(broken("attachments took too long"))`, ``, "TestAnnouncedAttachmentsCostNothing"},
	{"socketio/conn.go", "\tp.timer.Stop()", "", "TestCompletePacketsHaveNoDeadline"},
	{"socketio/packet.go", `p.size > maxBytes`, `false`, "TestAttachmentsAreLimitedInBytes"},
	{"socketio/json.go", `if err != nil || int(n)`, `if err != nil && false || int(n)`, "TestBrokenPacketsAreRefused"},
	{"socketio/json.go", ` || int(n) >= len(f.named)`, ``, "TestBrokenPacketsAreRefused"},
	{"socketio/json.go", ` || f.named[n] {`, ` {`, "TestBrokenPacketsAreRefused|TestAttachmentGamesCloseTheConnection"},

	// MessagePack.
	{"socketio/unpack.go", ` || len(u.in) != u.at`, ``, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", ` || p.namespace[0] != '/'`, ``, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `len(p.namespace) > maxNamespaceName`, `false`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `u.limit = 0`, ``, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `case u.out[0] != '{':`, `case false:`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `count > maxValues`, `false`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `n < 0 || n > len(u.in)-u.at`, `false`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `if depth > maxDepth {`, `if false {`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `!utf8.Valid(s)`, `!utf8.Valid(s) && false`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `!ok || n >= 1e18`, `!ok`, "TestBrokenMsgpackIsRefused"},
	{"socketio/unpack.go", `len(u.data) >= u.limit`, `false`, "TestBrokenMsgpackIsRefused"},

	// Rooms, events and acks.
	{"socketio/socket.go", `if !isRoomName(name) {`, `if false && !isRoomName(name) {`, "TestFloodOfJoinsIsBounded|TestJoinRefusesWhatCannotBe"},
	{"socketio/socket.go", `int(s.roomCount.Add(int32(len(rooms)))) > s.namespace.server.cfg.MaxRooms`, `s.roomCount.Add(int32(len(rooms))) < 0`, "TestFloodOfJoinsIsBounded"},
	{"socketio/broadcast.go", `return !isRoomName(name)`, `return false`, "TestFloodOfJoinsIsBounded"},
	{"socketio/broadcast.go", `int(s.roomCount.Add(1)) > s.namespace.server.cfg.MaxRooms`, `s.roomCount.Add(1) < 0`, "TestTargetsCanBeMovedAndDisconnected|TestJoinRefusesWhatCannotBe"},
	{"socketio/rooms.go", `return name != everyone && `, `return `, "TestJoinRefusesWhatCannotBe"},
	{"socketio/ack.go", `len(s.acks) >= s.namespace.server.cfg.MaxPendingAcks`, `false`, "TestPendingAcksAreLimited"},
	{"socketio/ack.go", `if inTurnOf(ctx, s.conn) {`, `if false {`, "TestWaitingForTheOwnConnectionInAHandlerFailsAtOnce"},
	{"socketio/ack.go", `delete(s.acks, id); len(s.acks) == 0`, `len(s.acks) == 0`, "TestServerGetsAcks|TestFloodOfAcksIsIgnored"},
	{"socketio/event.go", `if e.acked.Swap(true) {`, `if false {`, "TestEventIsAcknowledgedOnce"},
	{"socketio/encode.go", `if !json.Valid(value) {`, `if false {`, "TestValuesThatCannotBeSentAreErrors"},
	{"socketio/encode.go", `if len(e.data) > maxAttachments {`, `if false {`, "TestValuesThatCannotBeSentAreErrors"},
	{"socketio/encode.go", `if reserved(event) {`, `if false {`, "TestValuesThatCannotBeSentAreErrors"},

	// Who comes back.
	{"socketio/recovery.go", `old != nil && old.ticket().identity == identity`, `old != nil`, "TestRecoveryIsBoundToTheUser"},
	{"socketio/recovery.go", `k.identity != identity || `, ``, "TestRecoveryIsBoundToTheUser"},
	{"socketio/recovery.go", ` || time.Since(k.at) > r.cfg.MaxDisconnection`, ``, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", "r.drop(k)\n\treturn k", "return k", "TestSessionIsTakenUpOnce"},
	{"socketio/recovery.go", "s.Close(errSuperseded)", "", "TestHalfOpenConnectionIsClosedWhenItsClientComesBack"},
	{"socketio/recovery.go", `len(r.kept) > r.cfg.MaxSessions || `, ``, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", ` || r.keptRooms > r.cfg.MaxSessions*roomsPerSession`, ``, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", `len(r.records)-drop <= r.cfg.MaxEvents && `, ``, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", `r.bytes <= r.cfg.MaxBytes && `, ``, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", `return packets, size <= limit/2`, `return packets, limit > 0`, "TestWhoCannotComeBackIsNew"},
	{"socketio/recovery.go", ` || last-from > uint64(len(r.records))`, ``, "TestWhoCannotComeBackIsNew"},

	// Other servers.
	{"socketio/requests.go", ` || len(e.queue) >= maxErrands`, ``, "TestErrandsOfOtherServersAreBounded"},
	{"socketio/requests.go", ` && !answered[c.From]`, ``, "TestServerAnswersOnce"},
	{"socketio/question.go", ` && !counted[c.From]`, ``, "TestServerAnswersOnce"},
}
