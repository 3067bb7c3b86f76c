// Trying again: what may be repeated without harm is, a few times, when the service asks for it or could not be reached.

/** How a request is tried again. */
export interface Retries {
  /** How often at most, the first time not counted. */
  times: number;
  /** Milliseconds before the first repetition; each next one waits twice as long. */
  wait: number;
  /** A Retry-After beyond so many milliseconds is left to the caller: a quota that is used up until midnight, for one. */
  longest: number;
}

export const RETRIES: Retries = { times: 4, wait: 250, longest: 30_000 };

/** Statuses that say: later. Those of a gateway are among them. */
const LATER = new Set([429, 502, 503, 504]);

/** Methods that come to the same however often they arrive (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE"]);

/** A `fetch` that tries again. A POST is repeated where it has an Idempotency-Key, or where `isRepeatable` knows that it does no harm. */
export function retrying(inner: typeof fetch, retries: Retries, isRepeatable: (request: Request) => boolean): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const may = IDEMPOTENT.has(request.method) || request.headers.has("Idempotency-Key") || isRepeatable(request);
    for (let failures = 0; ; failures += 1) {
      const [wait, outcome] = await attempt(inner, request.clone(), retries.wait * 2 ** failures);
      const isFinal = wait === undefined || wait > retries.longest || request.signal.aborted;
      if (isFinal || !may || failures >= retries.times) return outcome();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
}

/** What one attempt came to, and how long to wait before the next; no wait where it is final. */
async function attempt(inner: typeof fetch, request: Request, wait: number): Promise<[number | undefined, () => Response]> {
  try {
    const answer = await inner(request);
    return [LATER.has(answer.status) ? Math.max(retryAfter(answer) ?? 0, wait) : undefined, () => answer];
  } catch (error) {
    const fail = () => {
      throw error;
    };
    return [wait, fail];
  }
}

/** Milliseconds that an answer asks to wait: it says seconds, or a date. */
function retryAfter(answer: Response): number | undefined {
  const said = answer.headers.get("retry-after");
  if (said === null) return undefined;
  const wait = /^\d+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - Date.now();
  return Number.isFinite(wait) ? wait : undefined;
}
