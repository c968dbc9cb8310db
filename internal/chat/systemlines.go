package chat

// What system lines tell.
const (
	SystemCreated      = "create"       // the group
	SystemAdded        = "add"          // Target
	SystemLeft         = "leave"        // By
	SystemKicked       = "kick"         // Target
	SystemBanned       = "ban"          // Target
	SystemUnbanned     = "unban"        // Target; in the audit only
	SystemMuted        = "mute"         // Target, until Value or for good
	SystemUnmuted      = "unmute"       // Target
	SystemMutedAll     = "muteAll"      //
	SystemUnmutedAll   = "unmuteAll"    //
	SystemRole         = "role"         // Target has the role Value
	SystemOwner        = "owner"        // Target owns the group now
	SystemName         = "name"         // Value is the name now
	SystemTopic        = "topic"        // Value is the topic now
	SystemAvatar       = "avatar"       //
	SystemAnnouncement = "announcement" //
	SystemVisibility   = "visibility"   // Value
	SystemJoining      = "joining"      // Value
	SystemHistory      = "history"      // Value
	SystemRetention    = "retention"    // messages are kept for Value days; 0: as the server says
	SystemSlowMode     = "slowMode"     // Value seconds
	SystemDissolved    = "dissolve"     //
)

// systemName is who speaks in a system line.
const systemName = "系统"

// systemLine is the line that tells of an act. Apps word it themselves; its text is for who reads nothing else.
func (s *Service) systemLine(g GroupID, act SystemAct, by, target string) *Message {
	now := s.cfg.Now()
	return &Message{
		ID: MessageID(newID(now)), GroupID: g, NickName: systemName, Kind: MessageSystem,
		Text: systemText(act, by, target), System: &act, SentAt: TimeOf(now),
	}
}

func systemText(act SystemAct, by, target string) string {
	switch act.Act {
	case SystemCreated:
		return by + " 创建了群"
	case SystemAdded:
		return by + " 邀请 " + target + " 加入了群"
	case SystemLeft:
		return by + " 退出了群"
	case SystemKicked:
		return by + " 将 " + target + " 移出了群"
	case SystemBanned:
		return by + " 封禁了 " + target
	case SystemMuted:
		return by + " 禁言了 " + target
	case SystemUnmuted:
		return by + " 解除了 " + target + " 的禁言"
	case SystemMutedAll:
		return by + " 开启了全员禁言"
	case SystemUnmutedAll:
		return by + " 关闭了全员禁言"
	case SystemRole:
		if act.Value == string(RoleAdmin) {
			return by + " 将 " + target + " 设为管理员"
		}
		return by + " 取消了 " + target + " 的管理员身份"
	case SystemOwner:
		return by + " 将群主转让给 " + target
	case SystemName:
		return by + " 将群名改为“" + act.Value + "”"
	case SystemTopic:
		return by + " 修改了群简介"
	case SystemAvatar:
		return by + " 更换了群头像"
	case SystemAnnouncement:
		return by + " 更新了群公告"
	case SystemVisibility, SystemJoining, SystemHistory:
		return by + " 修改了群设置"
	case SystemRetention:
		if act.Value == "0" {
			return by + " 取消了本群的消息保留期限"
		}
		return by + " 将消息保留期限设为 " + act.Value + " 天"
	case SystemSlowMode:
		if act.Value == "0" {
			return by + " 关闭了慢速模式"
		}
		return by + " 开启了慢速模式：每 " + act.Value + " 秒一条"
	case SystemDissolved:
		return by + " 解散了群"
	}
	return by
}
