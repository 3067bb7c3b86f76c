// A client for dealers' systems: the types of the contract, a token with each request, and repetitions where they do no harm.
import createClient, { type Client } from "openapi-fetch";
import { RETRIES, type Retries, retrying } from "./retry.ts";
import type { components, paths } from "./schema.ts";
import { type Credentials, TokenSource } from "./token.ts";

export { TokenError } from "./token.ts";
export type { Credentials, Retries, components, paths };

export type Problem = components["schemas"]["Problem"];
export type Batch = components["schemas"]["RegistrationBatch"];

/** Every path of the contract. Files of results are read with `parseAs: "text"`. */
export type DealerClient = Client<paths, "application/json" | "application/problem+json">;

/** What answers a refusal is this error: `problem.code` says what to do, `problem.errors` which fields. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** What was answered, where it was no problem. */
export function given<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  const { data, error, response } = answer;
  if (typeof error === "object" && typeof error.code === "string") throw new ProblemError(error);
  // A gateway before the service has words of its own.
  if (!response.ok || data === undefined) throw new Error(`${response.url} answered ${response.status}`);
  return data;
}

/** POSTs that do no harm twice though they have no key: a token more, and a line that carries an id of its own. */
const REPEATABLE = ["/v1/oauth/token", "/v1/registrations"];

/** A client whose requests carry a token; where one is refused, another is fetched once. */
export function dealerClient(credentials: Credentials & { retries?: Partial<Retries> }): DealerClient {
  const retries = { ...RETRIES, ...credentials.retries };
  const isRepeatable = (request: Request) => REPEATABLE.some((path) => new URL(request.url).pathname.endsWith(path));
  const again = retrying(credentials.fetch ?? fetch, retries, isRepeatable);
  const tokens = new TokenSource({ ...credentials, fetch: again });
  const signed = (request: Request, token: string) => {
    const copy = new Request(request);
    copy.headers.set("authorization", `Bearer ${token}`);
    return again(copy);
  };
  return createClient({
    baseUrl: credentials.baseUrl,
    fetch: async (request) => {
      const token = await tokens.token();
      const answer = await signed(request.clone(), token);
      return answer.status === 401 ? signed(request, await tokens.token(token)) : answer;
    },
  });
}

/** Sends a file of lines: CSV, or NDJSON. With the key of before it is the same batch, not another. */
export async function sendFile(client: DealerClient, file: string, key: string, type: "text/csv" | "application/x-ndjson" = "text/csv"): Promise<Batch> {
  const answer = await client.POST("/v1/registration-batches", {
    params: { header: { "Idempotency-Key": key } },
    headers: { "Content-Type": type },
    body: file,
    bodySerializer: (text) => text,
  });
  return given(answer);
}

/** Waits until every line of a batch has its result, or it was stopped; asks every so many milliseconds. */
export async function finished(client: DealerClient, batch: Batch, every = 1000): Promise<Batch> {
  const params = { path: { batch_id: batch.id } };
  for (;;) {
    const now = given(await client.GET("/v1/registration-batches/{batch_id}", { params }));
    if (!["receiving", "queued", "running"].includes(now.status)) return now;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
