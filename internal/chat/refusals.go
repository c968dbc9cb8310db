package chat

import (
	"errors"
	"strconv"
	"time"
)

// The words of every refusal, in one place: what is wrong, and what to do.

func refuseGroup() *Error {
	return Refuse(CodeNotFound, "There is no such group, or it is not open to you. Check the address.",
		"没有这个群，或者你不能进入。请检查地址。")
}

func refuseUser() *Error {
	return Refuse(CodeNotFound, "There is no such user.", "没有这个用户。")
}

func refuseNotEntered() *Error {
	return Refuse(CodeNotInRoom, "You are not in this room. Enter it first.", "你还没有进入这个房间，请先进入。")
}

func refuseRemoved() *Error {
	return Refuse(CodeForbidden, "You were removed from this group. Ask one of its admins.", "你已被移出这个群，请联系群管理员。")
}

func refuseGuests() *Error {
	return Refuse(CodeForbidden, "Guests are not admitted here. Sign in first.", "这里不接待访客，请先登录。")
}

func refuseGuestRoom() *Error {
	return Refuse(CodeNotFound, "There is no such room, and guests cannot make one here. Check the name, or sign in.",
		"没有这个房间，访客不能新建。请检查名称，或先登录。")
}

func refuseInviteOnly() *Error {
	return Refuse(CodeForbidden, "This group takes members by invitation or approval only. Ask one of its admins.",
		"这个群需要邀请或审批才能加入，请联系群管理员。")
}

func refuseFull() *Error {
	return Refuse(CodeForbidden, "This group is full.", "这个群已满员。")
}

func refuseTooManyGroups(limit int) *Error {
	return refusef(CodeForbidden, "You are in %d groups, as many as one may be. Leave one first.", "你已加入 %d 个群，达到上限，请先退出一个。", limit)
}

func refuseRole() *Error {
	return Refuse(CodeForbidden, "Your role in this group does not allow that. Ask its owner or an admin.", "你在本群的身份不能这样做，请联系群主或管理员。")
}

func refuseDirectAct() *Error {
	return Refuse(CodeForbidden, "That is not possible in a conversation of two.", "两人会话中不能这样做。")
}

func refuseSelf() *Error {
	return Refuse(CodeInvalid, "You cannot do that to yourself.", "不能对自己这样做。")
}

func refuseMember() *Error {
	return Refuse(CodeNotFound, "There is no such member in this group.", "本群没有这个成员。")
}

func refuseRank() *Error {
	return Refuse(CodeForbidden, "You have no power over this member's role.", "不能对与你身份相同或更高的成员这样做。")
}

func refuseRoleName() *Error {
	return Refuse(CodeInvalid, "A role is owner, admin or member.", "身份只能是 owner、admin 或 member。")
}

func refuseGuestRole() *Error {
	return Refuse(CodeForbidden, "A guest cannot have a role. They have to register first.", "访客不能担任管理员或群主，请先让对方注册。")
}

func refuseStaff(limit int) *Error {
	return refusef(CodeForbidden, "A group has at most %d admins and owner. Take the role from one first.", "群主和管理员最多 %d 人，请先取消一位。", limit)
}

func refuseUntil() *Error {
	return Refuse(CodeInvalid, "The time has to be in the future, and is for one member only.", "时间必须在将来，且只用于单个成员。")
}

func refuseGuestAct() *Error {
	return Refuse(CodeForbidden, "Guests cannot do that. Sign in or register first.", "访客不能这样做，请先登录或注册。")
}

func refuseManyMembers(limit int) *Error {
	return refusef(CodeInvalid, "At most %d can be added at once.", "一次最多添加 %d 人。", limit)
}

func refuseOwnerLeaves() *Error {
	return Refuse(CodeConflict, "You own this group. Hand it over to another member first, or dissolve it.", "你是群主，请先转让群，或解散群。")
}

func refuseShape() *Error {
	return Refuse(CodeInvalid, "visibility is open, public or private; joining is open, approval or invite; history is all or joined.",
		"visibility 只能是 open、public、private，joining 只能是 open、approval、invite，history 只能是 all、joined。")
}

func refuseShutOpen() *Error {
	return Refuse(CodeInvalid, "A group that guests may enter cannot ask its members for more. Make it public or private first.",
		"允许访客进入的群不能设置审批或邀请，请先改为公开或私密。")
}

func refuseSlowMode(limit int) *Error {
	return refusef(CodeInvalid, "Slow mode is 0 to %d seconds.", "慢速模式为 0 到 %d 秒。", limit)
}

func refuseRetention(limit int) *Error {
	return refusef(CodeInvalid, "Messages are kept for 0 (as the server says) to %d days.", "消息可保留 0（按服务器设置）到 %d 天。", limit)
}

func refusePrivateAddress() *Error {
	return Refuse(CodeInvalid, "A private group has no address.", "私密群没有地址。")
}

func refuseAddressStays() *Error {
	return Refuse(CodeInvalid, "The address of a group does not change.", "群地址不能更改。")
}

func refuseAddressTaken(suggestion string) *Error {
	e := Refuse(CodeNameTaken, "Another group has this address. Choose another.", "这个地址已被其他群使用，请换一个。")
	e.Suggestion = suggestion
	return e
}

func refuseInvite() *Error {
	return Refuse(CodeNotFound, "This invitation does not hold (any more). Ask for a new one.", "邀请无效或已过期，请索取新的邀请。")
}

func refuseInviteShape() *Error {
	return Refuse(CodeInvalid, "An invitation ends in the future and has 1 to 100000 uses.", "邀请的到期时间必须在将来，次数为 1 到 100000。")
}

func refuseInvites(limit int) *Error {
	return refusef(CodeForbidden, "This group has %d invitations already. Withdraw one first.", "本群已有 %d 个邀请，请先撤销一个。", limit)
}

func refuseJoinRequest() *Error {
	return Refuse(CodeNotFound, "There is no such request to join. Somebody else may have answered it.", "没有这个加群申请，可能已被处理。")
}

func refuseJoinRequests() *Error {
	return Refuse(CodeForbidden, "Too many wait to be let in. Try again later.", "等待审批的人太多，请稍后再试。")
}

func refuseBarred(b Bar) *Error {
	if b&BarredByMe != 0 {
		return Refuse(CodeForbidden, "You blocked this person. Unblock them first.", "你拉黑了对方，先解除拉黑。")
	}
	return Refuse(CodeForbidden, "This person does not take messages.", "对方不接收消息。")
}

func refuseCursor() *Error {
	return Refuse(CodeInvalid, "This cursor is none of ours.", "游标无效。")
}

func refuseSearch(limit int) *Error {
	return refusef(CodeInvalid, "Search for 1 to %d characters.", "搜索词为 1 到 %d 个字。", limit)
}

func refuseMuted(until Time) *Error {
	e := Refuse(CodeMuted, "You cannot speak in this group now.", "你现在不能在这个群发言。")
	e.Until = until
	return e
}

func refuseSlow(wait time.Duration) *Error {
	e := Refuse(CodeSlowMode, "This group is in slow mode. Wait a moment before the next message.", "本群已开启慢速模式，请稍后再发。")
	e.RetryAfter = wait
	return e
}

func refuseRate(wait time.Duration) *Error {
	e := Refuse(CodeRateLimited, "Too many at once. Wait a moment and try again.", "发送太频繁，请稍后再试。")
	e.RetryAfter = wait
	return e
}

func refuseBusy() *Error {
	e := Refuse(CodeBusy, "The server is busy. Try again in a moment.", "服务器繁忙，请稍后再试。")
	e.RetryAfter = time.Second
	return e
}

func refuseClosing() *Error {
	e := Refuse(CodeBusy, "The server is restarting. Try again in a moment.", "服务器正在重启，请稍后再试。")
	e.RetryAfter = time.Second
	return e
}

func refuseConflict() *Error {
	return Refuse(CodeConflict, "Another message was already sent under this clientId. Send this one under a new clientId.",
		"这个 clientId 已用于另一条消息，请换一个新的 clientId。")
}

func refuseMadeAlready() *Error {
	return Refuse(CodeConflict, "Another group was already made under this clientId. Make this one under a new clientId.",
		"这个 clientId 已用于另一个群，请换一个新的 clientId。")
}

func refuseClientID() *Error {
	return Refuse(CodeInvalid, "A clientId has 1 to 64 bytes of text.", "clientId 应为 1 到 64 字节的文本。")
}

func refuseEmpty() *Error {
	return Refuse(CodeInvalid, "The message is empty.", "消息不能为空。")
}

func refuseText() *Error {
	return Refuse(CodeInvalid, "The message holds a character that is no text (U+0000 or broken UTF-8). Remove it.",
		"消息含有无效字符（U+0000 或错误的 UTF-8），请删除后再发。")
}

func refuseLength(length, limit int) *Error {
	return refusef(CodeTooLarge, "The message has %d characters, at most %d are allowed. Split it.", "消息有 %d 个字，最多 %d 个，请分开发送。", length, limit)
}

func refuseReply() *Error {
	return Refuse(CodeInvalid, "The message this replies to does not exist in this group.", "所回复的消息不在这个群里。")
}

func refuseFiles() *Error {
	return Refuse(CodeInvalid, "There is no such file. Upload it first.", "没有这个文件，请先上传。")
}

func refuseFile() *Error {
	return Refuse(CodeNotFound, "There is no such file, or you may not see it.", "没有这个文件，或者你无权查看。")
}

func refuseNoFiles() *Error {
	return Refuse(CodeForbidden, "This server takes no files.", "服务器不接收文件。")
}

func refuseLargeFile(limit int64) *Error {
	return refusef(CodeTooLarge, "The file is too large: at most %s are allowed.", "文件太大，最多 %s。", megabytes(limit))
}

func refusePixels() *Error {
	return Refuse(CodeTooLarge, "The picture has too many pixels. Make it smaller.", "图片的像素过多，请缩小后再发。")
}

func refuseNoPicture() *Error {
	return Refuse(CodeInvalid, "This is no picture that can be shown. Take a JPEG, PNG, GIF or WebP.", "无法识别这张图片，请使用 JPEG、PNG、GIF 或 WebP。")
}

func refuseQuota() *Error {
	return Refuse(CodeTooLarge, "Your files take as much room as they may. Recall some that you sent.", "你的文件空间已满，请先撤回一些已发送的文件。")
}

func refuseStorage() *Error {
	e := Refuse(CodeBusy, "The server has no room for files now. Tell who runs it.", "服务器的文件空间已满，请联系管理员。")
	e.RetryAfter = time.Minute
	return e
}

func refuseUploadConflict() *Error {
	return Refuse(CodeConflict, "Another file was already uploaded under this Idempotency-Key. Take a new one.",
		"这个 Idempotency-Key 已用于另一个文件，请换一个新的。")
}

// megabytes is a size as people say it.
func megabytes(bytes int64) string {
	return strconv.FormatFloat(float64(bytes)/1e6, 'f', -1, 64) + " MB"
}

func refuseManyFiles(limit int) *Error {
	return refusef(CodeTooLarge, "A message carries at most %d files. Send the rest in another one.", "一条消息最多 %d 个文件，请分开发送。", limit)
}

func refuseManyMentions(limit int) *Error {
	return refusef(CodeTooLarge, "A message mentions at most %d people. Mention fewer.", "一条消息最多提及 %d 人，请减少后再发。", limit)
}

func refuseMessage() *Error {
	return Refuse(CodeNotFound, "There is no such message, or it is not yours to see.", "没有这条消息，或者你不能查看。")
}

func refuseSilent() *Error {
	return Refuse(CodeForbidden, "You are not a member of this group yet. Say something in it first.", "你还不是群成员，请先在群里发一条消息。")
}

func refuseNotMine() *Error {
	return Refuse(CodeForbidden, "This message is somebody else's. Only its author can do that.", "这不是你的消息，只有发送者可以操作。")
}

func refuseRecalled() *Error {
	return Refuse(CodeConflict, "This message was recalled.", "这条消息已被撤回。")
}

func refuseLine() *Error {
	return Refuse(CodeInvalid, "This can be done to what somebody said only.", "只能对聊天消息进行此操作。")
}

func refuseLateEdit(limit time.Duration) *Error {
	return refusef(CodeForbidden, "It is too late: a message can be edited for %d minutes. Send another one.",
		"消息只能在发出后 %d 分钟内编辑，请另发一条。", minutes(limit))
}

func refuseLateRecall(limit time.Duration) *Error {
	return refusef(CodeForbidden, "It is too late: a message can be recalled for %d minutes. Ask an admin of the group.",
		"消息只能在发出后 %d 分钟内撤回，请联系群管理员。", minutes(limit))
}

func minutes(d time.Duration) int { return max(1, int(d.Minutes())) }

func refuseNotify() *Error {
	return Refuse(CodeInvalid, `notify is "all", "mentions" or "nothing".`, "notify 只能是 all、mentions 或 nothing。")
}

func refuseEmoji() *Error {
	return Refuse(CodeInvalid, "A reaction is one emoji.", "回应必须是一个表情。")
}

func refuseManyReactions(limit int) *Error {
	return refusef(CodeForbidden, "There are %d different emojis under this message already. Use one of them.", "这条消息已有 %d 种表情，请使用其中之一。", limit)
}

func refuseManyPins(limit int) *Error {
	return refusef(CodeForbidden, "%d messages are pinned in this group already. Take one off first.", "本群已置顶 %d 条消息，请先取消一条。", limit)
}

func refuseHeads(limit int) *Error {
	return refusef(CodeInvalid, "At most %d groups can be asked for at once.", "一次最多查询 %d 个群。", limit)
}

func refusePage() *Error {
	return Refuse(CodeInvalid, "Ask for one of before, after and around, and for 1 to 100 messages.",
		"before、after、around 只能选一个，条数为 1 到 100。")
}

func refuseEmptyRoom() *Error {
	return Refuse(CodeInvalid, "Say which room: its name is empty.", "请填写房间名称。")
}

func refuseLongRoom(limit int) *Error {
	return refusef(CodeInvalid, "The room's name is too long: at most %d characters.", "房间名称太长，最多 %d 个字。", limit)
}

func refuseRoomLetters() *Error {
	return Refuse(CodeInvalid, "The room's name holds control characters. Remove them.", "房间名称含有控制字符，请删除。")
}

func refuseEmptyName() *Error {
	return Refuse(CodeInvalid, "The name is empty.", "请填写名字。")
}

func refuseLongName(limit int) *Error {
	return refusef(CodeInvalid, "The name is too long: at most %d characters.", "名字太长，最多 %d 个字。", limit)
}

func refuseNameLetters() *Error {
	return Refuse(CodeInvalid, "The name holds characters that are not allowed. A username has letters, digits and . _ - only.",
		"名字含有不允许的字符。用户名只能用字母、数字和 . _ -。")
}

func refuseReservedName() *Error {
	return Refuse(CodeInvalid, "This name is the server's own. Choose another.", "这个名字为系统保留，请换一个。")
}

func refuseNameTaken(suggestion string) *Error {
	e := Refuse(CodeNameTaken, "Somebody else has this name, or one that looks like it. Choose another.",
		"这个名字或相似的名字已有人使用，请换一个。")
	e.Suggestion = suggestion
	return e
}

func refuseWebhook() *Error {
	return Refuse(CodeNotFound, "There is no such webhook.", "没有这个 Webhook。")
}

func refuseWebhookKind() *Error {
	return Refuse(CodeInvalid, "A webhook is incoming or outgoing.", "Webhook 的类型应为 incoming 或 outgoing。")
}

func refuseWebhookURL() *Error {
	return Refuse(CodeInvalid, "The address of a webhook begins with https:// or http:// and holds no password.",
		"Webhook 地址应以 https:// 或 http:// 开头，且不含密码。")
}

func refuseWebhookEvents() *Error {
	return Refuse(CodeInvalid, "A webhook can be told of message and change.", "Webhook 的事件只能是 message 和 change。")
}

func refuseTooManyWebhooks() *Error {
	return refusef(CodeForbidden, "The group has %d webhooks, as many as it may have. Delete one first.", "本群已有 %d 个 Webhook，达到上限，请先删除一个。", webhooksPerGroup)
}

func refuseUntold(err error) *Error {
	chinese := err.Error()
	if worded, ok := errors.AsType[interface {
		error
		Chinese() string
	}](err); ok {
		chinese = worded.Chinese()
	}
	return Refuse(CodeInvalid, "The webhook's target did not take it: "+err.Error(), "Webhook 目标没有接收："+chinese)
}

func refuseSubscription() *Error {
	return Refuse(CodeInvalid, "This is no push subscription of a browser.", "这不是浏览器的推送订阅。")
}

func refuseFixed(name, why string) *Error {
	return refusef(CodeConflict, "The setting %s is fixed: %s. Start the server without it to change it here.", "设置 %s 由启动参数固定（%s），去掉它再启动才能在这里改。", name, why)
}

func refuseSetting(name string) *Error {
	return refusef(CodeInvalid, "This is no value for the setting %s.", "设置 %s 的值不对。", name)
}

func refuseEmptySearch() *Error {
	return Refuse(CodeInvalid, "Say what to look for.", "请填写要搜索的内容。")
}

func refuseLongSearch(limit int) *Error {
	return refusef(CodeTooLarge, "At most %d characters can be looked for.", "搜索内容最多 %d 个字。", limit)
}

func refuseSearchText() *Error {
	return Refuse(CodeInvalid, "What is looked for holds a character that is no text (U+0000 or broken UTF-8).",
		"搜索内容含有无效字符（U+0000 或错误的 UTF-8）。")
}

func refuseSearchPage() *Error {
	return Refuse(CodeInvalid, "Ask for 1 to 50 hits.",
		"一次可取 1 到 50 条。")
}

func refuseVerdict() *Error {
	return Refuse(CodeInvalid, "A verdict is dismiss, recall, mute, kick or ban.", "处理方式应为 dismiss、recall、mute、kick 或 ban。")
}

func refuseReported() *Error {
	return Refuse(CodeNotFound, "There is no such message, or nothing is reported of it.", "没有这条消息，或者没有关于它的举报。")
}

func refuseAccount() *Error {
	return Refuse(CodeForbidden, "This needs an account. Register or sign in first.", "此操作需要账号，请先注册或登录。")
}

func refuseRegistered() *Error {
	return Refuse(CodeConflict, "You have an account already. Sign out first to make another one.", "你已有账号，如需另建请先退出登录。")
}

func refuseLastAdmin() *Error {
	return Refuse(CodeConflict, "This is the last administrator. Make another one first.", "这是最后一位管理员，请先任命另一位。")
}

func refuseSettings(limit int) *Error {
	return refusef(CodeInvalid, "Settings are a JSON object of at most %d bytes.", "设置应为不超过 %d 字节的 JSON 对象。", limit)
}

func refuseManyReaders(limit int) *Error {
	return refusef(CodeTooLarge, "In a group of more than %d members ask with readBy who has read a message.", "超过 %d 人的群请用 readBy 查询某条消息谁读过。", limit)
}

func refuseTooManyBots(limit int) *Error {
	return refusef(CodeForbidden, "You have %d bots, as many as one may have. Delete one first.", "你已有 %d 个机器人，达到上限，请先删除一个。", limit)
}

func refuseBotEntry() *Error {
	return Refuse(CodeForbidden, "A bot enters a group when one of its admins adds it.", "机器人须由群管理员添加后才能进群。")
}

func refuseNotAdmin() *Error {
	return Refuse(CodeForbidden, "Only the owner and the admins of this group may do that.", "只有群主和管理员可以这样做。")
}

func refuseWord(word string) *Error {
	return refusef(CodeInvalid, "“%s” may not be said on this server.", "本站不允许出现“%s”。", word)
}

func refuseWords() *Error {
	return refusef(CodeInvalid, "The list holds at most %d words of at most %d characters each.", "词表最多 %d 个词，每个词最多 %d 个字。", maxWords, maxWord)
}
