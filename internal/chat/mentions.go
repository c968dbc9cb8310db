package chat

import "slices"

// MentionAll stands in Mentions for everybody in the group.
const MentionAll UserID = "all"

// MentionReader counts mentions.
type MentionReader interface {
	// CountMentions counts the messages of a group with a seq after after that mention u or everybody, that u did not send,
	// and that are not recalled.
	CountMentions(g GroupID, u UserID, after Seq) (int64, error)
}

// maxMentions bounds whom one message may mention.
const maxMentions = 50

// distinctMentions is each of ids once, in their order.
func distinctMentions(ids []UserID) ([]UserID, error) {
	if len(ids) > maxMentions {
		return nil, refuseManyMentions(maxMentions)
	}
	var distinct []UserID
	for _, id := range ids {
		if id != "" && !slices.Contains(distinct, id) {
			distinct = append(distinct, id)
		}
	}
	return distinct, nil
}

// mentionable is whom of mentions the message may mention. Who is not in the group, or blocks its author, is left out, as
// in a new message.
func (a *messageAct) mentionable(mentions []UserID) (members []UserID, err error) {
	if slices.Contains(mentions, MentionAll) {
		if err := a.permit(a.group, a.me, a.who, ActMentionAll); err != nil {
			return nil, err
		}
	}
	for _, id := range mentions {
		has, err := a.has(id)
		if err != nil {
			return nil, err
		}
		if has {
			members = append(members, id)
		}
	}
	return members, nil
}

// has reports whether there is such a member to call; everybody is.
func (a *messageAct) has(id UserID) (bool, error) {
	if id == MentionAll {
		return true, nil
	}
	m, err := orNone(a.tx.Membership(id))
	if err != nil || !m.Active() {
		return false, err
	}
	blocked, err := a.tx.Blocked(id, a.who.ID)
	return !blocked, err
}
