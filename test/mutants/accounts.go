package main

// accountGuards keep people's accounts their own.
var accountGuards = []mutant{
	{
		file:    "internal/auth/signin.go",
		guard:   "if wait := s.byAddress.Take(address); wait > 0 {",
		without: "if wait := s.byAddress.Take(address); wait < 0 {",
		tests:   "TestAnAddressTriesOnlySoOften",
	},
	{
		file:    "internal/auth/signin.go",
		guard:   "if wait := s.byAccount.Take(name); wait > 0 {",
		without: "if wait := s.byAccount.Take(name); wait < 0 {",
		tests:   "TestAnAccountIsTriedOnlySoOften",
	},
	{
		file:    "internal/auth/signin.go",
		guard:   "if !right || account.Disabled {",
		without: "if !right {",
		tests:   "TestADisabledMemberCannotSignInThoughThePasswordIsRight|TestUnknownWrongAndDisabledAreAlike",
	},
	{
		file:    "internal/auth/passwords.go",
		guard:   "hash = p.nobody\n",
		without: "return false, nil\n",
		tests:   "TestUnknownWrongAndDisabledAreAlike",
	},
	{
		file:    "internal/auth/passwords.go",
		guard:   "if p.waiting >= maxHashing {",
		without: "if p.waiting < 0 {",
		tests:   "TestOnlyAFewPasswordsAreHashedAtOnce",
	},
	{
		file:    "internal/auth/passwords.go",
		guard:   "max(1, runtime.GOMAXPROCS(0)/2)",
		without: "max(1, runtime.GOMAXPROCS(0)*100)",
		tests:   "TestOnlyAFewPasswordsAreHashedAtOnce",
	},
	{
		file:    "internal/auth/accounts.go",
		guard:   "if wait := s.registering.Take(Household(remote)); wait > 0 {",
		without: "if wait := s.registering.Take(Household(remote)); wait < 0 {",
		tests:   "TestOnlySoManyAccountsAreMadeFromAnAddress",
	},
	{
		file:    "internal/auth/accounts.go",
		guard:   "account, err := s.confirm(ctx, who, current, remote)",
		without: "account, err := s.AccountOf(ctx, who.User.ID)",
		tests:   "TestChangingThePasswordAsksForItAndEndsOtherSessions",
	},
	{
		file:    "internal/auth/members.go",
		guard:   "case account.Disabled, !s.now().Before(session.ExpiresAt):",
		without: "case !s.now().Before(session.ExpiresAt):",
		tests:   "TestDisabledAccountsAreOut",
	},
	{
		file:    "internal/auth/members.go",
		guard:   "case account.Disabled, !s.now().Before(session.ExpiresAt):",
		without: "case account.Disabled:",
		tests:   "TestASessionLives90DaysFromItsLastUse",
	},
	{
		file:    "internal/auth/guests.go",
		guard:   "case account.Disabled, !account.User.Guest, account.TokenVersion != version:",
		without: "case account.Disabled, account.TokenVersion != version:",
		tests:   "TestAGuestWhoBecameAMemberHasNoGuestTokenAnyMore",
	},
	{
		file:    "internal/auth/bots.go",
		guard:   "if i == nil || !i.Bot() || slices.Contains(i.scopes, scope) {",
		without: "if i == nil || scope != \"\" || slices.Contains(i.scopes, scope) {",
		tests:   "TestABotIsWhoItsTokenSaysAndMayWhatItSays",
	},
	{
		file:    "internal/auth/tickets.go",
		guard:   "if account.Disabled {\n\t\treturn nil, \"\", refuseTicket()",
		without: "if ctx == nil {\n\t\treturn nil, \"\", refuseTicket()",
		tests:   "TestAHandoffOfWhoIsKeptOutIsNoGood",
	},
	{
		file:    "internal/rest/caller.go",
		guard:   "case r.Who == administrators && (!c.Identity.Admin || c.User.Guest || c.User.Bot):",
		without: "case r.Who == administrators && c.Identity == nil:",
		tests:   "TestAdministratorsLookAfterAccounts",
	},
	{
		file:    "internal/rest/caller.go",
		guard:   "return c.Identity.May(r.scope())",
		without: "return nil",
		tests:   "TestABotsTokenSaysWhatItMayDo",
	},
	{
		file:    "internal/rest/registration.go",
		guard:   "case registration != chat.RegistrationOpen:",
		without: "case registration == \"nobody\":",
		tests:   "TestWhoMayRegisterIsASetting",
	},
	{
		file:    "internal/rest/me.go",
		guard:   "if err := s.Auth.Confirm(ctx, c.Identity, in.Body.Password, c.request.RemoteAddr); err != nil {",
		without: "if err := ctx.Err(); err != nil {",
		tests:   "TestADeletedAccountIsGone",
	},
	{
		file:    "internal/chat/enter.go",
		guard:   "case e.who.Bot:",
		without: "case e.who.Bot && e.who.Guest:",
		tests:   "TestABotEntersWhereAnAdminAddsIt",
	},
	{
		file:    "internal/chat/bots.go",
		guard:   "case mine.Role == RoleMember:",
		without: "case mine.Role == \"\":",
		tests:   "TestABotEntersWhereAnAdminAddsIt",
	},
	{
		file:    "internal/chat/accounts.go",
		guard:   "if !row.Guest {",
		without: "if row.ID == \"\" {",
		tests:   "TestAGuestWhoRegistersKeepsEverything",
	},
}
