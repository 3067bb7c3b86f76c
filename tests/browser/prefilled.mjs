// Executes every operation in Swagger UI as it is filled in there: the form is opened and Execute is pressed, by a caller of the card, each on a sandbox
// that has just begun. Only files are chosen. CPS_URL names a sandbox.
import assert from "node:assert/strict";

import { open as openBrowser, walked } from "./browser.mjs";

const url = process.env.CPS_URL;
assert(url, "CPS_URL names the sandbox");

/** What is a dealer's system's: Authorize asks for its token. `sandbox::prefilled` sends them as they are filled in. */
const UNTRIED = new Set(["createToken", "createRegistration", "createRegistrationBatch", "cancelRegistrationBatch"]);

/** What cannot succeed on a sandbox that has just begun, and why. */
const EXCUSED = new Map([
  ["confirmInvoiceEmail", "no address for invoices waits yet"],
  ["refundPayment", "nobody has paid anything yet"],
  ["payOutRefund", "nobody has paid anything yet"],
  ["readBankStatement", "no bank statement has come yet"],
  ["releaseBankStatement", "no bank statement has come yet"],
  ["readBankTransaction", "no bank statement has come yet"],
  ["matchBankTransaction", "no bank statement has come yet"],
  ["unmatchBankTransaction", "no bank statement has come yet"],
  ["dismissBankTransaction", "no bank statement has come yet"],
  ["bringBackBankTransaction", "no bank statement has come yet"],
  ["retryJob", "no job has failed for good yet"],
  ["completeWorkItem", "no dealer's system has behaved oddly yet"],
  ["readEvent", "the events of a sandbox have ids of their own"],
  ["readRegistration", "no dealer has reported anything yet"],
  ["readRegistrationBatch", "no dealer has sent a batch yet"],
  ["listRegistrationLines", "no dealer has sent a batch yet"],
]);
const METHODS = ["get", "post", "put", "patch", "delete"];
const pdf = { name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4 a certificate") };

const browser = await openBrowser(url);
const { page, complaints } = browser;

async function ask(method, path, body) {
  const answer = await fetch(url + path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  assert(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

/** Every operation with the account in its path, in the order of the document. */
function operationsOf(contract) {
  const resolved = (one) => (one.$ref ? one.$ref.slice(2).split("/").reduce((at, key) => at[key], contract) : one);
  return Object.values(contract.paths).flatMap((item) => METHODS.filter((method) => item[method]).map((method) => {
    const operation = item[method];
    const account = (operation.parameters ?? []).map(resolved).find((one) => one.name === "account_id" && one.in === "path")?.example;
    return { id: operation.operationId, tag: operation.tags[0], callers: operation["x-callers"], account };
  }));
}

/** The token of somebody on the card who may call an operation. */
async function tokenFor({ id, callers, account }, card) {
  const isOwn = (one) => !account || one.account_id === account;
  if (callers.includes("anybody")) return null;
  const applicant = callers.includes("applicant") && card.applications.find((one) => one.applicant_token && isOwn(one));
  if (applicant) return applicant.applicant_token;
  const person = card.members.find((one) => isOwn(one) && callers.includes(one.role)) ?? card.staff.find((one) => callers.includes(one.roles[0]));
  assert(person, `nobody may call ${id}`);
  return (await ask("POST", "/v1/sessions", { email: person.email, password: person.password })).access_token;
}

/** Shows or hides the operations of a tag: the page is slow where it shows all of them. */
const show = (tag, isShown) => page.evaluate(([name, is]) => ui.layoutActions.show(["operations-tag", name], is), [tag, isShown]);

async function execute(operation, card) {
  await ask("POST", "/v1/sandbox/reset");
  const token = await tokenFor(operation, card);
  await page.evaluate((given) => (given ? ui.preauthorizeApiKey("bearer", given) : ui.authActions.logout(["bearer"])), token);
  await show(operation.tag, true);
  const block = page.locator(`.opblock[id^="operations-"][id$="-${operation.id}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".btn.execute").waitFor();
  const file = block.locator("input[type=file]");
  if ((await file.count()) > 0) await file.first().setInputFiles(pdf);
  await block.locator(".btn.execute").click();
  const live = block.locator(".live-responses-table .response").first();
  await live.waitFor({ timeout: 10_000 }).catch(() => {});
  const status = (await live.count()) > 0 ? Number.parseInt(await live.locator(".response-col_status").innerText(), 10) : 0;
  const said = status >= 200 && status < 300 ? "" : await block.locator(".opblock-body").innerText().catch(() => "");
  await block.locator(".opblock-summary-control").click();
  await show(operation.tag, false);
  return { status, said };
}

async function walk() {
  await page.goto(`${url}/docs/`);
  await page.locator(".opblock").first().waitFor();
  const contract = await ask("GET", "/openapi.json");
  const card = await ask("GET", "/v1/sandbox");
  const wrong = [];
  const operations = operationsOf(contract).filter(({ id }) => !UNTRIED.has(id));
  for (const tag of new Set(operations.map((one) => one.tag))) await show(tag, false);
  for (const operation of operations) {
    const { status, said } = await execute(operation, card);
    const isFine = status >= 200 && status < 300;
    if (process.env.VERBOSE) console.log(operation.id, status, Math.round(performance.now()), said.slice(-300));
    if (isFine === EXCUSED.has(operation.id)) wrong.push(`${operation.id}: ${status || "not sent"} ${said.slice(-600)}`);
  }
  assert.deepEqual(wrong, []);
  console.log(`ok ${operations.length} operations as they are filled in, but for ${[...EXCUSED].map(([id, why]) => `${id} (${why})`).join(", ")}`);
  assert.deepEqual(complaints, []);
}

process.exit((await walked(browser, walk)) ? 0 : 1);
