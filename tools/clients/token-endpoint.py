"""The token endpoint of RFC 6749 as Authlib sees it: both ways to sign in, scopes, and every refusal. What the library would not send, a way to sign
in of our own does, and the library reads the answer. CPS_URL names a fresh sandbox."""

import os
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.auth import encode_client_secret_basic

URL = os.environ["CPS_URL"]
TOKEN = f"{URL}/v1/oauth/token"
DEALER = requests.get(f"{URL}/v1/sandbox", timeout=30).json()["partners"][0]
CLIENT = (DEALER["client_id"], DEALER["client_secret"])
SCOPES = ["registrations:write", "registrations:read", "webhooks"]


def session(client=CLIENT, way="client_secret_basic", **rest):
    return OAuth2Session(*client, token_endpoint_auth_method=way, **rest)


def fetch(system, **rest):
    return system.fetch_token(TOKEN, grant_type=rest.pop("grant_type", "client_credentials"), **rest)


def scopes(system):
    """What the token may do, as the service tells its bearer."""
    answer = system.get(f"{URL}/v1/me", timeout=30)
    answer.raise_for_status()
    return answer.json()["scopes"]


for way in ("client_secret_basic", "client_secret_post"):
    system = session(way=way)
    token = fetch(system)
    assert token["token_type"] == "Bearer" and token["expires_in"] == 600 and "refresh_token" not in token, token
    assert token["scope"].split() == SCOPES == scopes(system), token
    for wanted in (SCOPES[:1], SCOPES[1:]):
        narrow = session(way=way, scope=" ".join(wanted))
        assert fetch(narrow)["scope"].split() == wanted == scopes(narrow)
print("signed in by Basic and by the form; scopes were narrowed")


def refused(error, status, system, **rest):
    """What the endpoint refuses: the word of the RFC as the library raises it, and the status and headers that it came with."""
    seen = []
    system.register_compliance_hook("access_token_response", lambda answer: seen.append(answer) or answer)
    try:
        token = fetch(system, **rest)
    except OAuthError as told:
        assert told.error == error and told.description, told
    else:
        raise AssertionError(f"{error} was to come, not {token}")
    (answer,) = seen
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Control"] == "no-store", answer.headers
    assert requests.get(URL + urlsplit(answer.json()["error_uri"]).path, timeout=30).ok
    assert (status == 401) == answer.headers.get("WWW-Authenticate", "").startswith("Basic "), answer.headers
    print(f"{status} {error}: {answer.json()['error_description']}")
    return answer


def odd(change):
    """A system that signs in as `change` makes it: of the client, the headers and the body to those that are sent."""

    def sign_in(client, method, uri, headers, body):
        headers, body = change(headers, body)
        return uri, headers, body

    return session(way=sign_in)


def with_basic(headers, body):
    _, headers, body = encode_client_secret_basic(session(), "POST", TOKEN, headers, body)
    return headers, body


for way in ("client_secret_basic", "client_secret_post"):
    refused("invalid_client", 401, session((CLIENT[0], "cps_test_wrong"), way))
    refused("invalid_client", 401, session(("crd_unknown", CLIENT[1]), way))
    refused("invalid_scope", 400, session(way=way, scope="registrations:write points:read"))
    refused("unsupported_grant_type", 400, session(way=way), grant_type="password", username="mette", password="x")
    refused("unsupported_grant_type", 400, session(way=way), grant_type="refresh_token", refresh_token="x")

refused("invalid_client", 401, session(way="none"))
secret = f"&client_id={CLIENT[0]}&client_secret={CLIENT[1]}"
refused("invalid_request", 400, odd(lambda headers, body: with_basic(headers, body + secret)))
refused("invalid_request", 400, odd(lambda headers, body: with_basic(headers, "scope=webhooks")))
refused("invalid_request", 400, odd(lambda headers, body: with_basic(headers, body + "&grant_type=client_credentials")))
refused("invalid_request", 400, odd(lambda headers, body: with_basic(headers, body + "&scope=webhooks&scope=webhooks")))
refused("invalid_request", 400, odd(lambda headers, body: with_basic(headers, body + "&client_id=crd_other")))
refused("invalid_request", 400, odd(lambda headers, body: with_basic({**headers, "Content-Type": "application/json"}, "{}")))

# Whoever guesses a secret is told to come later; the dealer itself is not locked out by guesses at another's.
for _ in range(10):
    last = session(("crd_guessed", "cps_test_wrong"))
    try:
        fetch(last)
    except OAuthError as told:
        assert told.error == "invalid_client"
later = refused("temporarily_unavailable", 429, session(("crd_guessed", "cps_test_wrong")))
assert int(later.headers["Retry-After"]) > 0
fetch(session())
