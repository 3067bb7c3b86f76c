// A business becomes a member, by the client that openapi-typescript and openapi-fetch make of the contract. Nothing is cast, and no header is
// set but by the client's own middleware: what does not compile here would not compile in a frontend. CPS_URL names a fresh sandbox.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./generated/sandbox/openapi-fetch.ts";

type Template = components["schemas"]["Template"];

assert(process.env.CPS_URL, "CPS_URL names the sandbox");
const baseUrl: string = process.env.CPS_URL;

/** A client that sends this token with each request. */
function signedInWith(token: string) {
  const client = createClient<paths>({ baseUrl });
  const authorization: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token}`);
      return request;
    },
  };
  client.use(authorization);
  return client;
}

/** What was answered, where it was no problem. */
function given<T>(answer: { data?: T; error?: components["schemas"]["Problem"]; response: Response }): T {
  if (answer.error) throw new Error(`${answer.response.url}: ${answer.error.code}: ${JSON.stringify(answer.error.errors)}`);
  assert(answer.data !== undefined, `${answer.response.url} answered ${answer.response.status} with nothing`);
  return answer.data;
}

/** Signs in, and returns the access token. */
async function signIn(email: string, password: string) {
  return given(await anybody.POST("/v1/sessions", { body: { email, password } })).access_token;
}

/** The newest mail of the template to this address: mails go out a moment later. */
async function mail(to: string, template: Template) {
  for (let tries = 0; tries < 100; tries++) {
    const mailbox = given(await anybody.GET("/v1/sandbox/mailbox", { params: { query: { to } } }));
    const found = mailbox.items.find((item) => item.template === template);
    if (found) return found;
    await setTimeout(100);
  }
  throw new Error(`no mail ${template} came to ${to}`);
}

const email = "walk@nordlys.example";
const anybody = createClient<paths>({ baseUrl });

const programme = given(await anybody.GET("/v1/programme"));
const registered = given(
  await anybody.POST("/v1/accounts", {
    body: {
      company_name: "Nordlys Foto ApS",
      country: "DK",
      vat_registered: true,
      vat_number: "13585628",
      address: { street: "Havnegade 1", postal_code: "1058", city: "København K" },
      contact: { name: "Asta Holm", email },
      language: "da",
      authority_declared: true,
      accept_terms_version: programme.terms_version,
    },
  }),
);
const path = { account_id: registered.account.id };

const applicant = signedInWith(registered.applicant_token);
const document = given(
  await applicant.POST("/v1/accounts/{account_id}/documents", {
    params: { path },
    body: { kind: "vat_registration_certificate", file: new Blob(["%PDF-1.4 a certificate"], { type: "application/pdf" }) },
    bodySerializer({ kind, file }) {
      const form = new FormData();
      form.append("kind", kind);
      form.append("file", file, "certificate.pdf");
      return form;
    },
  }),
);
const submitted = given(await applicant.POST("/v1/accounts/{account_id}/submission", { params: { path } }));
assert.equal(submitted.status, "submitted");

const card = given(await anybody.GET("/v1/sandbox"));
const reviewer = card.staff.find((person) => person.roles.includes("reviewer"));
assert(reviewer, "the card names a reviewer");
const staff = signedInWith(await signIn(reviewer.email, reviewer.password));
given(await staff.POST("/v1/reviews/{account_id}/claim", { params: { path } }));
given(
  await staff.PUT("/v1/reviews/{account_id}/documents/{document_id}", {
    params: { path: { ...path, document_id: document.id } },
    body: { decision: "accept" },
  }),
);
const approved = given(await staff.POST("/v1/reviews/{account_id}/decision", { params: { path }, body: { decision: "approve" } }));
assert.equal(approved.status, "approved");

const link = new URL((await mail(email, "first_password")).action_url ?? "");
const token = new URLSearchParams(link.hash.slice(1)).get("token");
assert(token, "the mail's link carries a token");
const password = "en lang og god sætning";
const set = await anybody.POST("/v1/passwords", { body: { token, new_password: password } });
assert.equal(set.response.status, 204);
const member = signedInWith(await signIn(email, password));
assert.equal(given(await member.GET("/v1/me")).account_id, path.account_id);

const models = given(await anybody.GET("/v1/models", { params: { query: { query: "5D Mark III" } } }));
const [model] = models.items;
assert(model, "the catalogue has the model");
const params = { path };
let points = given(await member.GET("/v1/accounts/{account_id}/points", { params }));
for (let number = 1; points.balance < 500; number++) {
  assert(number < 10, "ten products give 500 points");
  const answer = await member.POST("/v1/accounts/{account_id}/products", { params, body: { model_id: model.id } });
  const product = given(answer);
  assert.deepEqual([product.status, product.missing.length], ["incomplete", 4]);
  const version = answer.response.headers.get("etag");
  assert(version, "a product has its version in ETag");
  const completed = given(
    await member.PATCH("/v1/accounts/{account_id}/products/{product_id}", {
      params: { path: { ...path, product_id: product.id }, header: { "If-Match": version } },
      body: { serial_number: `01202100200${number}`, purchase_date: "2024-05-17", purchase_country: "DK", dealer: "Foto Nord" },
    }),
  );
  assert.equal(completed.status, "complete");
  points = given(await member.GET("/v1/accounts/{account_id}/points", { params }));
}
assert(points.invited);

const { levels } = given(await member.GET("/v1/accounts/{account_id}/membership/levels", { params }));
const level = levels.find((one) => one.open);
assert(level, "a level is open");
const joined = given(
  await member.POST("/v1/accounts/{account_id}/membership", {
    params: { path, header: { "Idempotency-Key": "join-1" } },
    body: { level: level.level, payment_method: "bank_transfer", accept_terms_version: programme.terms_version },
  }),
);
const membership = given(await member.GET("/v1/accounts/{account_id}/membership", { params }));
assert.deepEqual([membership.status, membership.member_number], ["active", joined.member_number]);

const refused = await member.POST("/v1/accounts/{account_id}/products", { params, body: { model_id: model.id, serial_number: "000000" } });
assert.equal(refused.error?.code, "invalid_request");
assert.equal(refused.error?.errors?.[0]?.pointer, "#/serial_number");

console.log(`member ${membership.member_number}, ${membership.level} until ${membership.ends_date}`);
