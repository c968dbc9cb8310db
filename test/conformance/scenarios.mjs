// What people do with a seed page, as a table: each step says who does what, and who must hear of it.
// Only input that breaks none of our rules stands here, so every server has to send exactly the same.

const joins = (who, room, hear, nickName = who) => ({ who, act: "join", room, nickName, hear });
const says = (who, room, message, hear) => ({ who, act: "say", room, message, hear });
const leaves = (who) => ({ who, act: "leave", hear: [] });
const returns = (who) => ({ who, act: "return", hear: [] });

const all = ["anna", "ben"];

export const scenarios = [
  {
    name: "two in a room and one outside",
    steps: [
      joins("anna", "lobby", ["anna"]),
      joins("ben", "lobby", all),
      joins("carl", "elsewhere", ["carl"]),
      says("anna", "lobby", "hello", all),
      says("ben", "lobby", "hello yourself", all),
      says("carl", "elsewhere", "is anybody here?", ["carl"]),
    ],
  },
  {
    name: "room names in Chinese, with spaces, with emoji",
    steps: ["大厅", "周五 晚上 吃饭", "🎉🍜 party", "Ünïcödé / slash , comma"].flatMap((room) => [
      joins("anna", room, ["anna"]),
      joins("ben", room, all),
      says("anna", room, `在 ${room} 说话`, all),
      says("ben", room, "收到 ✅", all),
    ]),
  },
  {
    name: "nicknames in Chinese, with spaces, with emoji",
    steps: [
      joins("anna", "lobby", ["anna"], "安娜"),
      joins("ben", "lobby", all, "Ben the 🐻"),
      says("anna", "lobby", "我是安娜", all),
      says("ben", "lobby", "I am the bear", all),
    ],
  },
  {
    name: "text arrives as it was typed",
    steps: [
      joins("anna", "lobby", ["anna"]),
      joins("ben", "lobby", all),
      ...[
        `<b onclick="x()">&amp; 'quotes' "double" \\ back</b>`,
        "two\nlines\tand a tab",
        "line\u2028separator \u2029 paragraph",
        "👩‍👩‍👧‍👦 𝒳 é e\u0301 عربى עברית",
        '{"_placeholder":true,"num":0}',
        "12345678901234567890",
        " leading and trailing ",
        "长".repeat(4000),
        "constructor",
      ].map((text) => says("anna", "lobby", text, all)),
    ],
  },
  {
    name: "one person in two rooms",
    steps: [
      joins("anna", "tea", ["anna"]),
      joins("anna", "coffee", ["anna"]),
      joins("ben", "tea", all),
      joins("carl", "coffee", ["anna", "carl"]),
      says("ben", "tea", "only tea drinkers hear this", all),
      says("carl", "coffee", "only coffee drinkers hear this", ["anna", "carl"]),
      says("anna", "tea", "to tea", all),
      says("anna", "coffee", "to coffee", ["anna", "carl"]),
    ],
  },
  {
    name: "the join button pressed twice",
    steps: [
      joins("anna", "lobby", ["anna"]),
      joins("ben", "lobby", all),
      joins("ben", "lobby", all),
      says("anna", "lobby", "once is enough", all),
    ],
  },
  {
    name: "two people of one name",
    steps: [
      joins("anna", "lobby", ["anna"], "小明"),
      joins("ben", "lobby", all, "小明"),
      says("anna", "lobby", "which of us?", all),
      says("ben", "lobby", "both", all),
    ],
  },
  {
    name: "a hundred lines keep their order",
    steps: [
      joins("anna", "lobby", ["anna"]),
      joins("ben", "lobby", all),
      ...Array.from({ length: 50 }, (_, i) => [
        { ...says("anna", "lobby", `a${i}`, all), rush: true },
        { ...says("anna", "lobby", `b${i}`, all), rush: i < 49 },
      ]).flat(),
    ],
  },
  {
    name: "one goes and comes back",
    steps: [
      joins("anna", "lobby", ["anna"]),
      joins("ben", "lobby", all),
      leaves("ben"),
      says("anna", "lobby", "alone now", ["anna"]),
      returns("ben"),
      joins("ben", "lobby", all),
      says("ben", "lobby", "back", all),
    ],
  },
];

let plays = 0;

/**
 * play acts a scenario out with the given peers and gives what each of them was sent. Rooms get a new name for every
 * play, taken out again in the transcript, so that plays on one server do not meet.
 */
export async function play({ steps }, open) {
  const suffix = `·${++plays}`;
  const peers = new Map();
  const due = new Map();
  const enter = async (who) => {
    if (!peers.has(who)) peers.set(who, await open(who));
    return peers.get(who);
  };
  try {
    for (const who of new Set(steps.map((step) => step.who))) await enter(who);
    const names = new Map();
    for (const step of [...steps, ...curtain(peers.keys())]) {
      const peer = peers.get(step.who);
      if (step.act === "join" && !names.has(step.who)) names.set(step.who, step.nickName);
      await act(peer, step, step.room + suffix, names.get(step.who));
      for (const who of step.hear) due.set(who, (due.get(who) ?? 0) + 1);
      if (!step.rush) for (const who of step.hear) await peers.get(who).hears(due.get(who));
    }
    return Object.fromEntries([...peers].map(([who, { frames }]) => [who, frames.map((text) => text.replaceAll(suffix, ""))]));
  } finally {
    for (const peer of peers.values()) peer.close();
  }
}

/** curtain ends a play: everybody, on the final transport, hears one line of a room of their own. What was sent to them before it has come by then. */
function curtain(everybody) {
  return [...everybody].map((who) => ({ who, act: "join", room: `${who}'s own`, nickName: who, hear: [who], settled: true }));
}

async function act(peer, step, room, nickName) {
  if (step.settled) await peer.settled();
  switch (step.act) {
    case "join": return peer.join(room, nickName);
    case "say": return peer.say(room, nickName, step.message);
    case "leave": return peer.leave();
    case "return": return peer.connect();
  }
}
