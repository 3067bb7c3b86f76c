"""A business becomes a member, by the package that openapi-python-client makes of the contract; mypy reads it strictly. Nothing is cast, and no
header is set but by the client itself. CPS_URL names a fresh sandbox."""

import datetime
import io
import os
import time
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from cps_api_client import AuthenticatedClient, Client
from cps_api_client.api.accounts import read_me, register_account, submit_application
from cps_api_client.api.documents import upload_document
from cps_api_client.api.membership import join_programme, list_levels, read_membership, read_programme
from cps_api_client.api.points import read_points
from cps_api_client.api.products import list_models, register_product, update_product
from cps_api_client.api.reviews import claim_review, decide_document, decide_review
from cps_api_client.api.sandbox import read_mailbox, read_sandbox
from cps_api_client.api.sessions import create_session, set_password
from cps_api_client.models import (
    AccountStatus,
    Address,
    CaseDecision,
    Contact,
    DecideDocument,
    DecideReview,
    DocumentKind,
    DocumentVerdict,
    JoinProgramme,
    MailView,
    MembershipStatus,
    PaymentMethod,
    Problem,
    ProblemCode,
    ProductStatus,
    RegisterAccount,
    RegisterProduct,
    Role,
    SetPassword,
    SignIn,
    Template,
    UpdateProduct,
    UploadForm,
)
from cps_api_client.types import File, Response

T = TypeVar("T")

URL = os.environ["CPS_URL"]
EMAIL = "walk@nordlys.example"
PASSWORD = "en lang og god sætning"
anybody = Client(base_url=URL)


def given(answer: Response[T | Problem]) -> T:
    """What was answered, where it was no problem."""
    if isinstance(answer.parsed, Problem):
        raise RuntimeError(f"{answer.parsed.code}: {answer.parsed.errors}")
    assert answer.parsed is not None, f"answered {answer.status_code} with nothing"
    return answer.parsed


def signed_in_with(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=URL, token=token)


def sign_in(email: str, password: str) -> AuthenticatedClient:
    session = given(create_session.sync_detailed(client=anybody, body=SignIn(email=email, password=password)))
    return signed_in_with(session.access_token)


def mail(to: str, template: Template) -> MailView:
    """The newest mail of the template to this address: mails go out a moment later."""
    for _ in range(100):
        for item in given(read_mailbox.sync_detailed(client=anybody, to=to)).items:
            if item.template == template:
                return item
        time.sleep(0.1)
    raise RuntimeError(f"no mail {template} came to {to}")


programme = given(read_programme.sync_detailed(client=anybody))
registration = RegisterAccount(
    company_name="Nordlys Foto ApS",
    country="DK",
    vat_registered=True,
    vat_number="13585628",
    address=Address(street="Havnegade 1", postal_code="1058", city="København K"),
    contact=Contact(name="Asta Holm", email=EMAIL),
    language="da",
    authority_declared=True,
    accept_terms_version=programme.terms_version,
)
registered = given(register_account.sync_detailed(client=anybody, body=registration))
account = registered.account.id

applicant = signed_in_with(registered.applicant_token)
certificate = File(payload=io.BytesIO(b"%PDF-1.4 a certificate"), file_name="certificate.pdf", mime_type="application/pdf")
form = UploadForm(kind=DocumentKind.VAT_REGISTRATION_CERTIFICATE, file=certificate)
document = given(upload_document.sync_detailed(account, client=applicant, body=form))
submitted = given(submit_application.sync_detailed(account, client=applicant))
assert submitted.status == AccountStatus.SUBMITTED

card = given(read_sandbox.sync_detailed(client=anybody))
person = next(person for person in card.staff if Role.REVIEWER in person.roles)
reviewer = sign_in(person.email, person.password)
given(claim_review.sync_detailed(account, client=reviewer))
given(decide_document.sync_detailed(account, document.id, client=reviewer, body=DecideDocument(decision=DocumentVerdict.ACCEPT)))
approved = given(decide_review.sync_detailed(account, client=reviewer, body=DecideReview(decision=CaseDecision.APPROVE)))
assert approved.status == AccountStatus.APPROVED

link = mail(EMAIL, Template.FIRST_PASSWORD).action_url
assert link, "the mail has a link"
(token,) = parse_qs(urlsplit(link).fragment)["token"]
answer = set_password.sync_detailed(client=anybody, body=SetPassword(token=token, new_password=PASSWORD))
assert answer.status_code == 204, answer.parsed
member = sign_in(EMAIL, PASSWORD)
assert given(read_me.sync_detailed(client=member)).account_id == account

model = given(list_models.sync_detailed(client=anybody, query="5D Mark III")).items[0]
points = given(read_points.sync_detailed(account, client=member))
number = 0
while points.balance < 500:
    number += 1
    answered = register_product.sync_detailed(account, client=member, body=RegisterProduct(model_id=model.id))
    product = given(answered)
    assert (product.status, len(product.missing)) == (ProductStatus.INCOMPLETE, 4)
    rest = UpdateProduct(
        serial_number=f"01202100200{number}",
        purchase_date=datetime.date(2024, 5, 17),
        purchase_country="DK",
        dealer="Foto Nord",
    )
    version = answered.headers["etag"]
    completed = given(update_product.sync_detailed(account, product.id, client=member, body=rest, if_match=version))
    assert completed.status == ProductStatus.COMPLETE
    points = given(read_points.sync_detailed(account, client=member))
assert points.invited

levels = given(list_levels.sync_detailed(account, client=member)).levels
level = next(level for level in levels if level.open_)
choice = JoinProgramme(level=level.level, payment_method=PaymentMethod.BANK_TRANSFER, accept_terms_version=programme.terms_version)
joined = given(join_programme.sync_detailed(account, client=member, body=choice, idempotency_key="join-1"))
membership = given(read_membership.sync_detailed(account, client=member))
assert (membership.status, membership.member_number) == (MembershipStatus.ACTIVE, joined.member_number)

wrong = RegisterProduct(model_id=model.id, serial_number="000000")
refused = register_product.sync_detailed(account, client=member, body=wrong).parsed
assert isinstance(refused, Problem) and refused.code == ProblemCode.INVALID_REQUEST and refused.errors, refused
assert refused.errors[0].pointer == "#/serial_number"

print(f"member {membership.member_number}, {membership.level} until {membership.ends_date}")
