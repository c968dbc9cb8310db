// A page of the seed's kind, as people have them: socket.io-client 4.3.2, no acks, one listener. In real tabs, from wherever such
// pages lie, it must work, say why when it does not, and go on.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { missing, noQun, startQun } from "./server.mjs";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const noBrowser = missing(executablePath, "install Chromium or say where it is with CHROMIUM");
const member = "林老师";

describe("a seed page in two tabs", { skip: noQun || noBrowser }, () => {
  let server, browser, site;
  before(async () => {
    server = await startQun({ members: [member] });
    site = await publish(server.port);
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    await server?.stop();
  });

  const ways = {
    "from the server's own origin": () => `${server.url}/seedpage/index.html`,
    "from another localhost port": () => `${site.url}/index.html`,
    "from a file": () => pathToFileURL(join(site.folder, "index.html")).href,
  };

  for (const [way, address] of Object.entries(ways)) {
    const open = (t) => openTab(t, browser, site.folder, address());

    test(`two people talk in a Chinese room, ${way}`, async (t) => {
      const room = `周五 晚上🍜 ${way}`;
      const [anna, ben] = [await open(t), await open(t)];
      await anna.joins("小安", room);
      await anna.sees(`小安：小安 加入了 ${room} 房间`);
      await ben.joins("小本", room);
      for (const tab of [anna, ben]) await tab.sees(`小本：小本 加入了 ${room} 房间`);
      await anna.says("吃什么？");
      await ben.says("<b>面</b> & 酒");
      for (const tab of [anna, ben]) {
        await tab.sees("小安：吃什么？");
        await tab.sees("小本：<b>面</b> & 酒");
      }
    });

    test(`what is typed while the server restarts arrives once, ${way}`, async (t) => {
      const room = `重启 ${way}`;
      const [anna, ben] = [await open(t), await open(t)];
      await anna.joins("小安", room);
      await ben.joins("小本", room);
      await anna.sees(`小本：小本 加入了 ${room} 房间`);

      await anna.cutOff(); // so that ben is back first: a page gets no history
      await server.halt();
      await anna.loses();
      await anna.says("有人吗？");
      await anna.says("还在吗？");
      await server.resume();
      await ben.sees(`小本：小本 加入了 ${room} 房间`, 2);
      await anna.reconnected();
      for (const tab of [ben, anna]) {
        await tab.sees("小安：有人吗？");
        await tab.sees("小安：还在吗？");
      }
      await anna.says("我回来了");
      await ben.sees("小安：我回来了");
      assert.deepEqual((await ben.lines()).filter((line) => line.startsWith("小安：") && !line.includes("加入了")),
        ["小安：有人吗？", "小安：还在吗？", "小安：我回来了"]);
    });
  }

  const openNear = (t) => openTab(t, browser, site.folder, ways["from another localhost port"]());

  test("a member's nickname gets the guests' suffix, and the page goes on", async (t) => {
    const [anna, guest] = [await openNear(t), await openNear(t)];
    await anna.joins("小安", "教室");
    await guest.joins(member, "教室");
    for (const tab of [anna, guest]) await tab.sees(`${member}（访客）：${member}（访客） 加入了 教室 房间`);
    await guest.says("老师好");
    for (const tab of [anna, guest]) await tab.sees(`${member}（访客）：老师好`);
  });

  test("two tabs may share a nickname", async (t) => {
    const tabs = [await openNear(t), await openNear(t)];
    for (const tab of tabs) await tab.joins("小明", "双胞胎");
    await tabs[0].sees("小明：小明 加入了 双胞胎 房间", 2);
    await tabs[0].says("我是一");
    await tabs[1].says("我是二");
    for (const tab of tabs) {
      await tab.sees("小明：我是一");
      await tab.sees("小明：我是二");
    }
  });

  test("an empty message is nothing, and the page goes on", async (t) => {
    const [anna, ben] = [await openNear(t), await openNear(t)];
    await anna.joins("小安", "安静");
    await ben.joins("小本", "安静");
    await ben.sees("小本：小本 加入了 安静 房间");
    await anna.says("");
    await anna.says("现在有了");
    await ben.sees("小安：现在有了");
    assert.ok(!(await ben.lines()).includes("小安："));
  });

  test("a page that speaks before it joined is told what to do", async (t) => {
    const tab = await openNear(t);
    await tab.page.evaluate(() => { room = { roomName: "门外", nickName: "小安" }; });
    await tab.says("有人吗？");
    await tab.page.waitForFunction(() => document.querySelector("li")?.textContent.startsWith("系统："));
    await tab.joins("小安", "门外");
    await tab.sees("小安：小安 加入了 门外 房间");
    await tab.says("进来了");
    await tab.sees("小安：进来了");
  });
});

/** publish lays the page out for a server on port: in a folder, and over HTTP on a port of its own. */
async function publish(port) {
  const folder = mkdtempSync(join(tmpdir(), "seedpage-"));
  const page = readFileSync(join(import.meta.dirname, "seedpage/index.html"), "utf8");
  writeFileSync(join(folder, "index.html"), page.replace("http://localhost:3000", `http://localhost:${port}`));
  copyFileSync(join(import.meta.dirname, "node_modules/client-4.3/dist/socket.io.min.js"), join(folder, "socket.io.min.js"));
  const http = createServer((request, response) => {
    const name = request.url.slice(1);
    if (!types[name]) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": types[name] }).end(readFileSync(join(folder, name)));
  });
  await new Promise((resolve) => http.listen(0, "localhost", resolve));
  return {
    folder,
    url: `http://localhost:${http.address().port}`,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

const types = { "index.html": "text/html; charset=utf-8", "socket.io.min.js": "text/javascript" };

/** openTab opens the page as a person of its own would. */
async function openTab(t, browser, folder, address) {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.route("**/seedpage/*", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    return types[name] ? route.fulfill({ contentType: types[name], path: join(folder, name) }) : route.fallback();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(address);
  await page.locator("#status", { hasText: "已连接" }).waitFor();
  return new Tab(context, page);
}

class Tab {
  constructor(context, page) {
    this.context = context;
    this.page = page;
  }

  async joins(nickName, room) {
    await this.page.fill("#nickName", nickName);
    await this.page.fill("#roomName", room);
    await this.page.click("text=加入");
  }

  async says(text) {
    await this.page.fill("#message", text);
    await this.page.click("text=发送");
  }

  lines() { return this.page.locator("li").allTextContents(); }

  /** sees waits until the line stands there so many times; lines() tells of more. */
  async sees(line, times = 1) {
    try {
      await this.page.waitForFunction(
        ([line, times]) => [...document.querySelectorAll("li")].filter((li) => li.textContent === line).length >= times, [line, times]);
    } catch {
      assert.fail(`waited in vain for ${times} × ${JSON.stringify(line)}; the page shows ${JSON.stringify(await this.lines())}`);
    }
    assert.equal((await this.lines()).filter((shown) => shown === line).length, times, line);
  }

  loses() { return this.page.locator("#status", { hasText: "未连接" }).waitFor(); }

  /** cutOff keeps the page from connecting anew until reconnected. */
  cutOff() { return this.context.route("**/socket.io/?*", (route) => route.abort()); }

  async reconnected() {
    await this.context.unroute("**/socket.io/?*");
    await this.page.locator("#status", { hasText: "已连接" }).waitFor();
  }
}
