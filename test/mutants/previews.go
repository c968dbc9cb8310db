package main

// previewGuards stand between this server and the pages that anybody may name.
var previewGuards = []mutant{
	{"internal/push/dial.go", `!d.Web && target.Port() >= 1024`, `target.Port() >= 1024`, "TestPreviewsReachPublicWebPagesAlone"},
	{"internal/push/page.go", `len(before) > maxRedirects || `, ``, "TestRedirectsLeadToPublicWebPagesAlone"},
	{"internal/push/page.go", ` || !chat.IsWebAddress(next.URL)`, ``, "TestRedirectsLeadToPublicWebPagesAlone"},
	{"internal/push/page.go", `next.Header.Del("Referer")`, ``, "TestNothingIsToldOfWhoAsks"},
	{"internal/push/page.go", `limit = maxPage`, ``, "TestNoMoreIsReadThanIsLookedAt"},
	{"internal/push/page.go", `Timeout: pageTime,`, ``, "TestWhoDripsIsNotWaitedFor"},
	{"internal/push/page.go", `text[:min(len(text), maxWords)]`, `text`, "TestHostileHTMLIsHarmless"},
	{"internal/push/previews.go", `if ctx.Err() != nil {
		return // broken off`, `if false {
		return // broken off`, "TestWhatIsBrokenOffIsNotSettled"},
	{"internal/chat/previews.go", ` || s.links.Take(by.ID) > 0`, ``, "TestLinksAreLookedAtWithinBounds"},
	{"internal/chat/previews.go", `if err != nil || sought != l.URL {`, `if err != nil || sought == "" {`, "TestAPreviewFollowsItsLink|TestTheAuthorTakesAPreviewOff"},
	{"internal/chat/previews.go", `l.Tries <= maxLinkTries && `, ``, "TestALinkThatNobodyGetsToTheEndOfIsGivenUp"},
	{"internal/chat/previews.go", `Title: names.Line(page.Title, maxTitle)`, `Title: page.Title`, "TestStrangersWordsAreCleanedAndCut"},
	{"internal/files/keep.go", `drawn, err := s.draw(ctx, kind, of, header, within(previewSide))`, `drawn, err := io.ReadAll(of)`, "TestAPictureIsKeptAsASmallOneAlone"},
}
