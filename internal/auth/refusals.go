package auth

import (
	"time"

	"qun/internal/chat"
)

// The words of every refusal, in one place: what is wrong, and what to do.

func refuseSignIn() *chat.Error {
	return chat.Refuse(chat.CodeUnauthorized, "The username or the password is wrong. Check both and try again.",
		"用户名或密码不正确，请检查后重试。")
}

func refusePassword() *chat.Error {
	return chat.Refuse(chat.CodeForbidden, "Your password is wrong. Try again.", "密码不正确，请重试。")
}

func refuseTries(wait time.Duration) *chat.Error {
	e := chat.Refuse(chat.CodeRateLimited, "Too many attempts. Wait a moment and try again.", "尝试次数过多，请稍后再试。")
	e.RetryAfter = wait
	return e
}

func refuseShortPassword() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "The password is too short: at least 8 characters.", "密码太短，至少 8 个字符。")
}

func refuseLongPassword() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "The password is too long: at most 200 bytes.", "密码太长，最多 200 字节。")
}

func refusePasswordText() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "The password holds a character that is no text (U+0000 or broken UTF-8). Choose another.",
		"密码含有无效字符（U+0000 或错误的 UTF-8），请换一个。")
}

func refuseNameAsPassword() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "The password is your name. Choose another.", "密码不能与名字相同，请换一个。")
}

func refuseTicket() *chat.Error {
	return chat.Refuse(chat.CodeNotFound, "This link or code is used up, has run out, or never was. Ask for a new one.",
		"此链接或代码已使用、已过期或不存在，请重新获取。")
}

func refuseDevice() *chat.Error {
	return chat.Refuse(chat.CodeNotFound, "There is no such device.", "没有这个设备。")
}

func refuseLastAdmin() *chat.Error {
	return chat.Refuse(chat.CodeConflict, "This is the last administrator. Make another one first.", "这是最后一位管理员，请先任命另一位。")
}

func refuseUser() *chat.Error {
	return chat.Refuse(chat.CodeNotFound, "There is no such user.", "没有这个用户。")
}

func refuseAccount() *chat.Error {
	return chat.Refuse(chat.CodeForbidden, "This needs an account. Register or sign in first.", "此操作需要账号，请先注册或登录。")
}

func refuseScope(s Scope) *chat.Error {
	return chat.Refuse(chat.CodeForbidden, "This bot's token does not allow that: it lacks the scope "+string(s)+".",
		"此机器人的令牌没有 "+string(s)+" 权限。")
}

func refuseScopes() *chat.Error {
	return chat.Refuse(chat.CodeInvalid, "Choose what the bot may do: read, send, manage.", "请选择机器人的权限：read、send、manage。")
}
