// Namespaces, packets, rooms, acks and recovery from outside.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { noTestbed, startTestbed } from "./server.mjs";
import { Frames, Poller } from "./wire.mjs";

describe("the sockets", { skip: noTestbed }, () => {
  let server;
  before(async () => { server = await startTestbed(); });
  after(() => server?.stop());

  const leaving = (t, peer) => { t.after(() => peer.leave()); return peer; };
  const frames = async (t, path) => leaving(t, await Frames.open(server, path));
  const joined = async (t, path, options) => leaving(t, await Frames.join(server, path, options));

  describe("namespaces", () => {
    test("are joined one by one, and what is refused leaves the others alone", async (t) => {
      const peer = await frames(t);
      peer.send('40/custom,{"token":"x"}');
      assert.match(await peer.hear(), /^40\/custom,\{"sid":"[\w-]{20}"\}$/);
      assert.equal(await peer.hear(), '42/custom,["auth",{"token":"x"}]');
      for (const [connect, answer] of [
        ["40/nobody,", '44/nobody,{"message":"Invalid namespace"}'],
        ["40/../custom,", '44/../custom,{"message":"Invalid namespace"}'],
        ["40/custom?a=b,", '44/custom?a=b,{"message":"Invalid namespace"}'],
        ['40/auth,{"token":"no"}', '44/auth,{"message":"not authorized","data":{"code":"E_AUTH"}}'],
        ["40/nodata,", '44/nodata,{"message":"refused"}'],
        ["40/dyn-,", '44/dyn-,{"message":"Invalid namespace"}'],
        ["40/x/dyn-1/y,", '44/x/dyn-1/y,{"message":"Invalid namespace"}'],
      ]) {
        peer.send(connect);
        assert.equal(await peer.hear(), answer);
      }
      peer.send('42/custom,1["id"]');
      assert.match(await peer.hear(), /^43\/custom,1\["[\w-]{20}"\]$/);
    });

    test("may be joined without a comma, with an id, or by a pattern", async (t) => {
      const peer = await frames(t);
      for (const [connect, answers] of [
        ["40/custom", [/^40\/custom,\{"sid"/, /^42\/custom,\["auth",\{\}\]$/]],
        ["401", [/^40\{"sid"/, /^42\["auth",\{\}\]$/]],
        ["40/dyn-17,", [/^40\/dyn-17,\{"sid"/, /^42\/dyn-17,\["nsp","\/dyn-17"\]$/]],
      ]) {
        peer.send(connect);
        for (const answer of answers) assert.match(await peer.hear(), answer);
      }
    });

    test("have ids of their own, which are not the session's", async (t) => {
      const peer = await joined(t);
      peer.send("40/custom,");
      const { sid } = JSON.parse((await peer.hear()).slice("40/custom,".length));
      assert.equal(new Set([peer.open.sid, peer.socket.sid, sid]).size, 3);
    });

    test("are left alone, and may be joined again", async (t) => {
      const peer = await joined(t);
      peer.send("40/custom,");
      await peer.hear();
      await peer.hear();
      peer.send("41/custom,", "40/custom,");
      assert.match(await peer.hear(), /^40\/custom,/);
      assert.match(await peer.hear(), /^42\/custom,\["auth"/);
      await peer.quiet();
    });

    test("must be joined in time", async (t) => {
      const silent = await frames(t);
      const refused = await frames(t);
      refused.send("40/nobody,");
      await Promise.all([silent.end(), refused.end()]);
    });

    test("refuse events one by one", async (t) => {
      const peer = await frames(t);
      peer.send("40/mw,", '42/mw,1["bad"]', '42/mw,2["message-with-ack","good"]');
      assert.match(await peer.hear(), /^40\/mw,/);
      assert.equal(await peer.hear(), '42/mw,["blocked","blocked"]');
      assert.equal(await peer.hear(), '43/mw,2["good"]');
    });
  });

  describe("a connection ends on", () => {
    const bad = {
      "an unknown type": "49",
      "no type": "4",
      "JSON that is none": "42{",
      "an event that is an object": '42{"a":1}',
      "an event that is empty": "42[]",
      "an event without a payload": "42",
      "an event with an id and no payload": "421",
      "an event whose name is an object": '42[{"toString":1}]',
      "a reserved event": '42["connect"]',
      "the reserved event disconnecting": '42["disconnecting"]',
      "an ack that is no list": "431{}",
      "a refusal": '44{"message":"x"}',
      "a DISCONNECT with a payload": "41{}",
      "a CONNECT that is a list": "40/custom,[]",
      "a CONNECT that is null": "40/custom,null",
      "an event for a namespace that was not joined": '42/custom,["message"]',
      "CONNECT twice": "40",
      "no attachments where there must be": '450-["message"]',
      "too many attachments": '4511-["message"]',
      "a billion attachments": '45999999999-["message"]',
      "attachments in exponential notation": '451e1-["message",{"_placeholder":true,"num":0}]',
      "attachments without a dash": '451["message",{"_placeholder":true,"num":0}]',
      "text where bytes must come": ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
      "bytes that nobody announced": Buffer.from([1]),
      "a placeholder named like a property": ['451-["message",{"_placeholder":true,"num":"splice"}]', Buffer.from([1])],
      "a placeholder out of range": ['451-["message",{"_placeholder":true,"num":1}]', Buffer.from([1])],
      "a placeholder below zero": ['451-["message",{"_placeholder":true,"num":-1}]', Buffer.from([1])],
      "JSON too deep to be of use": `42["message",${"[".repeat(5000)}${"]".repeat(5000)}]`,
    };
    for (const [what, messages] of Object.entries(bad)) {
      test(`${what}, and on nothing before it`, async (t) => {
        const witness = await joined(t);
        const peer = await joined(t);
        peer.send('427["id"]');
        const [id] = JSON.parse((await peer.hear()).slice(3));
        peer.send(...[messages].flat());
        await peer.end();
        let reason = null;
        while (reason === null) [reason] = await witness.ask("reason", id);
        assert.ok(["forced close", "forced server close", "parse error"].includes(reason), reason);
      });
    }

    test("a first packet that is no CONNECT", async (t) => {
      const patient = await frames(t); // it is ended too, but later
      const peer = await frames(t);
      peer.send('42["message"]');
      assert.equal(await Promise.race([peer.end().then(() => peer), patient.end().then(() => patient)]), peer);
    });

    test("a second CONNECT while the first is still considered", async (t) => {
      const peer = await joined(t);
      peer.send("40/slow,", "40/slow,");
      await peer.end();
    });
  });

  describe("events", () => {
    const echoed = {
      "numbers that are too large for a float": '["message",12345678901234567890,1.10,1e400]',
      "keys in their order, and twice": '["message",{"b":1,"a":2,"b":3}]',
      "HTML and line separators": '["message","<>&\u2028\u2029\\u2028"]',
      "a placeholder that is ordinary data": '["message",{"_placeholder":true,"num":0}]',
      "nothing": '["message"]',
    };
    for (const [what, payload] of Object.entries(echoed)) {
      test(`are relayed as they are: ${what}`, async (t) => {
        const peer = await joined(t);
        peer.send(`42${payload}`);
        const answer = await peer.hear();
        assert.equal(answer.replaceAll("\\u2028", "\u2028").replaceAll("\\u2029", "\u2029"),
          `42${payload.replace('"message"', '"message-back"')}`.replaceAll("\\u2028", "\u2028"));
      });
    }

    test("carry up to ten attachments, whole", async (t) => {
      const peer = await joined(t);
      const places = Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }));
      peer.send(`4510-["message",${JSON.stringify(places)}]`, ...places.map(({ num }) => Buffer.alloc(num, num)));
      assert.equal(await peer.hear(), `4510-["message-back",${JSON.stringify(places)}]`);
      for (const { num } of places) assert.deepEqual(await peer.hear(), Buffer.alloc(num, num));
    });

    test("need not use all attachments, and are answered with attachments", async (t) => {
      const peer = await joined(t);
      peer.send('451-0["join","unused"]', Buffer.from([9]), '451-12["message-with-ack",{"_placeholder":true,"num":0}]', Buffer.from([8]));
      assert.equal(await peer.hear(), '430[["unused"]]');
      assert.equal(await peer.hear(), '461-12[{"_placeholder":true,"num":0}]');
      assert.deepEqual(await peer.hear(), Buffer.from([8]));
    });

    test("from the server number their attachments depth first", async (t) => {
      const peer = await joined(t);
      peer.send('42["bin"]');
      assert.equal(await peer.hear(), '452-["bin",{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]},"x"]');
      assert.deepEqual(await peer.hear(), Buffer.from([1, 2, 3]));
      assert.deepEqual(await peer.hear(), Buffer.from([4]));
    });

    test("are answered once, and not at all when nobody handles them", async (t) => {
      const peer = await joined(t);
      peer.send('420["double-ack"]', '421["nobody-handles-this"]');
      assert.equal(await peer.hear(), "430[1]");
      await peer.quiet();
    });

    test("ask, take the first answer, and count no one else's", async (t) => {
      const peer = await joined(t);
      const other = await joined(t);
      peer.send('42["ask"]');
      const [, id] = /^42(\d+)\["need-ack",1\]$/.exec(await peer.hear());
      other.send(`43${id}["forged"]`, "43999[]", "43[]");
      await other.quiet();
      peer.send(`43${id}["mine",2]`, `43${id}["again"]`);
      assert.equal(await peer.hear(), '42["got-ack","mine",2]');
      await peer.quiet();
    });

    test("ask, and go on without an answer", async (t) => {
      const peer = await joined(t);
      peer.send('42["ask-timeout",50]');
      const [, id] = /^42(\d+)\[/.exec(await peer.hear());
      assert.equal(await peer.hear(), '42["got-ack","timeout"]');
      peer.send(`43${id}["late"]`);
      await peer.quiet();
    });

    test("after a DISCONNECT in the same breath are dropped", async () => {
      const peer = await Poller.open(server);
      await peer.connected();
      await peer.send("41", "40/custom,");
      await peer.until(/^42\/custom,\["auth"/);
      await peer.send('42/custom,["message","before"]', "41/custom,", "40/slow,");
      const packets = await peer.until(/^40\/slow,/);
      assert.ok(packets.includes('42/custom,["message-back","before"]'));
    });

    test("that are volatile are for who takes them at once", async (t) => {
      const attentive = await joined(t);
      attentive.send('42["later-volatile",0,"heard"]');
      assert.equal(await attentive.hear(), '42["late","heard"]');

      const absent = await Poller.open(server);
      await absent.connected();
      await absent.send('42["later-volatile",0,"missed"]'); // while no poll waits
      await attentive.pinged();
      await absent.send("3", '42["later",0,"kept"]');
      const packets = await absent.until(/kept/);
      assert.ok(!packets.some((packet) => packet.includes("missed")), packets);
    });

    test("may be large", async (t) => {
      const peer = await joined(t);
      peer.send('42["big",3000000]');
      assert.equal((await peer.hear()).length, 3_000_000 + '42["big",""]'.length);
    });
  });

  describe("rooms", () => {
    test("reach the union of what is named, each socket once, without who is excepted", async (t) => {
      const [anna, ben, carl] = [await joined(t), await joined(t), await joined(t)];
      assert.deepEqual(await anna.ask("join", ["r1", "r2"]), [["r1", "r2"]]);
      await ben.ask("join", ["r2", "r3"]);
      await carl.ask("join", "r3");
      assert.deepEqual(await anna.ask("members", "r2"), [[anna.socket.sid, ben.socket.sid].sort()]);

      const sends = async (options, text) => assert.equal((await sent(carl, { ...options, text })), "sent");
      await sends({ rooms: ["r1", "r2"] }, "union");
      await sends({ rooms: ["r3"], via: "socket" }, "not to myself");
      await sends({ rooms: ["r1", "r2"], except: ["r3"] }, "but r3");
      await sends({ except: [carl.socket.sid], rooms: [] }, "to all but one");
      await sends({ rooms: [anna.socket.sid] }, "to one");
      assert.deepEqual(await heard(anna), ["union", "but r3", "to all but one", "to one"]);
      assert.deepEqual(await heard(ben), ["union", "not to myself", "to all but one"]);
      assert.deepEqual(await heard(carl), []);

      assert.deepEqual(await ben.ask("leave", "r2"), [["r3"]]);
      assert.deepEqual(await anna.ask("members", "r2"), [[anna.socket.sid]]);
    });

    test("are joined and left for others, and their sockets disconnected", async (t) => {
      const [anna, ben] = [await joined(t), await joined(t)];
      await ben.ask("join", "from");
      assert.deepEqual(await anna.ask("all-join", "from", "to"), ["ok"]);
      assert.deepEqual(await anna.ask("members", "to"), [[ben.socket.sid]]);
      assert.deepEqual(await anna.ask("all-leave", "from", "to"), ["ok"]);
      assert.deepEqual(await anna.ask("members", "to"), [[]]);
      anna.send('42["all-disconnect","from"]');
      assert.equal(await ben.hear(), "41");
      let reason = null;
      while (reason === null) [reason] = await anna.ask("reason", ben.socket.sid);
      assert.equal(reason, "server namespace disconnect");
      assert.deepEqual(await anna.ask("members", "from"), [[]]);
    });

    test("answer together, or as far as they do in time", async (t) => {
      const [anna, ben, carl] = [await joined(t), await joined(t), await joined(t)];
      await ben.ask("join", "jury");
      await carl.ask("join", "jury");
      const question = async (peer) => /^42(\d+)\["need-ack",1\]$/.exec(await peer.hear())[1];

      anna.send('42["ask-room","jury",5000]');
      const id = await question(ben);
      assert.equal(await question(carl), id);
      ben.send(`43${id}["b"]`);
      await ben.quiet();
      carl.send(`43${id}["c"]`);
      assert.equal(await anna.hear(), '42["room-acks",["b","c"]]');

      anna.send('42["ask-room","jury",200]');
      ben.send(`43${await question(ben)}["b"]`);
      assert.equal(await anna.hear(), '42["room-acks-timeout",["b"]]');

      anna.send('42["ask-room","nobody",5000]');
      assert.equal(await anna.hear(), '42["room-acks",[]]');
    });
  });

  describe("the end of a socket", () => {
    const ways = {
      "client namespace disconnect": (peer) => peer.send("41"),
      "server namespace disconnect": (peer) => peer.send('42["kick"]'),
      "transport close": (peer) => peer.ws.close(),
      "ping timeout": (peer) => { peer.silent = true; },
      "forced close": (peer) => peer.send("42{"),
      "parse error": (peer) => peer.send("9"),
    };
    for (const [reason, end] of Object.entries(ways)) {
      test(`has the reason ${reason}`, async (t) => {
        const [witness, peer] = [await joined(t), await joined(t)];
        end(peer);
        let found = null;
        while (found === null) [found] = await witness.ask("reason", peer.socket.sid);
        assert.equal(found, reason);
      });
    }

    test("takes the connection along if the server wants it so", async (t) => {
      const peer = await joined(t);
      peer.send("40/custom,");
      for (let i = 0; i < 2; i++) assert.match(await peer.hear(), /^4[02]\/custom,/);
      peer.send('42["kick-close"]');
      assert.deepEqual([await peer.hear(), await peer.hear()], ["41", "41/custom,"]);
      await peer.end();
    });
  });

  describe("recovery", () => {
    const recoverable = async (t, connect = "40") => {
      const peer = await frames(t, "/csr/");
      peer.send(connect);
      const packets = [];
      const until = async (start) => { do packets.push(await peer.hear()); while (!packets.at(-1).startsWith(start)); return packets.pop(); };
      const socket = JSON.parse((await until("40")).slice(2));
      const missed = packets.splice(0);
      const [, recovered, offset] = JSON.parse((await until('42["hello"')).slice(2));
      return Object.assign(peer, { missed, socket, recovered, offset });
    };

    test("gives back the socket, its rooms and what it missed, before the CONNECT", async (t) => {
      const sender = await recoverable(t);
      const peer = await recoverable(t);
      assert.deepEqual([peer.recovered, typeof peer.socket.pid, typeof peer.offset], [false, "string", "string"]);
      await peer.ask("join", "kept");
      peer.leave();
      sender.send('427["send",{"rooms":["kept"],"text":"missed"}]');
      assert.equal(await sender.hear(), '437["sent"]');

      const back = await recoverable(t, `40${JSON.stringify({ pid: peer.socket.pid, offset: peer.offset })}`);
      assert.equal(back.recovered, true);
      assert.deepEqual(back.socket, peer.socket);
      assert.deepEqual(back.missed.map((packet) => JSON.parse(packet.slice(2)).slice(0, 2)), [["room-msg", "missed"]]);
      assert.deepEqual(await back.ask("members", "kept"), [[peer.socket.sid]]);
    });

    test("takes the socket from a connection that only seems to live, and leaves one", async (t) => {
      const witness = await recoverable(t);
      const peer = await recoverable(t);
      await peer.ask("join", "moved");
      const connect = `40${JSON.stringify({ pid: peer.socket.pid, offset: peer.offset })}`;
      const back = await recoverable(t, connect);
      assert.deepEqual([back.recovered, back.socket], [true, peer.socket]);
      await peer.end();
      const again = await recoverable(t, connect);
      await back.end();
      assert.deepEqual(await witness.ask("members", "moved"), again.recovered ? [[peer.socket.sid]] : [[]]);
    });

    test("starts afresh when nothing is known, without an error", async (t) => {
      const { socket, offset } = await recoverable(t);
      for (const auth of [{ pid: "guessed", offset }, { pid: socket.sid, offset }, { pid: socket.pid, offset: "nonsense" }, { pid: 1, offset: {} }, { pid: socket.pid }]) {
        const fresh = await recoverable(t, `40${JSON.stringify(auth)}`);
        assert.equal(fresh.recovered, false, JSON.stringify(auth));
        assert.notEqual(fresh.socket.sid, socket.sid);
      }
    });

    test("is not for who left of its own will", async (t) => {
      const peer = await recoverable(t);
      peer.send("41");
      peer.ws.close();
      await peer.end();
      const fresh = await recoverable(t, `40${JSON.stringify({ pid: peer.socket.pid, offset: peer.offset })}`);
      assert.equal(fresh.recovered, false);
    });
  });
});

async function sent(peer, options) {
  peer.send(`427["send",${JSON.stringify(options)}]`);
  for (;;) {
    const packet = await peer.hear();
    if (packet.startsWith("437")) return JSON.parse(packet.slice(3))[0];
    (peer.mail ??= []).push(packet);
  }
}

/** heard gives the texts that have come to the rooms of peer. */
async function heard(peer) {
  peer.send('427["id"]');
  const packets = peer.mail ?? [];
  while (!packets.at(-1)?.startsWith("437")) packets.push(await peer.hear());
  return packets.slice(0, -1).map((packet) => JSON.parse(packet.slice(2))[1]);
}
