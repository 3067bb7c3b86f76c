// bruno.mjs CONTRACT FOLDER: writes a Bruno collection of a sandbox's contract into an empty folder: every operation by tag, an environment with what
// its first dealer signs in with, and a dealer's day, whose requests run one after another and assert what they are answered. Bruno fetches the token
// by itself. Its own converter and writer are called; what they leave to be filled in is filled in here.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const { openApiToBruno } = require("@usebruno/converters");
const { stringifyCollection, stringifyEnvironment, stringifyFolder, stringifyRequest } = require("@usebruno/filestore");

const [contractFile, folder] = process.argv.slice(2);
const contract = JSON.parse(await readFile(contractFile, "utf8"));
const collection = openApiToBruno(contract);
const format = { format: "bru" };
const DAY = "A dealer's day";

/** The credentials that the contract shows. */
const client = contract.components.schemas.TokenRequest.example;

/** A token for the dealer's client, fetched when a request first needs it. */
const oauth2 = {
  grantType: "client_credentials",
  accessTokenUrl: "{{baseUrl}}/v1/oauth/token",
  clientId: "{{clientId}}",
  clientSecret: "{{clientSecret}}",
  credentialsPlacement: "basic_auth_header",
  credentialsId: "dealer",
  tokenPlacement: "header",
  tokenHeaderPrefix: "Bearer",
  autoFetchToken: true,
  autoRefreshToken: false,
};

/** The requests of a collection, whatever folders they are in. */
const requests = (items) => items.flatMap((item) => (item.items ? requests(item.items) : [item]));
const pathOf = ({ request }) => request.url.replace("{{baseUrl}}", "").replace(/:(\w+)/g, "{$1}");
const call = (item) => `${item.request.method} ${pathOf(item)}`;

/** A request with the collection's token where a dealer's system may send it, else one that is entered, or none. The answers are in the contract. */
function mended(item) {
  const { security } = contract.paths[pathOf(item)][item.request.method.toLowerCase()];
  const takes = (scheme) => security.some((one) => scheme in one);
  const mode = takes("partner") ? "inherit" : takes("bearer") ? "bearer" : "none";
  return { ...item, examples: [], request: { ...item.request, auth: { mode, bearer: item.request.auth.bearer } } };
}

const operations = new Map(requests(collection.items).map((item) => [call(item), mended(item)]));

/** One request of the dealer's day: an operation of the contract, with what is sent, what is asserted, and a script for the next ones. */
function step(name, operation, { json, csv, key, path = {}, query = {}, asserts, pre, post }) {
  const item = operations.get(operation);
  assert(item, `the contract has no ${operation}`);
  const body = json ? { mode: "json", json: JSON.stringify(json, null, 2) } : csv ? { mode: "text", text: csv } : item.request.body;
  const headers = Object.entries({ "Idempotency-Key": key, "Content-Type": csv && "text/csv" }).filter(([, value]) => value);
  const params = [
    ...Object.entries(path).map(([name, value]) => ({ name, value, type: "path", enabled: true })),
    ...Object.entries(query).map(([name, value]) => ({ name, value, type: "query", enabled: true })),
  ];
  const asked = new URLSearchParams(query).toString();
  return {
    ...item,
    name,
    request: {
      ...item.request,
      url: item.request.url + (asked && `?${asked}`),
      auth: { mode: operation === TOKEN ? "none" : "inherit" },
      headers: headers.map(([name, value]) => ({ name, value, enabled: true })),
      params,
      body,
      assertions: Object.entries(asserts).map(([name, value]) => ({ name, value, enabled: true })),
      script: { req: pre, res: post },
    },
  };
}

const TOKEN = "POST /v1/oauth/token";
const BATCHES = "/v1/registration-batches";
const sale = {
  external_id: "{{run}}-1",
  member_number: "{{customer}}",
  model: "EOS R6 Mark II",
  serial_number: "{{run}}0001",
  purchase_date: "2026-01-20",
};
const columns = Object.keys(sale).join(";");
const record = (number, model) => `{{run}}-${number};{{customer}};${model};{{run}}000${number};2026-01-20`;

const day = [
  step("Who is there", "GET /v1/sandbox", {
    asserts: { "res.status": "eq 200" },
    post: "bru.setVar('run', String(Date.now()).slice(-8));\nbru.setVar('customer', res.body.customers.member_number);",
  }),
  step("A token", TOKEN, { asserts: { "res.status": "eq 200", "res.body.token_type": "eq Bearer", "res.body.expires_in": "eq 600" } }),
  step("One line", "POST /v1/registrations", {
    json: sale,
    asserts: { "res.status": "eq 201", "res.body.status": "eq offered", "res.body.id": "startsWith reg_" },
  }),
  step("The same line again", "POST /v1/registrations", { json: sale, asserts: { "res.status": "eq 200", "res.body.status": "eq unchanged" } }),
  step("A line that is wrong", "POST /v1/registrations", {
    json: { ...sale, external_id: "{{run}}-2", serial_number: "12" },
    asserts: { "res.status": "eq 422", "res.body.code": "eq invalid_request", "res.body.errors[0].pointer": "eq #/serial_number" },
  }),
  step("A file", `POST ${BATCHES}`, {
    csv: [columns, record(3, "EOS R6 Mark II"), record(4, "EOS R6 Mark Two")].join("\n"),
    key: "{{run}}-file",
    asserts: { "res.status": "eq 202", "res.body.id": "startsWith bat_", "res.body.lines": "eq 2" },
    post: "bru.setVar('batch', res.body.id);\nbru.setVar('tries', 0);",
  }),
  step("Where the file stands", `GET ${BATCHES}/{batch_id}`, {
    path: { batch_id: "{{batch}}" },
    asserts: { "res.status": "eq 200", "res.body.status": "in queued, running, completed" },
    post: [
      "const tries = bru.getVar('tries') + 1;",
      "bru.setVar('tries', tries);",
      "if (tries > 100) throw new Error('the batch does not end');",
      "if (res.body.status !== 'completed') {",
      "  await bru.sleep(100);",
      "  bru.setNextRequest('Where the file stands');",
      "}",
    ].join("\n"),
  }),
  step("What was refused", `GET ${BATCHES}/{batch_id}/lines`, {
    path: { batch_id: "{{batch}}" },
    query: { status: "refused" },
    asserts: {
      "res.status": "eq 200",
      "res.body.items.length": "eq 1",
      "res.body.items[0].line": "eq 3",
      "res.body.items[0].errors[0].code": "eq model_unknown",
    },
  }),
  step("The results as a file", `GET ${BATCHES}/{batch_id}/lines`, {
    path: { batch_id: "{{batch}}" },
    query: { format: "csv" },
    asserts: { "res.status": "eq 200", "res.body": "contains offered" },
    post: "bru.setVar('mended', res.body.replace('EOS R6 Mark Two', 'EOS R6 Mark II'));",
  }),
  step("The file mended", `POST ${BATCHES}`, {
    csv: "{{mended}}",
    key: "{{run}}-mended",
    asserts: { "res.status": "eq 202", "res.body.lines": "eq 2" },
  }),
  step("What happened", "GET /v1/events", {
    query: { types: "registration.offered", limit: "1" },
    asserts: { "res.status": "eq 200", "res.body.items[0].type": "eq registration.offered", "res.body.next_cursor": "isDefined" },
  }),
];

/** A name as a file may have it. */
const fileName = (name) => name.replace(/[^\p{L}\p{N} ',-]/gu, "_");

async function write(items, at) {
  await mkdir(at, { recursive: true });
  for (const [place, item] of items.entries()) {
    const name = path.join(at, fileName(item.name));
    if (!item.items) {
      await writeFile(`${name}.bru`, stringifyRequest({ ...item, seq: place + 1 }, format));
      continue;
    }
    await write(item.items, name);
    const folder = { ...item.root, meta: { name: item.name, seq: place + 1 } };
    await writeFile(path.join(name, "folder.bru"), stringifyFolder(folder, format));
  }
}

const whole = (items) => items.map((item) => (item.items ? { ...item, items: whole(item.items) } : operations.get(call(item))));
const dealersDay = { name: DAY, items: day, root: { request: { auth: { mode: "inherit" } } } };
await write([dealersDay, ...whole(collection.items)], folder);

const root = { ...collection.root, request: { ...collection.root.request, auth: { mode: "oauth2", oauth2 } } };
const about = { version: "1", name: contract.info.title, type: "collection", ignore: ["node_modules", ".git"] };
await writeFile(path.join(folder, "bruno.json"), JSON.stringify(about, null, 2));
await writeFile(path.join(folder, "collection.bru"), stringifyCollection(root, about, format));
const variables = { baseUrl: "http://127.0.0.1:8080", clientId: client.client_id, clientSecret: client.client_secret };
await mkdir(path.join(folder, "environments"));
const environment = {
  name: "sandbox",
  variables: Object.entries(variables).map(([name, value]) => ({ name, value, type: "text", enabled: true, secret: false })),
};
await writeFile(path.join(folder, "environments", "sandbox.bru"), stringifyEnvironment(environment, format));
console.log(`${operations.size} operations, and a day of ${day.length} requests`);
