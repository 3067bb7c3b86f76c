// A dealer's day against a live sandbox: a line, a file, its results, what was refused mended, and what happened.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ProblemError, dealerClient, finished, given, sendFile } from "../src/index.ts";
import { credentials, line } from "./sandbox.ts";

const client = dealerClient(credentials);
const every = 50;

/** The number of the newest event of the dealer's feed. */
const newest = async () => given(await client.GET("/v1/events", { params: { query: { limit: 1 } } })).last_sequence;

type Line = ReturnType<typeof line>;
const csv = (lines: Line[]) => ["external_id;member_number;model;serial_number;purchase_date", ...lines.map((one) => Object.values(one).join(";"))].join("\r\n");

test("a line that is sent twice is registered once", async () => {
  const sale = line("one");
  const first = given(await client.POST("/v1/registrations", { body: sale }));
  const second = given(await client.POST("/v1/registrations", { body: sale }));
  assert.deepEqual([first.status, second.status, second.id], ["offered", "unchanged", first.id]);
});

test("what is refused names its field", async () => {
  const answer = await client.POST("/v1/registrations", { body: { ...line("wrong"), serial_number: "12" } });
  assert.throws(
    () => given(answer),
    (error: unknown) => error instanceof ProblemError && error.problem.errors?.[0]?.pointer === "#/serial_number",
  );
});

test("a file is sent, waited for, mended and sent again, and the feed tells it", async () => {
  const before = await newest();
  const lines = [line("a"), line("b"), { ...(line("c")), model: "EOS R6 Mark Two" }];
  const key = lines[0]?.external_id ?? "";
  const batch = await finished(client, await sendFile(client, `\ufeff${csv(lines)}`, key), every);
  assert.deepEqual([batch.status, batch.counts], ["completed", { offered: 2, refused: 1 }]);
  assert.equal((await sendFile(client, `\ufeff${csv(lines)}`, key)).id, batch.id);

  const path = { batch_id: batch.id };
  const refused = given(await client.GET("/v1/registration-batches/{batch_id}/lines", { params: { path, query: { status: "refused" } } }));
  assert.deepEqual(
    refused.items.map((one) => [one.line, one.errors[0]?.pointer, one.errors[0]?.code]),
    [[4, "#/model", "model_unknown"]],
  );

  const params = { path, query: { format: "csv" } } as const;
  const results = given(await client.GET("/v1/registration-batches/{batch_id}/lines", { params, parseAs: "text" }));
  const mended = results.replace("EOS R6 Mark Two", "EOS R6 Mark II");
  assert.notEqual(mended, results);
  const again = await finished(client, await sendFile(client, mended, `${key}-mended`), every);
  assert.deepEqual(again.counts, { unchanged: 2, offered: 1 });

  const told: string[] = [];
  for (let after = before; told.length < 3; ) {
    const query = { after, limit: 1, types: ["registration.offered"] };
    const page = given(await client.GET("/v1/events", { params: { query } }));
    told.push(...page.items.map((event) => event.type));
    after = Number(page.next_cursor);
    if (page.items.length === 0) await setTimeout(every);
  }
  assert.deepEqual(told, Array(3).fill("registration.offered"));
});

test("a script's file is taken as it comes", async () => {
  const lines = [line("x"), line("y")];
  const file = lines.map((one) => JSON.stringify(one)).join("\n");
  const sent = await sendFile(client, file, lines[0]?.external_id ?? "", "application/x-ndjson");
  assert.deepEqual((await finished(client, sent, every)).counts, { offered: 2 });
});
