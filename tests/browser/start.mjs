// Walks the journey from the start page to a membership by the page alone, in Danish on a narrow screen and in English on a wide one, and has axe-core look
// at each page on the way. CPS_URL names a fresh sandbox; BROWSER_SHOTS a folder for a picture of each step.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { axeSource, open, walked } from "./browser.mjs";

const url = process.env.CPS_URL;
assert(url, "CPS_URL names the sandbox");
const shots = process.env.BROWSER_SHOTS;
if (shots) await mkdir(shots, { recursive: true });
const axe = await readFile(axeSource, "utf8");
const password = "a quiet harbour before the fog";

async function isClean(page, name) {
  // By the browser itself: the page's policy keeps foreign scripts out.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  assert.deepEqual(told, [], `axe-core on ${name}`);
}

async function fits(page, name) {
  const [shown, whole] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
  assert(whole <= shown, `${name} is ${whole} wide on a screen of ${shown}`);
}

/** One walk at a width in a language; what is looked at on each page. */
async function walk({ page, complaints }, width, language) {
  const look = async (name) => {
    await fits(page, name);
    await isClean(page, name);
    if (shots) await page.screenshot({ path: join(shots, `${width}-${language}-${name}.png`), fullPage: true });
  };
  await page.goto(url);
  await page.locator(`[data-language=${language}]`).click();
  await page.locator("#members li").first().waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), language);
  await look("start");

  const step = async (n) => {
    const button = page.locator(`#step-${n} button[data-step="${n}"]`);
    await button.press("Enter"); // by the keyboard
    await page.waitForFunction((at) => !document.querySelector(`#step-${at} .result`)?.textContent.includes("…") && document.querySelector(`#step-${at} .result`)?.childNodes.length > 0, n);
    const result = page.locator(`#step-${n} .result`);
    assert.equal(await result.locator(".bad").count(), 0, `step ${n}: ${await result.innerText()}`);
    console.log(`ok ${width} ${language} step ${n}: ${(await result.locator("summary").allInnerTexts()).join(", ")}`);
  };
  for (const n of [1, 2, 3, 4, 5, 6]) {
    await step(n);
    if (n === 1) await look("step-1");
  }
  await look("mail");
  await page.locator("#step-6 a[data-link]").click();
  await page.locator("#password").waitFor();
  await look("password");
  await page.locator("#password").fill(password);
  await page.keyboard.press("Enter");
  await page.locator("#stand-in .good").waitFor();
  await look("password-set");
  await page.locator('a[href="/#step-7"]').click();
  await page.locator("#step-7 button").waitFor();
  for (const n of [7, 8, 9, 10]) await step(n);
  assert.match(await page.locator("#member-number").innerText(), /^\d{12}$/);
  await look("member");

  for (const [name, path] of [["application", "application#token=x"], ["membership", "membership"], ["invoice", "invoices/inv_00000000000070008000000000000002"], ["other", "elsewhere"]]) {
    await page.goto("about:blank");
    await page.goto(`${url}/sandbox/frontend/${path}`);
    await page.locator("#stand-in pre").waitFor();
    await look(`stand-in-${name}`);
  }
  assert.deepEqual(complaints, []);
}

/** One click, and Swagger UI has the token; it refreshes it, and takes a new one after the clock was moved. */
async function signsIn({ page, complaints }) {
  await page.goto(url);
  await page.locator('[data-person="kirsten@klitfoto.example"]').click();
  await page.waitForURL(`${url}/docs/`);
  await page.locator(".auth-wrapper .btn.authorize.locked").waitFor();
  const token = async () => page.evaluate(() => ui.authSelectors.authorized().getIn(["bearer", "value"]));
  const status = async () => page.evaluate(async () => (await fetch("/v1/me", { headers: { authorization: `Bearer ${ui.authSelectors.authorized().getIn(["bearer", "value"])}` } })).status);
  assert.equal(await status(), 200);
  const first = await token();
  const block = page.locator('.opblock[id$="-setClock"]');
  await block.scrollIntoViewIfNeeded();
  await block.locator(".opblock-summary-control").click();
  await block.locator(".btn.execute").click();
  await page.waitForFunction((before) => ui.authSelectors.authorized().getIn(["bearer", "value"]) !== before, first);
  assert.equal(await status(), 200);
  console.log("ok signed in with one click, and again after a day");
  await page.goto(url);
  page.once("dialog", (dialog) => dialog.accept());
  await page.locator("#reset").click();
  await page.locator("#reset-result code").waitFor();
  assert.match(await page.locator("#reset-result").innerText(), /200/);
  assert.equal(await page.evaluate(() => localStorage.getItem("cps-sandbox-caller")), null);
  console.log("ok begun again");
  assert.deepEqual(complaints, []);
}

/** What a mail says is shown as text, whatever it is. */
async function isText({ page }) {
  const name = "<img src=x onerror=\"document.title='run'\">";
  const answer = await fetch(`${url}/v1/accounts/acc_00000000000070008000000000000006/users`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await superuser()}` },
    body: JSON.stringify({ email: "nina@klitfoto.example", name, role: "member" }),
  });
  assert.equal(answer.status, 201, await answer.text());
  await page.goto(url);
  const mail = page.locator("#mails li", { hasText: "nina@klitfoto.example" });
  for (let tries = 0; tries < 40 && (await mail.count()) === 0; tries += 1) {
    await page.waitForTimeout(250); // it is sent by a job
    await page.locator("#fetch-mails").click();
  }
  assert(/<img src=x/.test(await mail.first().textContent()), "the mail shows the name as it was typed");
  assert.equal(await page.locator("#mails img").count(), 0);
  assert.notEqual(await page.title(), "run");
  console.log("ok what a mail says is text");
}

async function superuser() {
  const body = { email: "kirsten@klitfoto.example", password: "Sandbox-Adgang-2026" };
  const answer = await fetch(`${url}/v1/sessions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return (await answer.json()).access_token;
}

let isFine = true;
for (const [width, language] of [[1280, "en"], [1280, "da"], [360, "da"], [360, "en"]]) {
  const browser = await open(url, { width, height: 900 });
  isFine = (await walked(browser, () => walk(browser, width, language))) && isFine;
}
const browser = await open(url);
isFine = (await walked(browser, async () => {
  await isText(browser);
  await signsIn(browser);
})) && isFine;
process.exit(isFine ? 0 : 1);
