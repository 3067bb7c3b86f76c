// Walks the journey of a business through the Swagger UI that the service serves at /docs/, by the page alone: a form is filled in, Execute is
// pressed, and what the page shows is read. CPS_URL names a fresh sandbox (tests/browser/run starts one). With --shots the pictures of the README
// are taken.
import assert from "node:assert/strict";
import { join } from "node:path";

import { open as openBrowser, walked } from "./browser.mjs";

const url = process.env.CPS_URL;
assert(url, "CPS_URL names the sandbox");
const images = process.argv.includes("--shots") ? new URL("../../docs/images/", import.meta.url).pathname : null;

const pdf = Buffer.from("%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n");
const password = "a quiet harbour before the fog";
const email = "asta@nordlys.example";

const browser = await openBrowser(url);
const { page, complaints } = browser;

/** The block of an operation, opened and ready to be filled in. */
async function open(operationId) {
  const block = page.locator(`.opblock[id^="operations-"][id$="-${operationId}"]`);
  await block.scrollIntoViewIfNeeded();
  if (!(await block.evaluate((node) => node.classList.contains("is-open")))) await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").first().waitFor();
  const tryOut = block.locator(".try-out__btn:not(.cancel):not(.reset)");
  if ((await tryOut.count()) > 0) await tryOut.click();
  await block.locator(".btn.execute").waitFor();
  return block;
}

/** Fills in one operation's form, presses Execute, and returns what the page then shows: status, headers, body. */
async function tryIt(operationId, { params = {}, body, form = {}, file, keepOpen = false } = {}) {
  const block = await open(operationId);
  for (const [name, value] of Object.entries(params)) {
    await block.locator(`tr[data-param-name="${name}"]`).locator("input, textarea, select").first().fill(value);
  }
  if (body !== undefined) await block.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
  for (const [name, value] of Object.entries(form)) {
    const field = formField(block, name).locator("input:not([type=checkbox]), textarea, select").first();
    if ((await field.evaluate((node) => node.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  if (file) await formField(block, file.field).locator("input[type=file]").setInputFiles(file);
  const clear = block.locator(".btn-clear");
  if ((await clear.count()) > 0) await clear.click();
  await block.locator(".btn.execute").click();
  const live = block.locator(".live-responses-table .response").first();
  await live.waitFor();
  const shown = {
    status: Number.parseInt(await live.locator(".response-col_status").innerText(), 10),
    headers: await headersOf(live),
    text: await bodyText(live),
  };
  if (!keepOpen) await block.locator(".opblock-summary-control").click();
  return { ...shown, body: parsed(shown.text) };
}

/** The row of a form field: Swagger UI names it in the first cell. */
function formField(block, name) {
  return block.locator(".opblock-section-request-body tr, .opblock-section-request-body .parameters").filter({
    has: page.locator(".parameter__name", { hasText: new RegExp(`^${name}\\b`) }),
  }).last();
}

const bodyText = async (live) => {
  const code = live.locator(".response-col_description .highlight-code");
  return (await code.count()) > 0 ? code.first().locator("pre, code").first().textContent() : "";
};

/** Swagger UI shows a line `name: value` for each header. */
async function headersOf(live) {
  const lines = await live.locator(".response-col_description .headerline").allTextContents();
  return Object.fromEntries(lines.map((line) => /^([^:]+):\s*(.*)$/.exec(line.trim())?.slice(1)).filter(Boolean).map(([name, value]) => [name.toLowerCase(), value]));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Enters a token in the Authorize dialog, in place of the one that is there. */
async function authorize(token) {
  await page.locator(".auth-wrapper .btn.authorize").first().click();
  const dialog = page.locator(".dialog-ux .modal-ux");
  await dialog.waitFor();
  for (const logout of await dialog.getByRole("button", { name: /logout|remove authorization/i }).all()) await logout.click();
  const bearers = dialog.locator(".auth-container").filter({ hasText: /\(http, bearer\)/i });
  assert((await bearers.count()) > 0, "the Authorize dialog takes a bearer token");
  for (const scheme of await bearers.all()) {
    await scheme.locator("input").first().fill(token);
    await scheme.locator("button.authorize").click();
  }
  await dialog.locator(".btn-done").first().click();
  await dialog.waitFor({ state: "detached" });
}

/** A mail arrives by a job, so the mailbox is asked until it is there. */
async function mailOf(template) {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const { status, body } = await tryIt("readMailbox", { params: { to: email } });
    assert.equal(status, 200);
    const mail = body.items.find((item) => item.template === template);
    if (mail) return mail;
    await page.waitForTimeout(250);
  }
  assert.fail(`no mail ${template} to ${email}`);
}

async function signIn(person) {
  const { status, text, body } = await tryIt("createSession", { body: { email: person.email, password: person.password } });
  assert.equal(status, 201, text);
  await authorize(body.access_token);
}

/** One step of the walk: what the page must answer, and its name in the output. */
async function step(name, expected, operationId, fields) {
  const shown = await tryIt(operationId, fields);
  assert.equal(shown.status, expected, `${name}: ${shown.text}`);
  console.log(`ok ${name} (${shown.status})`);
  return shown;
}

async function shot(name) {
  if (images) await page.screenshot({ path: join(images, name) });
}

async function walk() {
  await page.goto(`${url}/docs/`);
  await page.locator(".opblock").first().waitFor();
  await shot("swagger-ui.png");

  const { body: card } = await step("the sandbox's card", 200, "readSandbox");
  const reviewer = card.staff.find((person) => person.roles.includes("reviewer"));

  const refused = await tryIt("registerAccount", { body: { company_name: "" } });
  assert.equal(refused.status, 422, refused.text);
  assert(refused.body.errors.length > 1, "every fault is shown at once");
  console.log("ok a form with faults (422)");

  const { body: made } = await step("register", 201, "registerAccount", {
    body: {
      company_name: "Nordlys Foto ApS",
      country: "DK",
      vat_registered: true,
      vat_number: "13585628",
      address: { street: "Havnegade 1", postal_code: "1058", city: "København K" },
      contact: { name: "Asta Holm", email, phone: "+4533110000" },
      language: "da",
      source: "itcg",
      authority_declared: true,
      accept_terms_version: "2026-01",
    },
  });
  const account = { account_id: made.account.id };
  await authorize(made.applicant_token);

  const { body: document } = await step("upload a document", 201, "uploadDocument", {
    params: account,
    form: { kind: "vat_registration_certificate" },
    file: { field: "file", name: "registreringsbevis.pdf", mimeType: "application/pdf", buffer: pdf },
  });
  await step("submit", 200, "submitApplication", { params: account });

  await signIn(reviewer);
  const decided = { ...account, document_id: document.id };
  await step("claim the case", 200, "claimReview", { params: account });
  await step("accept the document", 200, "decideDocument", { params: decided, body: { decision: "accept" } });
  await step("approve", 200, "decideReview", { params: account, body: { decision: "approve" } });

  const mail = await mailOf("first_password");
  const token = new URLSearchParams(new URL(mail.action_url).hash.slice(1)).get("token");
  assert(token, "the link of the mail carries a token");
  console.log("ok the first password's mail");
  await step("set the password", 204, "setPassword", { body: { token, new_password: password } });
  await signIn({ email, password });
  console.log("ok sign in as the member");

  const { body: models } = await step("the catalogue", 200, "listModels");
  const model = models.items.find((item) => item.category === "camera") ?? models.items[0];
  const { body: product } = await step("register a product", 201, "registerProduct", {
    params: account,
    body: { model_id: model.id, serial_number: "012021001234" },
  });
  assert.equal(product.status, "incomplete");
  const named = { ...account, product_id: product.id };
  const { headers } = await step("read it", 200, "readProduct", { params: named });
  assert(headers.etag, "the product's version is shown");

  const rest = { purchase_date: "2024-05-17", purchase_country: "DK", dealer: "Foto Nord" };
  const { body: complete } = await step("complete it with If-Match", 200, "updateProduct", {
    params: { ...named, "If-Match": headers.etag },
    body: rest,
    keepOpen: true,
  });
  assert.equal(complete.status, "complete");
  await page.locator('.opblock[id$="-updateProduct"] .live-responses-table').scrollIntoViewIfNeeded();
  await shot("swagger-ui-product.png");
  const stale = await tryIt("updateProduct", { params: { ...named, "If-Match": headers.etag }, body: rest });
  assert.equal(stale.status, 412, stale.text);
  console.log("ok the old version again (412)");

  assert.deepEqual(complaints, []);
}

process.exit((await walked(browser, walk)) ? 0 : 1);
