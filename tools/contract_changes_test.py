"""Made-up changes of the released contract: each break is found, and nothing is said of what breaks nobody."""

import copy
import json
import pathlib
import unittest

from contract_changes import breaks, unmeant

RELEASED = json.loads((pathlib.Path(__file__).parent.parent / "openapi/released.json").read_text(encoding="utf-8"))


class Contract:
    """The released contract, to be changed."""

    def __init__(self):
        self.document = copy.deepcopy(RELEASED)

    def schema(self, name):
        return self.document["components"]["schemas"][name]

    def properties(self, name):
        return self.schema(name)["properties"]

    def operation(self, method, path):
        return self.document["paths"][path][method]

    def parameter(self, required):
        one = {"name": "shop", "in": "query", "required": required, "schema": {"type": "string"}}
        self.operation("get", "/v1/models")["parameters"].append(one)


def an_operation_is_gone(it):
    del it.document["paths"]["/v1/faq"]


def an_operation_is_called_otherwise(it):
    it.operation("get", "/v1/faq")["operationId"] = "readQuestions"


def a_path_parameter_is_called_otherwise(it):
    paths = it.document["paths"]
    paths["/v1/models/{model}"] = paths.pop("/v1/models/{model_id}")


def a_field_of_a_request_is_required(it):
    it.properties("SignIn")["device"] = {"type": "string"}
    it.schema("SignIn")["required"].append("device")


def a_field_of_a_request_is_narrower(it):
    it.properties("RegisterProduct")["serial_number"]["maxLength"] = 10


def a_field_of_a_request_is_of_another_type(it):
    it.properties("AdjustPoints")["reason"] = {"type": "integer"}


def a_field_of_a_request_is_not_taken(it):
    del it.properties("RegisterAccount")["source"]


def a_word_of_a_request_is_gone(it):
    it.schema("PaymentMethod")["enum"].pop()


def a_parameter_is_required(it):
    it.parameter(required=True)


def a_parameter_is_gone(it):
    it.operation("get", "/v1/models")["parameters"].pop(0)


def a_media_type_of_a_request_is_gone(it):
    content = it.operation("patch", "/v1/accounts/{account_id}")["requestBody"]["content"]
    content["application/json"] = content.pop("application/merge-patch+json")


def a_field_of_an_answer_is_gone(it):
    del it.properties("MeView")["roles"]
    it.schema("MeView")["required"].remove("roles")


def an_optional_field_of_an_answer_is_gone(it):
    del it.properties("MeView")["name"]


def a_field_of_an_answer_may_be_absent(it):
    it.schema("MeView")["required"].remove("roles")


def a_field_of_an_answer_may_be_null(it):
    it.properties("PointsView")["balance"]["type"] = ["integer", "null"]


def a_field_of_an_answer_is_of_another_type(it):
    it.properties("PointsView")["balance"] = {"type": "string"}


def a_status_is_gone(it):
    answers = it.operation("post", "/v1/accounts")["responses"]
    answers["202"] = answers.pop("201")


def a_header_is_gone(it):
    del it.operation("get", "/v1/accounts/{account_id}")["responses"]["200"]["headers"]["ETag"]


def a_token_is_asked_for(it):
    it.operation("get", "/v1/models")["security"] = [{"bearer": []}]


def a_caller_may_not_call_any_more(it):
    it.operation("get", "/v1/accounts/{account_id}/points")["x-callers"].remove("read_only")


def an_event_is_gone(it):
    del it.document["webhooks"]["account.invited"]


BREAKS = [
    an_operation_is_gone,
    an_operation_is_called_otherwise,
    a_path_parameter_is_called_otherwise,
    a_field_of_a_request_is_required,
    a_field_of_a_request_is_narrower,
    a_field_of_a_request_is_of_another_type,
    a_field_of_a_request_is_not_taken,
    a_word_of_a_request_is_gone,
    a_parameter_is_required,
    a_parameter_is_gone,
    a_media_type_of_a_request_is_gone,
    a_field_of_an_answer_is_gone,
    an_optional_field_of_an_answer_is_gone,
    a_field_of_an_answer_may_be_absent,
    a_field_of_an_answer_may_be_null,
    a_field_of_an_answer_is_of_another_type,
    a_status_is_gone,
    a_header_is_gone,
    a_token_is_asked_for,
    a_caller_may_not_call_any_more,
    an_event_is_gone,
]


def nothing(it):
    pass


def an_operation_more(it):
    it.document["paths"]["/v1/news"] = {"get": {**it.operation("get", "/v1/faq"), "operationId": "readNews"}}


def an_optional_field_of_a_request_more(it):
    it.properties("SignIn")["device"] = {"type": "string"}


def a_field_of_a_request_is_wider(it):
    it.properties("RegisterProduct")["serial_number"]["maxLength"] = 100


def a_field_of_a_request_may_be_absent(it):
    it.schema("AdjustPoints")["required"].remove("reason")


def a_word_of_a_request_more(it):
    it.properties("InviteUser")["role"]["enum"].append("guest")


def an_optional_parameter_more(it):
    it.parameter(required=False)


def a_field_of_an_answer_more(it):
    it.properties("MeView")["nickname"] = {"type": "string"}
    it.schema("MeView")["required"].append("nickname")


def a_field_of_an_answer_is_always_there(it):
    it.schema("MeView")["required"].append("email")


def a_field_of_an_answer_is_never_null(it):
    it.properties("ReviewPage")["next_cursor"]["type"] = "string"


def a_word_of_an_answer_more(it):
    it.schema("DocumentStatus")["enum"].append("lost")


def a_media_type_of_an_answer_more(it):
    content = it.operation("get", "/v1/me")["responses"]["200"]["content"]
    content["text/csv"] = {"schema": {"type": "string"}}


def a_refusal_more(it):
    it.operation("get", "/v1/faq")["responses"]["404"] = copy.deepcopy(it.operation("get", "/v1/models/{model_id}")["responses"]["404"])


def no_token_is_asked_for(it):
    it.operation("get", "/v1/me")["security"] = []


def a_reference_is_written_out(it):
    it.properties("RegisterProduct")["purchase_country"] = copy.deepcopy(it.schema("Country"))


def other_words_and_examples(it):
    it.operation("get", "/v1/faq")["summary"] = "Other words"
    it.schema("MeView")["example"] = {"caller": "staff"}
    it.document["info"]["version"] = "1.1.0"


def an_event_more(it):
    it.document["webhooks"]["account.renamed"] = it.document["webhooks"]["account.invited"]


HARMLESS = [
    nothing,
    an_operation_more,
    an_optional_field_of_a_request_more,
    a_field_of_a_request_is_wider,
    a_field_of_a_request_may_be_absent,
    a_word_of_a_request_more,
    an_optional_parameter_more,
    a_field_of_an_answer_more,
    a_field_of_an_answer_is_always_there,
    a_field_of_an_answer_is_never_null,
    a_word_of_an_answer_more,
    a_media_type_of_an_answer_more,
    a_refusal_more,
    no_token_is_asked_for,
    a_reference_is_written_out,
    other_words_and_examples,
    an_event_more,
]


def found(change):
    it = Contract()
    change(it)
    return list(breaks(RELEASED, it.document))


class Changes(unittest.TestCase):
    def test_every_break_is_found(self):
        for change in BREAKS:
            with self.subTest(change.__name__):
                self.assertNotEqual(found(change), [])

    def test_nothing_is_said_of_what_breaks_nobody(self):
        for change in HARMLESS:
            with self.subTest(change.__name__):
                self.assertEqual(found(change), [])

    def test_what_is_meant_stands_there_with_its_reason_as_long_as_it_breaks_something(self):
        breaking = found(a_header_is_gone)
        self.assertEqual(list(unmeant(breaking, "")), breaking)
        self.assertEqual(list(unmeant(breaking, f"# it was never sent\n{breaking[0]}\n")), [])
        self.assertNotEqual(list(unmeant([], breaking[0])), [])


if __name__ == "__main__":
    unittest.main()
