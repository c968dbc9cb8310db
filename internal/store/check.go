package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Report is what a check found.
type Report struct {
	Users, Groups, Messages int64
	Findings                []Finding // nothing: all is as it has to be
	Notes                   []string  // what is no damage and may be good to know
}

// Finding is one kind of damage.
type Finding struct {
	What     string
	Count    int
	Examples []string // where, at most examples of them
	Remedy   string   // what to do about it
}

// examples bounds how many places a finding names.
const examples = 5

// Check reads everything and says what is not as this package promises. It changes nothing.
func (a *Archive) Check(ctx context.Context) (*Report, error) {
	c := &check{Archive: a, ctx: ctx, report: &Report{}}
	err := a.session.row(ctx, `SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM groups), (SELECT COUNT(*) FROM messages)`,
		nil, &c.report.Users, &c.report.Groups, &c.report.Messages)
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", damage(err))
	}
	if a.path != "" {
		for _, r := range sqliteRules {
			if err := c.ask(r); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range rules {
		if err := c.ask(r); err != nil {
			return nil, err
		}
	}
	if err := c.index(); err != nil {
		return nil, fmt.Errorf("check the search index: %w", err)
	}
	return c.report, nil
}

// check is a Check on its way.
type check struct {
	*Archive
	ctx    context.Context
	report *Report
}

// rule is a promise: its query names, in columns of text, what breaks it.
type rule struct{ broken, query string }

// RestoreABackup is the remedy of what nothing else mends.
const RestoreABackup = "restore a backup, or ask for help with what stands above"

// sqliteRules are of the file itself. A file without damage answers "ok", which is passed over.
var sqliteRules = []rule{
	{"the file is damaged", `SELECT integrity_check AS found FROM pragma_integrity_check WHERE integrity_check <> 'ok'`},
	{"a row refers to one that is not there", `SELECT "table" AS "table", rowid AS row, parent AS missing FROM pragma_foreign_key_check`},
}

// own are the rows of a user that take numbers of its own counter.
const own = `SELECT user_key, user_rev FROM memberships UNION ALL SELECT user_key, user_rev FROM join_requests
	UNION ALL SELECT user_key, user_rev FROM blocks`

const countable = `kind IN ('text', 'file')`

// rules are what the numbers and counts promise.
var rules = []rule{
	{"somebody is mentioned where nothing is said", `SELECT g.id AS "group", n.seq AS seq FROM mentions n JOIN groups g ON g.key = n.group_key
		LEFT JOIN messages m ON m.group_key = n.group_key AND m.seq = n.seq WHERE n.seq >= g.floor AND (m.mentions IS NULL OR m.mentions = '')`},
	{"somebody reacted where nothing is said", `SELECT g.id AS "group", r.seq AS seq FROM reactions r JOIN groups g ON g.key = r.group_key
		LEFT JOIN messages m ON m.group_key = r.group_key AND m.seq = r.seq WHERE r.seq >= g.floor AND (m.reactions IS NULL OR m.reactions = '')`},
	{"one number of a group is on several rows", `SELECT g.id AS "group", r.rev AS number, COUNT(*) AS rows FROM (
			SELECT group_key, rev FROM messages UNION ALL SELECT group_key, rev FROM memberships UNION ALL SELECT key, rev FROM groups
		) AS r JOIN groups g ON g.key = r.group_key GROUP BY g.id, r.rev HAVING COUNT(*) > 1`},
	{"a message's numbers are not 1 ≤ seq ≤ rev ≤ head", `SELECT g.id AS "group", m.seq, m.rev, g.head FROM messages m JOIN groups g ON g.key = m.group_key
		WHERE m.seq < 1 OR m.seq > m.rev OR m.rev > g.head`},
	{"a member's number is not one of its group", `SELECT g.id AS "group", u.id AS "user", b.rev, g.head
		FROM memberships b JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key WHERE b.rev < 1 OR b.rev > g.head`},
	{"the newest number of a group is on no row", `SELECT g.id AS "group", g.head, g.rev AS "group's rev",
			(SELECT MAX(rev) FROM messages WHERE group_key = g.key) AS message, (SELECT MAX(rev) FROM memberships WHERE group_key = g.key) AS member
		FROM groups g WHERE g.rev <> g.head
			AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.group_key = g.key AND m.rev = g.head AND m.rev = m.seq AND m.seq = g.head)
			AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.group_key = g.key AND m.rev > m.seq AND m.rev = g.head)
			AND NOT EXISTS (SELECT 1 FROM memberships b WHERE b.group_key = g.key AND b.rev = g.head)`},
	{"a message is of nobody, or nowhere", `SELECT m.id AS message, m.group_key AS "group's key", m.seq, m.user_key AS "sender's key" FROM messages m
		LEFT JOIN groups g ON g.key = m.group_key LEFT JOIN users u ON u.key = m.user_key
		WHERE g.key IS NULL OR m.user_key IS NOT NULL AND u.key IS NULL`},
	{"a message replies to one after it", `SELECT g.id AS "group", m.seq, m.reply_to AS "replies to" FROM messages m JOIN groups g ON g.key = m.group_key
		WHERE m.reply_to >= m.seq`},
	{"a recalled message still has its text", `SELECT g.id AS "group", m.seq FROM messages m JOIN groups g ON g.key = m.group_key
		WHERE m.recalled_at <> 0 AND m.text <> ''`},
	{"the running count of a group has a step of another size", `SELECT g.id AS "group", m.seq, m.counted, m.before FROM (
			SELECT group_key, seq, counted, CASE WHEN ` + countable + ` THEN 1 ELSE 0 END AS one,
				LAG(counted) OVER (PARTITION BY group_key ORDER BY seq) AS before FROM messages
		) AS m JOIN groups g ON g.key = m.group_key
		WHERE m.counted <> m.before + m.one OR m.before IS NULL AND (m.counted < m.one OR g.floor = 0 AND m.counted <> m.one)`},
	{"a group's count is not its newest message's", `SELECT g.id AS "group", g.counted, m.counted AS "message's" FROM groups g JOIN messages m
		ON m.group_key = g.key AND m.seq = (SELECT MAX(seq) FROM messages WHERE group_key = g.key) WHERE g.counted <> m.counted
		UNION ALL SELECT g.id, g.counted, 0 FROM groups g
		WHERE g.floor = 0 AND g.counted <> 0 AND NOT EXISTS (SELECT 1 FROM messages WHERE group_key = g.key)`},
	{"a group's number of members is wrong", `SELECT g.id AS "group", g.member_count AS says, COUNT(b.user_key) AS are FROM groups g
		LEFT JOIN memberships b ON b.group_key = g.key AND b.state = 'active' GROUP BY g.id, g.member_count HAVING g.member_count <> COUNT(b.user_key)`},
	{"who has read an announcement is not counted right", `SELECT g.id AS "group", g.informed AS says, COUNT(b.user_key) AS are FROM groups g
		LEFT JOIN memberships b ON b.group_key = g.key AND b.state = 'active' AND b.announced = g.announced AND g.announced > 0
		GROUP BY g.id, g.informed HAVING g.informed <> COUNT(b.user_key)`},
	{"what a member has read is not counted right", `SELECT g.id AS "group", u.id AS "user", b.read_seq, b.read_count FROM (
			SELECT b.*, COALESCE((SELECT counted FROM messages WHERE group_key = b.group_key AND seq <= b.read_seq ORDER BY seq DESC LIMIT 1),
				(SELECT counted - CASE WHEN ` + countable + ` THEN 1 ELSE 0 END FROM messages
					WHERE group_key = b.group_key AND seq > b.read_seq ORDER BY seq LIMIT 1),
				(SELECT counted FROM groups WHERE key = b.group_key)) AS there
			FROM memberships b WHERE b.state = 'active'
		) AS b JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key
		WHERE b.read_count <> b.there OR b.read_seq > g.head OR b.read_seq < g.floor - 1`},
	{"own messages of a member after what it has read are not counted right", `SELECT g.id AS "group", u.id AS "user", b.own_unread AS says, COALESCE(o.own, 0) AS are
		FROM memberships b JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key LEFT JOIN (
			SELECT m.group_key, m.user_key, COUNT(*) AS own FROM messages m
			JOIN memberships r ON r.group_key = m.group_key AND r.user_key = m.user_key
			WHERE m.seq > r.read_seq AND m.` + countable + ` GROUP BY m.group_key, m.user_key
		) AS o ON o.group_key = b.group_key AND o.user_key = b.user_key
		WHERE b.state = 'active' AND b.own_unread <> COALESCE(o.own, 0)`},
	{"a member's history begins after its end", `SELECT g.id AS "group", u.id AS "user", b.from_seq, g.head
		FROM memberships b JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key WHERE b.from_seq > g.head + 1`},
	{"one number of a user is on several rows", `SELECT u.id AS "user", r.user_rev AS number, COUNT(*) AS rows FROM (` + own + `) AS r JOIN users u ON u.key = r.user_key GROUP BY u.id, r.user_rev HAVING COUNT(*) > 1`},
	{"a number is not one of its user", `SELECT u.id AS "user", r.user_rev AS number, u.head FROM (
			` + own + ` UNION ALL SELECT key, rev FROM users UNION ALL SELECT key, settings_rev FROM users
		) AS r JOIN users u ON u.key = r.user_key WHERE r.user_rev > u.head OR r.user_rev < 0`},
	{"a group has two owners", `SELECT g.id AS "group", COUNT(*) AS owners FROM memberships b JOIN groups g ON g.key = b.group_key
		WHERE b.state = 'active' AND b.role = 'owner' GROUP BY g.id HAVING COUNT(*) > 1`},
	{"the floor of a group is above its end", `SELECT id AS "group", floor, head FROM groups WHERE floor > head + 1`},
	{"who waits to be let in is not counted right", `SELECT g.id AS "group", g.requests AS says, COUNT(q.user_key) AS are FROM groups g
		LEFT JOIN join_requests q ON q.group_key = g.key AND q.state = 'waiting' GROUP BY g.id, g.requests HAVING g.requests <> COUNT(q.user_key)`},
	{"the list of members is not who is in the group", `SELECT g.id AS "group", u.id AS "user", b.state, COUNT(t.term) AS listed FROM memberships b
		JOIN groups g ON g.key = b.group_key JOIN users u ON u.key = b.user_key
		LEFT JOIN member_terms t ON t.group_key = b.group_key AND t.user_key = b.user_key AND t.main
		GROUP BY g.id, u.id, b.state HAVING COUNT(t.term) <> CASE WHEN b.state = 'active' THEN 1 ELSE 0 END`},
	{"a webhook was told more than there is", `SELECT g.id AS "group", w.id AS webhook, w.head AS told, g.head FROM webhooks w
		JOIN groups g ON g.key = w.group_key WHERE w.head > g.head`},
	{"a device was told more than there is", `SELECT g.id AS "group", p.seq AS told, g.head FROM push_marks p
		JOIN groups g ON g.key = p.group_key WHERE p.seq > g.head`},
	{"a message carries a file that is not known", `SELECT g.id AS "group", x.seq, x.file_id AS file FROM file_uses x JOIN groups g ON g.key = x.group_key
		LEFT JOIN files f ON f.id = x.file_id WHERE f.id IS NULL`},
	{"a message carries a file, and nothing says so", `SELECT g.id AS "group", m.seq FROM messages m JOIN groups g ON g.key = m.group_key
		WHERE m.files <> '' AND m.seq >= g.floor AND g.dissolved_at = 0
			AND NOT EXISTS (SELECT 1 FROM file_uses x WHERE x.group_key = m.group_key AND x.seq = m.seq)`},
	{"what somebody's files take is not counted right", `SELECT COALESCE(NULLIF(t.user_id, ''), 'everybody') AS "user", t.bytes AS says, COALESCE(SUM(f.size), 0) AS are
		FROM file_totals t LEFT JOIN files f ON f.user_id = t.user_id OR t.user_id = '' GROUP BY t.user_id, t.bytes HAVING t.bytes <> COALESCE(SUM(f.size), 0)`},
}

// ask asks for what breaks a rule.
func (c *check) ask(r rule) error {
	stmt, err := c.session.stmt(c.ctx, r.query) //nolint:sqlclosecheck // kept: close does, with the session
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(c.ctx)
	if err != nil {
		return fmt.Errorf("look whether %s: %w", r.broken, damage(err))
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, dest := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		c.find(r.broken, described(names, values))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look whether %s: %w", r.broken, damage(err))
	}
	return nil
}

// described is a row for who reads the report.
func described(names []string, values []sql.NullString) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + " " + values[i].String
		if !values[i].Valid {
			parts[i] = name + " none"
		}
	}
	return strings.Join(parts, ", ")
}

func (c *check) find(what, where string) { c.report.Find(what, where, c.remedy(what)) }

// remedy is what to do about a damage.
func (c *check) remedy(what string) string {
	switch {
	case what != indexOutOfStep:
		return RestoreABackup
	case c.path != "":
		return "stop the server, delete " + searchName + " in the data folder and start it again: it makes a new one"
	}
	return "stop the server, run TRUNCATE message_words, periods, indexed in the database and start it again: it makes a new one"
}

// Find adds a damage to the report.
func (r *Report) Find(what, where, remedy string) {
	last := len(r.Findings) - 1
	if last < 0 || r.Findings[last].What != what {
		r.Findings = append(r.Findings, Finding{What: what, Remedy: remedy})
		last++
	}
	f := &r.Findings[last]
	if f.Count++; f.Count <= examples {
		f.Examples = append(f.Examples, where)
	}
}
