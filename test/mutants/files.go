package main

// fileGuards are those of uploads, downloads and the door of HTTP.
var fileGuards = []mutant{
	// What comes in.
	{"internal/files/keep.go", `io.LimitReader(body, limit+1)`, `body`, "TestAnEndlessBodyIsCut"},
	{"internal/files/keep.go", `if limit > 0 && n > limit {`, `if false {`, "TestWhatIsRefusedOrAbortedLeavesNothing"},
	{"internal/files/keep.go", `s.pixels > 0 && h.pixels() > s.pixels`, `false`, "TestPictureThatPromisesTooMuchIsNotDecoded"},
	{"internal/files/keep.go", `c.Type = anything`, ``, "TestTheBytesSayWhatAFileIs"},
	{"internal/files/keep.go", `c.Size, err = bare(c.Type, f, c.Size)`, `_ = bare`, "TestWhatAPhotographTellsIsNotKept"},
	{"internal/files/bare_kinds.go", `return bytes.HasPrefix(name, []byte("ICC_PROFILE\x00"))`, `return true`, "TestWhatAPhotographTellsIsNotKept"},
	{"internal/files/bare_kinds.go", `case s.marker == markerComment:`, `case false:`, "TestWhatAPhotographTellsIsNotKept"},
	{"internal/files/bare_kinds.go", `if needed || slices.Contains(pngShows, kind) {`, `if _ = needed; true {`, "TestWhatAPNGTellsIsNotKept"},
	{"internal/files/picture.go", `if h.pixels() > maxDrawn {`, `if false {`, "TestPictureThatPromisesTooMuchIsNotDecoded"},
	{"internal/files/picture.go", `side.upright(scale(p, b, width, height))`, `scale(p, b, width, height)`, "TestPicturesAreShownUpright"},
	{"internal/files/turns.go", `make(chan struct{}, decoders)`, `make(chan struct{}, 1<<10)`, "TestFewPicturesAreDecodedAtTheSameTime"},
	{"internal/files/turns.go", `if pixels < manyPixels {`, `if true {`, "TestFewPicturesAreDecodedAtTheSameTime"},
	{"internal/files/store.go", `err = context.Cause(ctx) // who asked may have given up`, ``, "TestWhoGivesUpWaitingLeavesNothing"},
	{"internal/files/store.go", `return noSpace(errors.Join(err, s.remove(draft)))`, `return noSpace(err)`, "TestAFullDiskIsSaidAndLeavesNothing"},
	{"internal/files/store.go", `errors.Is(err, syscall.ENOSPC)`, `false`, "TestAFullDiskIsSaidAndLeavesNothing"},
	{"internal/files/store.go", `dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f')`, `dash && c == 'x'`, "TestNoIDLeadsOutOfTheFolder"},
	{"internal/files/store.go", `if time.Since(written) < stale {`, `if true {`, "TestACrashLeavesNoHalfFile"},

	// Whose it is, and how much.
	{"internal/chat/files.go", `case u.By != by.ID:`, `case false:`, "TestAMessageCarriesTheSendersUploads|TestAvatarsAreMadeOfOnesOwnPictures"},
	{"internal/chat/files.go", ` || use.Seq < firstSeq(g, m)`, ``, "TestFilesAreSeenByThoseWhoSeeTheMessage"},
	{"internal/chat/uploads.go", `size > limit {`, `false && size > limit {`, "TestUploadsAreBounded"},
	{"internal/chat/uploads.go", `case ownLimit > 0 && own+size > ownLimit:`, `case ownLimit > 0 && own+size > ownLimit && false:`, "TestAQuotaIsAskedBeforeTheBodyIsRead"},
	{"internal/chat/uploads.go", `own = max(1, own/guestShare)`, ``, "TestUploadsAreBounded"},
	{"internal/chat/uploads.go", `if a.byUser[u] >= uploadsPerUser {`, `if false {`, "TestOneUserDoesNotTakeAllPlaces"},
	{"internal/chat/uploads.go", `again.Hash != before.Hash || `, ``, "TestAnUploadIsKeptOnceHoweverOftenItIsSent"},
	{"internal/chat/uploads.go", `s.incoming.Take(by.ID); wait > 0`, `s.incoming.Take(by.ID); false && wait > 0`, "TestFilesAreNotMadeWithoutEnd"},
	{"internal/chat/uploads.go", `s.pictures.Take(by.ID); wait > 0`, `s.pictures.Take(by.ID); false && wait > 0`, "TestFilesAreNotMadeWithoutEnd"},
	{"internal/names/file.go", `}, clean(name))`, `}, name)`, "TestFileNamesAreSafeEverywhere"},
	{"internal/names/file.go", `at >= 0`, `false`, "TestFileNamesAreSafeEverywhere"},

	// What goes out.
	{"internal/rest/files.go", `if inline[f.Type] {`, `if true {`, "TestUploadsNeverRun"},
	{"internal/rest/files.go", `h.Set("Content-Security-Policy", sandboxed)`, ``, "TestUploadsNeverRun"},
	{"internal/rest/files.go", `h.Set("Cross-Origin-Resource-Policy", "same-origin")`, ``, "TestUploadsNeverRun"},
	{"internal/rest/files.go", `r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%'`, `r < ' '`, "TestNamesOfFilesCannotBreakOutOfTheirHeader"},
	{"internal/rest/pace.go", `SetWriteDeadline(time.Now().Add(patience))`, `SetWriteDeadline(time.Time{})`, "TestStalledDownloadsEndAndSlowOnesDoNot"},
	{"internal/rest/files.go", `SetReadDeadline(p.began.Add(timeFor(p.came)))`, `SetReadDeadline(time.Time{})`, "TestSlowUploadsAreCut"},

	// Who may ask.
	{"internal/rest/caller.go", `c.given.Bearer == "" && !s.Own(c.request)`, `false`, "TestEveryOperationKeepsTheRulesOfTheHouse|TestOtherSitesCanNeitherChangeNorRead"},
	{"internal/rest/caller.go", `err = c.Identity.May(auth.ScopeRead)`, ``, "TestABotsTokenSaysWhatItMayDo"},
	{"internal/rest/api.go", `if deeperThan(data, maxDepth) {`, `if false {`, "TestEveryOperationKeepsTheRulesOfTheHouse"},
	{"internal/rest/api.go", `takesJSON(ctx.Operation()) && !isJSON(x.r)`, `false`, "TestEveryOperationKeepsTheRulesOfTheHouse"},
	{"internal/rest/guard.go", `if !g.Host(r.Host) {`, `if false {`, "TestEveryRouteHasTheSecurityHeaders"},
}
