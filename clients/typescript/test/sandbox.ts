// What the sandbox's card tells the tests, and lines that nobody has reported yet.
import assert from "node:assert/strict";

assert(process.env.CPS_URL, "CPS_URL names the sandbox");
const baseUrl: string = process.env.CPS_URL;

/** The part of the card that dealers' systems need; live services have none. */
interface Card {
  partners: { name: string; client_id: string; client_secret: string }[];
  customers: { member_number: string };
}
const card = (await (await fetch(`${baseUrl}/v1/sandbox`)).json()) as Card;
const [dealer] = card.partners;
assert(dealer, "the card has a dealer");
export const credentials = { baseUrl, clientId: dealer.client_id, clientSecret: dealer.client_secret };

/** Another number a run, so that a sandbox serves several. */
const run = String(Date.now()).slice(-8);
let lines = 0;

/** A line with an id and a serial number of its own. */
export function line(name: string) {
  lines += 1;
  return {
    external_id: `ts-${run}-${name}`,
    member_number: card.customers.member_number,
    model: "EOS R6 Mark II",
    serial_number: `${run}${String(lines).padStart(4, "0")}`,
    purchase_date: "2026-01-20",
  };
}

/** A `fetch` that answers the first requests to a path by itself, and counts all of them. */
export function interrupted(path: string, ...answers: (() => Response)[]) {
  const seen: string[] = [];
  const fetching: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname } = new URL(request.url);
    seen.push(pathname);
    const answer = pathname === path ? answers.shift() : undefined;
    return answer ? answer() : fetch(request);
  };
  return { fetching, count: (wanted: string) => seen.filter((one) => one === wanted).length };
}
