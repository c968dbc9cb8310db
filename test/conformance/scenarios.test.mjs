// Every scenario, for every official client, over every transport, on every server: frame by frame what Node's socket.io sends.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Peer, transports, versions } from "./client.mjs";
import { play, scenarios } from "./scenarios.mjs";
import { startReference } from "./seed.mjs";
import { noQun, noSeed, startQun, startSeed } from "./server.mjs";

const subjects = [
  { name: "qun serve", start: startQun, skip: noQun },
  { name: "examples/seed", start: startSeed, skip: noSeed },
];

let reference;
before(async () => { reference = await startReference(); });
after(() => reference.stop());

for (const { name, start, skip } of subjects) {
  describe(name, { skip }, () => {
    let server;
    before(async () => { server = await start(); });
    after(() => server?.stop());

    for (const version of versions) {
      for (const transport of Object.keys(transports)) {
        for (const scenario of scenarios) {
          test(`${version} over ${transport}: ${scenario.name}`, async () => {
            const cast = () => ({ version, transport });
            await compare(scenario, server, cast);
          });
        }
      }
    }

    test("clients of three versions over three transports in one room", async () => {
      const cast = (who) => ({
        anna: { version: "4.8.4", transport: "upgrade" },
        ben: { version: "3.1.3", transport: "polling" },
        carl: { version: "4.3.2", transport: "websocket" },
      })[who];
      for (const scenario of scenarios) await compare(scenario, server, cast);
    });
  });
}

async function compare(scenario, server, cast) {
  const perform = (url) => play(scenario, (who) => new Peer(url, cast(who)).connect());
  const expected = await perform(reference.url);
  assert.deepEqual(await perform(server.url), expected);
}
