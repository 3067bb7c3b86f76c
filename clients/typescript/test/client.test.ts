// Tokens and repetitions against a live sandbox, which CPS_URL names. What a sandbox never does, a `fetch` before it does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemError, TokenError, given, dealerClient } from "../src/index.ts";
import { credentials, interrupted, line } from "./sandbox.ts";

const later = (status: number, seconds: string) => () => new Response("{}", { status, headers: { "retry-after": seconds } });
const broken = () => {
  throw new TypeError("fetch failed");
};
const quick = { wait: 1 };
const TOKEN = "/v1/oauth/token";

test("a token is fetched once for all who ask", async () => {
  const { fetching, count } = interrupted("");
  const client = dealerClient({ ...credentials, fetch: fetching });
  const callers = await Promise.all([1, 2, 3].map(() => client.GET("/v1/me")));
  assert.deepEqual(callers.map((answer) => given(answer).caller), ["partner", "partner", "partner"]);
  assert.equal(count(TOKEN), 1);
});

test("the next token is fetched shortly before the last one ends", async (context) => {
  const { fetching, count } = interrupted("");
  const client = dealerClient({ ...credentials, fetch: fetching });
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  for (const [seconds, tokens] of [[0, 1], [560, 1], [15, 2], [500, 2]] as const) {
    context.mock.timers.tick(seconds * 1000);
    given(await client.GET("/v1/me"));
    assert.equal(count(TOKEN), tokens);
  }
});

test("a token that does not hold any more is replaced, once for all who had it", async () => {
  const { fetching, count } = interrupted("/v1/me", later(401, "0"), later(401, "0"), later(401, "0"));
  const client = dealerClient({ ...credentials, fetch: fetching });
  const callers = await Promise.all([1, 2, 3].map(() => client.GET("/v1/me")));
  callers.forEach(given);
  assert.deepEqual([count(TOKEN), count("/v1/me")], [2, 6]);
});

test("a refusal that another token does not mend is told", async () => {
  const { fetching, count } = interrupted("/v1/me", later(401, "0"), later(401, "0"), later(401, "0"));
  const answer = await dealerClient({ ...credentials, fetch: fetching }).GET("/v1/me");
  assert.deepEqual([answer.response.status, count("/v1/me")], [401, 2]);
});

test("what the service asks for later is asked for later", async () => {
  const { fetching, count } = interrupted("/v1/me", later(503, "0"), later(429, "1"));
  const client = dealerClient({ ...credentials, fetch: fetching, retries: quick });
  const begin = performance.now();
  given(await client.GET("/v1/me"));
  assert.equal(count("/v1/me"), 3);
  assert(performance.now() - begin >= 990, "it waits for as long as it is told");
});

test("a service that cannot be reached is asked again, for a token too", async () => {
  for (const path of ["/v1/me", TOKEN]) {
    const { fetching, count } = interrupted(path, broken, broken);
    given(await dealerClient({ ...credentials, fetch: fetching, retries: quick }).GET("/v1/me"));
    assert.equal(count(path), 3);
  }
});

test("it is not asked without end", async () => {
  const { fetching, count } = interrupted("/v1/me", broken, broken, broken);
  const client = dealerClient({ ...credentials, fetch: fetching, retries: { wait: 1, times: 1 } });
  await assert.rejects(() => client.GET("/v1/me"), TypeError);
  assert.equal(count("/v1/me"), 2);
});

test("who gave up is not tried again for", async () => {
  const gone = new AbortController();
  const stopping = () => {
    gone.abort();
    return broken();
  };
  const { fetching, count } = interrupted("/v1/me", stopping);
  await assert.rejects(() => dealerClient({ ...credentials, fetch: fetching, retries: quick }).GET("/v1/me", { signal: gone.signal }));
  assert.equal(count("/v1/me"), 1);
});

test("a quota that is used up until midnight is told at once", async () => {
  const { fetching, count } = interrupted("/v1/me", later(429, "40000"));
  const client = dealerClient({ ...credentials, fetch: fetching, retries: quick });
  assert.equal((await client.GET("/v1/me")).response.status, 429);
  assert.equal(count("/v1/me"), 1);
});

test("a line is repeated for its own id, and a POST that has neither id nor key is not", async () => {
  const registrations = interrupted("/v1/registrations", broken, later(503, "0"));
  given(await dealerClient({ ...credentials, fetch: registrations.fetching, retries: quick }).POST("/v1/registrations", { body: line("again") }));
  assert.equal(registrations.count("/v1/registrations"), 3);

  const path = "/v1/registration-batches/bat_00000000000070008000000000000001/cancellation";
  const cancellation = interrupted(path, later(503, "0"));
  const client = dealerClient({ ...credentials, fetch: cancellation.fetching, retries: quick });
  const params = { path: { batch_id: "bat_00000000000070008000000000000001" } };
  assert.equal((await client.POST("/v1/registration-batches/{batch_id}/cancellation", { params })).response.status, 503);
  assert.equal(cancellation.count(path), 1);
});

test("a wrong secret is told as the endpoint tells it, and another try is another request", async () => {
  const { fetching, count } = interrupted("");
  const client = dealerClient({ ...credentials, clientSecret: "cps_test_wrong", fetch: fetching });
  for (const tokens of [1, 2]) {
    await assert.rejects(
      () => client.GET("/v1/me"),
      (error: unknown) => error instanceof TokenError && error.error === "invalid_client" && error.status === 401,
    );
    assert.equal(count(TOKEN), tokens);
  }
});

test("a scope that is missing is a problem with a code", async () => {
  const answer = await dealerClient({ ...credentials, scope: "webhooks" }).GET("/v1/registrations");
  assert.throws(
    () => given(answer),
    (error: unknown) => error instanceof ProblemError && error.problem.code === "scope_missing",
  );
});
