package main

// redisGuards are those of package socketio/redisadapter: what others publish in Redis, and what Redis itself does.
var redisGuards = []mutant{
	{"socketio/redisadapter/adapter.go", `if len(m.payload) > a.cfg.MaxMessage {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/adapter.go", `if len(c.Rooms)+len(c.Except)+len(c.Joins) > a.cfg.MaxRooms {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/adapter.go", `if !strings.HasPrefix(c.ID, string(a.self)+".") {`, `if false {`, "TestAnswersToOthersAreNotHeard"},
	{"socketio/redisadapter/adapter.go", `case trusted || a.allow(c):`, `case trusted || a.allow(c) || true:`, "TestOthersActOnlyWhereTheyMay"},
	{"socketio/redisadapter/adapter.go", `c.Joins = only(c.Joins)`, ``, "TestOthersActOnlyWhereTheyMay"},
	{"socketio/redisadapter/adapter.go", `c.Rooms = []socketio.Room{nobody}`, ``, "TestRoomsThatAreNotOpenAreEmptyForWhoAsks"},
	{"socketio/redisadapter/adapter.go", `case a.cfg.BroadcastsOnly && `, `case false && `, "TestWhoTakesBroadcastsAloneDoesNothingElse"},
	{"internal/gateway/bridge.go", `, b.ours[c.Event]:`, `:`, "TestABridgeTakesNothingThatIsNotTheirs"},
	{"internal/gateway/bridge.go", `case strings.HasPrefix(string(c.From), ourServers):`, `case strings.HasPrefix("", ourServers):`, "TestABridgeTakesNothingThatIsNotTheirs"},
	{"socketio/redisadapter/classic.go", `if len(message) < 3 {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/classic.go", `if place != c.Namespace && !strings.HasPrefix(place, c.Namespace+"#") {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/classic.go", `if len(room) == socketIDSize {`, `if false {`, "TestChannelPatternTakesIDsOnly"},
	{"socketio/redisadapter/classic.go", `escapeGlob(w.broadcasts(namespace))`, `w.broadcasts(namespace)`, "TestChannelPatternTakesIDsOnly"},
	{"socketio/redisadapter/sharded.go", `case !strings.HasPrefix(channel, w.census(m.Namespace)):`, `case !strings.HasPrefix(channel, ""):`, "TestWhatNobodyShouldSendIsCountedAndDroppedSharded"},
	{"socketio/redisadapter/sharded.go", `case m.Data == nil:`, `case false:`, "TestWhatNobodyShouldSendIsCountedAndDroppedSharded"},
	{"socketio/redisadapter/sharded.go", `if in.Count == nil {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDroppedSharded"},
	{"socketio/redisadapter/wire.go", `if p == nil || p.Type != packetEvent && p.Type != packetBinaryEvent {`, `if p == nil {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/wire.go", `if o == nil {`, `if false {`, "TestWhatNobodyShouldSendIsCountedAndDropped"},
	{"socketio/redisadapter/secret.go", `unsigned == nil || !hmac.Equal(s, signature(secret, channel, unsigned))`, `unsigned == nil || !hmac.Equal(s, s)`, "TestOnlyWhoKnowsTheSecretIsTrusted"},
	{"socketio/redisadapter/secret.go", `mac.Write([]byte(channel))`, ``, "TestOnlyWhoKnowsTheSecretIsTrusted"},
	{"socketio/redisadapter/queue.go", `n >= q.maxCount || `, ``, "TestPublishDoesNotBlockWithoutRedis"},
	{"socketio/redisadapter/queue.go", ` || q.bytes+m.size() > q.maxBytes`, ``, "TestWhatWaitsIsBoundedInBytes"},
	{"socketio/redisadapter/listener.go", `		l.change(s, d, true)
	}
}`, `	}
}`, "TestEverythingIsHeardAgainWhenRedisComesBackEmpty"},
	{"socketio/redisadapter/listener.go", `d.have = false // from now on it is not sure`, ``, "TestRoomThatIsJoinedWhileItIsLeftIsHeard"},
	{"socketio/remote.go", `sockets[i].Handshake.Headers, sockets[i].Handshake.Auth = map[string]string{}, []byte("{}")`, `_ = i`, "TestHandshakesTellOthersNoSecrets"},
	{"socketio/interest.go", `if i.wanted(one) {`, `if false {`, "TestRoomIsUnwatchedWhenNobodyWantsIt"},
	{"socketio/watch.go", `w.told = wanted && again // who joins while Unwatch runs waits for the Watch behind it`, `_ = again`, "TestJoinWaitsForAWatchBehindAnUnwatch"},
}
