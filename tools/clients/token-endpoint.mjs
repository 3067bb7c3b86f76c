// The token endpoint of RFC 6749 as openid-client sees it: both ways to sign in, scopes, and every refusal. What the library would not send, its own
// hook for requests makes of what it does send, and the library reads the answer. CPS_URL names a fresh sandbox.
import assert from "node:assert/strict";
import * as oauth from "openid-client";

const url = process.env.CPS_URL;
assert(url, "CPS_URL names the sandbox");
const {
  partners: [dealer],
} = await (await fetch(`${url}/v1/sandbox`)).json();
const SCOPES = "registrations:write registrations:read webhooks";
const WAYS = { basic: oauth.ClientSecretBasic, form: oauth.ClientSecretPost };

/** A client of the endpoint; `change` makes another request of what the library would send. */
function system({ id = dealer.client_id, way = oauth.ClientSecretBasic(dealer.client_secret), change = () => {} } = {}) {
  const config = new oauth.Configuration({ issuer: url, token_endpoint: `${url}/v1/oauth/token` }, id, undefined, way);
  oauth.allowInsecureRequests(config);
  config[oauth.customFetch] = (to, options) => {
    const request = { ...options, headers: new Headers(options.headers) };
    if (request.method === "POST") {
      request.body = new URLSearchParams(options.body);
      change(request);
    }
    return fetch(to, request);
  };
  return config;
}

for (const [name, way] of Object.entries(WAYS)) {
  const config = system({ way: way(dealer.client_secret) });
  for (const scope of [undefined, "registrations:write", "registrations:read webhooks"]) {
    const token = await oauth.clientCredentialsGrant(config, scope ? { scope } : {});
    assert.deepEqual([token.token_type, token.expires_in, token.scope, token.refresh_token], ["bearer", 600, scope ?? SCOPES, undefined]);
    assert(token.expiresIn() > 590);
    const me = await oauth.fetchProtectedResource(config, token.access_token, new URL(`${url}/v1/me`), "GET");
    assert.deepEqual((await me.json()).scopes, token.scope.split(" "));
  }
  console.log(`signed in by ${name}; scopes were narrowed`);
}

/** What the endpoint refuses: the words of the RFC as the library tells them. */
async function refused(status, error, config, parameters = {}, grant = "client_credentials") {
  const failure = await oauth.genericGrantRequest(config, grant, parameters).then(
    (token) => assert.fail(`${error} was to come, not ${JSON.stringify(token)}`),
    (failure) => failure,
  );
  // With a challenge the library tells the challenge, and leaves the body unread.
  const challenged = failure.cause instanceof oauth.WWWAuthenticateChallengeError ? failure.cause : failure;
  if (challenged instanceof oauth.WWWAuthenticateChallengeError) {
    assert.equal(challenged.cause[0].scheme, "basic");
    const body = await challenged.response.json();
    assert.deepEqual([challenged.status, body.error], [status, error]);
  } else {
    assert(failure instanceof oauth.ResponseBodyError, failure);
    assert.deepEqual([failure.status, failure.error], [status, error]);
    assert.match(failure.error_description, /^[ !#-[\]-~]+$/);
    assert.match(failure.cause.error_uri, /\/problems\/[a-z_]+$/);
  }
  console.log(`${status} ${error}`);
  return failure.response;
}

for (const way of Object.values(WAYS)) {
  const right = way(dealer.client_secret);
  await refused(401, "invalid_client", system({ way: way("cps_test_wrong") }));
  await refused(401, "invalid_client", system({ id: "crd_unknown", way: right }));
  await refused(400, "invalid_scope", system({ way: right }), { scope: "registrations:write points:read" });
  await refused(400, "unsupported_grant_type", system({ way: right }), { username: "mette", password: "x" }, "password");
  await refused(400, "unsupported_grant_type", system({ way: right }), { refresh_token: "x" }, "refresh_token");
}

await refused(401, "invalid_client", system({ way: oauth.None() }));
const odd = (change) => refused(400, "invalid_request", system({ change }));
await odd(({ body }) => body.append("client_secret", dealer.client_secret));
await odd(({ body }) => body.append("client_id", "crd_other"));
await odd(({ body }) => body.delete("grant_type"));
await odd(({ body }) => body.append("grant_type", "client_credentials"));
await odd(({ body }) => ["webhooks", "webhooks"].forEach((scope) => body.append("scope", scope)));
await odd((request) => {
  request.headers.set("content-type", "application/json");
  request.body = "{}";
});

// Whoever guesses a secret is told to come later; nobody else is.
const guess = { id: "crd_guessed", way: oauth.ClientSecretBasic("cps_test_wrong") };
for (let tries = 0; tries < 10; tries += 1) await refused(401, "invalid_client", system(guess));
const later = await refused(429, "temporarily_unavailable", system(guess));
assert(Number(later.headers.get("retry-after")) > 0);
await oauth.clientCredentialsGrant(system());
