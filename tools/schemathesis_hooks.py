"""Who the fuzzer is and what it knows of the sandbox: tools/fuzz loads this into schemathesis.

CPS_CALLER says who calls: anonymous, applicant, member, a role of the staff, or a dealer's system with one scope. Random ids and preconditions meet nothing but 404 and 412, so
most requests that are otherwise as the contract wants them get things that exist: the caller's own account, its documents and products, a dealer's
lines and batches, the version that If-Match asks for. Every fourth is left as it was drawn, and whatever was made wrong on purpose stays wrong.
"""

import atexit
import itertools
import json
import os
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import requests
import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

URL = os.environ["CPS_URL"]
CALLER = os.environ.get("CPS_CALLER", "anonymous")
STAFF = ("reviewer", "support", "finance", "admin")
DEALERS = {"dealer_write": "registrations:write", "dealer_read": "registrations:read", "dealer_hooks": "webhooks"}
# Access tokens live ten minutes.
RENEW_AFTER_SECONDS = 300
PDF = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
# What a dealer has, what lies below an account, and the parameter that names one of it.
DEALERS_OWN = {"registrations": "registration_id", "registration-batches": "batch_id", "events": "event_id"}
COLLECTIONS = {"documents": "document_id", "products": "product_id", "users": "user_id", "invoices": "invoice_id"}

# What is uploaded is told by its first bytes: three in four files are documents.
schemathesis.openapi.format("binary", strategies.sampled_from([PDF, PDF + "%2\n", PDF + "%3\n", "no document"]))

# What a schema can only describe.
NONCHARACTERS = [*map(chr, range(0xFDD0, 0xFDF0)), *(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))]
LINE = strategies.text(strategies.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"), exclude_characters=NONCHARACTERS), min_size=1)
schemathesis.openapi.format("line", LINE)
schemathesis.openapi.format("text", strategies.lists(LINE, min_size=1, max_size=3).map("\n".join))
schemathesis.openapi.format("amount", strategies.from_regex(r"\A-?[0-9]{1,16}\.[0-9]{2}\Z"))
schemathesis.openapi.format("iso-3166-1-alpha-2", strategies.sampled_from(["DK", "DE", "FI", "FR", "GB", "GL", "JP", "NO", "SE", "US"]))

http = requests.Session()
lock = threading.RLock()


def ask(method, path, token=None, **rest):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return http.request(method, URL + path, headers={**headers, **rest.pop("headers", {})}, timeout=30, **rest)


def get(path, token=None):
    """The object at the path, or an empty one if the caller may not see it."""
    answer = ask("GET", path, token)
    return answer.json() if answer.status_code == 200 else {}


def need(answer, what):
    if not answer.ok:
        raise RuntimeError(f"{what}: {answer.status_code} {answer.text[:500]}")
    return answer.json()


card = need(ask("GET", "/v1/sandbox"), "the sandbox's card")
terms_version = get("/v1/programme").get("terms_version", "2026-01")
model_ids = [model["id"] for model in get("/v1/models?limit=100").get("items", [])]
numbers = itertools.count(1)


@schemathesis.serializer("application/x-ndjson")
def as_it_is(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()


def register():
    """A new application: its account id and the applicant's token."""
    number = next(numbers)
    body = {
        "company_name": f"Prøve Foto {number} ApS",
        "country": "DK",
        "vat_registered": True,
        "vat_number": "13585628",
        "address": {"street": "Havnegade 1", "postal_code": "1058", "city": "København K"},
        "contact": {"name": "Asta Holm", "email": f"{CALLER}-{number}@fuzz.example", "phone": "+4533110000"},
        "language": "da",
        "authority_declared": True,
        "accept_terms_version": terms_version,
    }
    made = need(ask("POST", "/v1/accounts", json=body), "registering")
    upload(made["account"]["id"], made["applicant_token"])
    return made["account"]["id"], made["applicant_token"]


def upload(account, token):
    file = {"file": ("bevis.pdf", PDF.encode(), "application/pdf")}
    need(ask("POST", f"/v1/accounts/{account}/documents", token, data={"kind": "vat_registration_certificate"}, files=file), "uploading")


def sign_in(person):
    body = {"email": person["email"], "password": person["password"]}
    return need(ask("POST", "/v1/sessions", json=body), f"signing in as {person['email']}")["access_token"]


def sign_system_in(scope=None):
    """A token of the dealer that no example names, with all its scopes or one of them: guesses at an example's secret are counted against it."""
    client = card["partners"][1]
    form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    answer = ask("POST", "/v1/oauth/token", data=form, auth=(client["client_id"], client["client_secret"]))
    return need(answer, "signing a system in")["access_token"]


def sale():
    """A line that nobody has reported."""
    number = next(numbers)
    return {
        "external_id": f"{CALLER}-{number}",
        "member_number": card["customers"]["member_number"],
        "model": "EOS R6 Mark II",
        "serial_number": f"0130{number:08}",
        "purchase_date": "2026-01-20",
    }


def csv_file(lines):
    return "\n".join([";".join(lines[0])] + [";".join(line.values()) for line in lines])


def send_batch(token, lines):
    headers = {"Idempotency-Key": f"{CALLER}-{next(numbers)}"}
    return ask("POST", "/v1/registration-batches", token, json={"lines": [sale() for _ in range(lines)]}, headers=headers)


def report():
    """A line and a batch of the dealer."""
    token = sign_system_in()
    need(ask("POST", "/v1/registrations", token, json=sale()), "reporting a line")
    send_batch(token, 2)


class Caller:
    """The caller's token, renewed before it ends and when it was refused."""

    def __init__(self):
        self._token, self._since, self.account = None, 0.0, None

    def token(self):
        with lock:
            if CALLER != "anonymous" and (self._token is None or time.monotonic() - self._since > RENEW_AFTER_SECONDS):
                self._since = time.monotonic()
                self._token = self._renewed()
            return self._token

    def _renewed(self):
        if CALLER == "applicant":
            self.account, token = register()
            return token
        if CALLER == "member":
            self.account = card["members"][0]["account_id"]
            return sign_in(card["members"][0])
        if CALLER in DEALERS:
            return sign_system_in(DEALERS[CALLER])
        return sign_in(next(person for person in card["staff"] if CALLER in person["roles"]))

    def refused(self, authorization):
        with lock:
            if self._token and authorization == f"Bearer {self._token}":
                self._token = None


caller = Caller()
# The applications that the fuzzing itself registered, and the token that each was answered with.
registered = {}


class World:
    """What the caller could name in a path, gathered again as the fuzzing changes it."""

    def __init__(self):
        self._scopes, self._stale, self._turns = None, True, 0

    def changed(self):
        self._stale = True

    def scopes(self):
        with lock:
            self._turns += 1
            if self._scopes is None or (self._stale and self._turns > 10):
                self._stale, self._turns = False, 0
                self._scopes = self._dealers() if CALLER in DEALERS else [self._scope(*where) for where in self._accounts()]
            return self._scopes

    def _dealers(self):
        """What the dealer has, whatever the caller's scope lets it see of it."""
        report()
        token = sign_system_in()
        scope = {"account_id": [card["members"][0]["account_id"]], "model_id": model_ids, "member_number": [card["customers"]["member_number"]]}
        for collection, name in DEALERS_OWN.items():
            scope[name] = [item["id"] for item in get(f"/v1/{collection}?limit=100", token).get("items", [])]
        return [scope]

    def _accounts(self):
        token = caller.token()
        if CALLER in ("applicant", "member"):
            return [(caller.account, token)]
        if CALLER in STAFF:
            case, applicant = register()
            need(ask("POST", f"/v1/accounts/{case}/submission", applicant), "submitting")
            ask("POST", f"/v1/reviews/{case}/claim", token)
            return [(member["account_id"], token) for member in card["members"]] + [(case, token)]
        return [(card["members"][0]["account_id"], None)]

    def _scope(self, account, token):
        scope = {"account_id": [account], "model_id": model_ids}
        for collection, name in COLLECTIONS.items():
            items = get(f"/v1/accounts/{account}/{collection}?limit=100", token).get("items", [])
            scope[name] = [item["id"] for item in items if "id" in item]
        number = get(f"/v1/accounts/{account}/membership", token).get("member_number")
        scope["member_number"] = [number] if number else []
        return scope


world = World()
turns = defaultdict(itertools.count)
answers = defaultdict(Counter)


@atexit.register
def write_answers():
    """How often each operation answered what, into the file CPS_ANSWERS: an operation that never succeeds is hardly tested."""
    if os.environ.get("CPS_ANSWERS"):
        with open(os.environ["CPS_ANSWERS"], "w") as file:
            json.dump(answers, file, indent=1, sort_keys=True)


def finish_jobs():
    """The clock's next moment: the sandbox answers when all that was due by then is done."""
    now = datetime.fromisoformat(get("/v1/sandbox/clock")["now"].replace("Z", "+00:00"))
    soon = (now + timedelta(milliseconds=500)).isoformat().replace("+00:00", "Z")
    need(ask("PUT", "/v1/sandbox/clock", json={"now": soon}), "finishing the jobs")


def password_token():
    """A token that sets the second member's password: no caller signs in as that one. A password that is set ends all links before it:
    the newest counts, once no request waits for its mail."""
    person = card["members"][1]["email"]
    with lock:
        ask("POST", "/v1/password-resets", json={"email": person})
        finish_jobs()
        for item in get(f"/v1/sandbox/mailbox?to={requests.utils.quote(person)}").get("items", []):
            token = parse_qs(urlsplit(item.get("action_url") or "").fragment).get("token", [None])[0]
            if token:
                return token
        raise RuntimeError("no mail with a token came")


def drawn_well(case, location):
    return case.meta is None or not case.meta.is_negative_at(location)


def call_as_registered(case):
    """Who registers goes on with the token that the answer gave; the staff see every account anyway."""
    token = registered.get((case.path_parameters or {}).get("account_id"))
    if token and CALLER in ("applicant", "member") and case.headers.get("Authorization") == f"Bearer {caller.token()}":
        case.headers["Authorization"] = f"Bearer {token}"


def fill_path(case, turn):
    names = list(case.path_parameters or {})
    if not names or not drawn_well(case, ParameterLocation.PATH):
        return
    fitting = [scope for scope in world.scopes() if all(scope.get(name) for name in names)]
    if fitting:
        scope = fitting[turn % len(fitting)]
        for name in names:
            case.path_parameters[name] = scope[name][turn % len(scope[name])]


def mend_link(case):
    """Every id is called `id` in its own object, so a walk takes a product's for its account's."""
    account = (case.path_parameters or {}).get("account_id")
    if account and not account.startswith("acc_") and drawn_well(case, ParameterLocation.PATH):
        case.path_parameters["account_id"] = world.scopes()[0]["account_id"][0]


def fill_precondition(case):
    if not drawn_well(case, ParameterLocation.HEADER) or not any(p.name.lower() == "if-match" for p in case.operation.headers):
        return
    answer = ask("GET", case.formatted_path, caller.token())
    if answer.headers.get("ETag"):
        case.headers["If-Match"] = answer.headers["ETag"]


def wait_in_line(case):
    """A batch that has not begun, since a longer one runs: any other is over before it can be stopped."""
    answers = [send_batch(caller.token(), lines) for lines in (300, 1)]
    if all(answer.status_code == 202 for answer in answers):
        case.path_parameters["batch_id"] = answers[1].json()["id"]


def fill_lines(case, turn):
    """A dealer's lines are sales of somebody who is found: at random, none is."""
    good = [sale() for _ in range(turn % 3 + 1)]
    if case.operation.path == "/v1/registrations" and isinstance(case.body, dict):
        case.body.clear()
        case.body.update(good[0])
    if case.operation.path == "/v1/registration-batches":
        if isinstance(case.body, dict):
            case.body["lines"] = good + case.body.get("lines", [])
        elif case.media_type == "text/csv":
            case.body = csv_file(good)
        elif case.media_type == "application/x-ndjson":
            case.body = "\n".join(map(json.dumps, good))


def fill_body(case, turn):
    if CALLER in DEALERS and drawn_well(case, ParameterLocation.BODY):
        fill_lines(case, turn)
    body = case.body
    if not isinstance(body, dict) or not drawn_well(case, ParameterLocation.BODY):
        return
    if "model_id" in body and model_ids:
        body["model_id"] = model_ids[turn % len(model_ids)]
    if "accept_terms_version" in body:
        body["accept_terms_version"] = terms_version
    if set(body) == {"email", "password"}:
        people = card["members"][:1] + card["staff"]
        body.update({name: people[turn % len(people)][name] for name in body})
    if "vat_number" in body and "country" in body:
        body["country"], body["vat_number"] = "DK", "13585628"


@schemathesis.hook
def before_call(context, case, kwargs):
    phase = case.meta.phase.name if case.meta else None
    # No schema tells a password link that was sent from one that was not; without one, the answer is 400 as it should be.
    if case.operation.path == "/v1/passwords" and isinstance(case.body, dict) and drawn_well(case, ParameterLocation.BODY):
        case.body["token"] = password_token()
    call_as_registered(case)
    # Examples are to work as they stand; a walk through several operations carries its own ids.
    if phase == TestPhase.EXAMPLES:
        return
    with lock:
        turn = next(turns[case.operation.label])
    if turn % 4 == 3:
        return
    if phase == TestPhase.STATEFUL:
        mend_link(case)
    else:
        fill_path(case, turn)
        if case.operation.label.endswith("/cancellation") and CALLER == "dealer_write" and turn % 8 == 0 and drawn_well(case, ParameterLocation.PATH):
            wait_in_line(case)
    fill_body(case, turn)
    fill_precondition(case)


@schemathesis.hook
def after_call(context, case, response):
    with lock:
        answers[case.operation.label][response.status_code] += 1
    if response.status_code == 401:
        authorization = response.request.headers.get("Authorization")
        caller.refused(authorization.decode() if isinstance(authorization, bytes) else authorization)
    elif response.request.method != "GET" and response.status_code < 300:
        world.changed()
        if case.operation.label == "POST /v1/accounts" and response.status_code == 201:
            made = response.json()
            registered[made["account"]["id"]] = made["applicant_token"]


if CALLER != "anonymous":

    @schemathesis.auth(refresh_interval=None)
    class SignedIn:
        def get(self, case, context):
            return caller.token()

        def set(self, case, token, context):
            case.headers["Authorization"] = f"Bearer {token}"
