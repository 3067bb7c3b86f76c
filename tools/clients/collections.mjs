// collections.mjs CONTRACT: makes of the contract the collections that Postman and Bruno import, by their own converters. Every operation must be
// in them, with the body that the contract gives as an example; what anybody may read is then asked as it stands there, and the sign-in is tried.
// CPS_URL names the sandbox.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);
const { openApiToBruno } = require("@usebruno/converters");
const postman = require("openapi-to-postmanv2");
const newman = require("newman");

const contract = JSON.parse(await readFile(process.argv[2], "utf8"));
const url = process.env.CPS_URL;
assert(url, "CPS_URL names the sandbox");

/** What a reference of the contract refers to. */
const resolved = (value) => (value?.$ref ? value.$ref.slice(2).split("/").reduce((at, name) => at[name], contract) : value);

/** The body that an operation gives as an example; a form has none. */
function example({ requestBody }) {
  const media = ["application/json", "application/xml", "text/csv"].map((type) => requestBody?.content[type]).find(Boolean);
  if (!media) return undefined;
  const [named] = Object.values(media.examples ?? {});
  const body = resolved(named)?.value ?? media.example ?? resolved(media.schema).example;
  assert(body !== undefined, "a body has no example");
  return body;
}

/** The operations of the contract: how they are called, whether by anybody, and with what body. */
const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const isOpen = operation.security.length === 0 || operation.security.some((scheme) => Object.keys(scheme).length === 0);
    return { call: `${method.toUpperCase()} ${path}`, isOpen, isSimple: method === "get" && isOpen && !path.includes("{"), body: example(operation) };
  }),
);

/** How a request carries a token: that of a person, or that of a dealer's system. */
const TOKENS = new Set(["bearer", "oauth2"]);

/** The requests of a collection, whatever folders they are in. */
const requests = (items) => items.flatMap((item) => requests(item.items ?? item.item ?? []).concat(item.request ? [item] : []));

/** The body of a request, as the contract would give it. */
const read = (body, text) => (typeof body === "object" ? JSON.parse(text) : text);

/** Compares the requests of a collection, as { call, hasToken, text } each, with the contract. */
function compare(collection, found) {
  const byCall = new Map(found.map((request) => [request.call, request]));
  assert.deepEqual([...byCall.keys()].sort(), operations.map(({ call }) => call).sort(), `${collection}: the operations`);
  for (const { call, isOpen, body } of operations) {
    const request = byCall.get(call);
    assert(isOpen || request.hasToken, `${collection}: ${call} takes a token`);
    if (body !== undefined) assert.deepEqual(read(body, request.text), body, `${collection}: the body of ${call}`);
  }
  console.log(`${collection}: ${operations.length} operations, ${operations.filter(({ body }) => body !== undefined).length} bodies`);
}

const bruno = requests(openApiToBruno(contract).items);
const brunoCall = ({ request }) => `${request.method} ${request.url.replace("{{baseUrl}}", "").replace(/:(\w+)/g, "{$1}")}`;
compare(
  "Bruno",
  bruno.map((item) => {
    const { auth, body } = item.request;
    return { call: brunoCall(item), hasToken: TOKENS.has(auth.mode), text: body.json ?? body.text ?? body.xml };
  }),
);

// Told as the page for frontends says it: with the examples, and without optional parameters, for which the converter makes values up.
const options = { folderStrategy: "Tags", parametersResolution: "Example", enableOptionalParameters: false };
const { output, reason } = await promisify(postman.convertV2)({ type: "json", data: contract }, options);
assert(output, reason);
const collection = output[0].data;
const postmanItems = requests(collection.item);
const postmanCall = ({ request }) => `${request.method} /${request.url.path.join("/").replace(/:(\w+)/g, "{$1}")}`;
compare(
  "Postman",
  postmanItems.map((item) => {
    const { auth, body } = item.request;
    return { call: postmanCall(item), hasToken: TOKENS.has(auth?.type), text: body?.raw?.replace(/^<element>(.*)<\/element>\s*$/s, "$1") };
  }),
);

const signIn = "POST /v1/sessions";
const simple = operations.filter(({ isSimple }) => isSimple);
const asked = new Set([...simple.map(({ call }) => call), signIn]);

for (const item of bruno.filter((item) => asked.has(brunoCall(item)))) {
  const { method, url: template, body, headers } = item.request;
  const enabled = headers.filter((header) => header.enabled).map(({ name, value }) => [name, value]);
  const type = body.mode === "json" ? [["Content-Type", "application/json"]] : [];
  const answer = await fetch(template.replace("{{baseUrl}}", url), { method, headers: [...enabled, ...type], body: body.json ?? undefined });
  assert(answer.ok, `Bruno: ${brunoCall(item)} was answered ${answer.status}: ${await answer.text()}`);
}
console.log(`Bruno: ${asked.size} requests were answered`);

const chosen = postmanItems.filter((item) => asked.has(postmanCall(item)));
const run = await promisify(newman.run)({
  collection: { ...collection, item: chosen },
  envVar: [{ key: "baseUrl", value: url }],
});
const answered = run.run.executions.map(({ item, response }) => [item.name, response?.code]);
assert.deepEqual(answered.filter(([, code]) => !(code >= 200 && code < 300)), [], "Postman: what was not answered well");
assert.equal(answered.length, asked.size);
console.log(`Postman: ${answered.length} requests were answered`);
