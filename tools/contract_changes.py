#!/usr/bin/env python3
"""What a changed contract breaks for whoever was built against an older one.

    tools/contract_changes.py OLD NEW MEANT

prints a line for each break that does not stand in MEANT, and fails if there is one, or if a line of MEANT is no break; lines that begin with # are
reasons. What is asked of a service may be asked of its next version, and what its next version
answers is understood by who knew the older one: so a request must take whatever it took, and an answer must be what it promised to be. Properties,
words, statuses, operations and events may be added; docs/deprecation.md says so to the callers.
"""

import json
import pathlib
import sys

METHODS = ("get", "put", "post", "patch", "delete")
MOST = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
LEAST = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
ANY_TYPE = {"null", "boolean", "integer", "number", "string", "array", "object"}


class Document:
    """A document whose references are followed."""

    def __init__(self, document):
        self.document = document

    def follow(self, value):
        while isinstance(value, dict) and "$ref" in value:
            target = self.document
            for name in value["$ref"].removeprefix("#/").split("/"):
                target = target[name.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def schema(self, value):
        """A schema with its parts of `allOf` put into one."""
        whole = dict(self.follow(value))
        for part in whole.pop("allOf", ()):
            part = self.schema(part)
            properties = {**part.get("properties", {}), **whole.get("properties", {})}
            required = [*part.get("required", ()), *whole.get("required", ())]
            whole = {**part, **whole}
            if properties:
                whole.update(properties=properties, required=required)
        return whole

    def options(self, value):
        """The schemas of which one holds."""
        schema = self.schema(value)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return [option for one in schema[word] for option in self.options(one)]
        return [schema]

    def operations(self):
        for path, item in self.document.get("paths", {}).items():
            for method in METHODS:
                if method in item:
                    yield (method.upper(), path), item[method]

    def parameters(self, operation):
        named = map(self.follow, operation.get("parameters", ()))
        return {(one["in"], one["name"]): one for one in named}

    def events(self):
        return {name: item["post"] for name, item in self.document.get("webhooks", {}).items()}


def types(schema):
    kinds = schema.get("type", ANY_TYPE)
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    return kinds | {"integer"} if "number" in kinds else kinds


class Lost:
    """What one side allows and the other does not understand: `sent` comes from `sender`, `known` is what `reader` reads it by."""

    def __init__(self, sender, reader, is_answer):
        self.sender, self.reader, self.is_answer = sender, reader, is_answer
        self.comparing = []

    def of(self, sent, known, at):
        pair = (json.dumps(sent, sort_keys=True), json.dumps(known, sort_keys=True))
        if pair in self.comparing:  # a schema within itself
            return []
        self.comparing.append(pair)
        try:
            return self.of_options(sent, known, at)
        finally:
            self.comparing.pop()

    def of_options(self, sent, known, at):
        known = self.reader.options(known)
        lost = []
        for option in self.sender.options(sent):
            tries = [self.of_one(option, one, at) for one in known]
            lost += min(tries, key=len)
        return lost

    def of_one(self, sent, known, at):
        kinds = types(sent) - types(known)
        if kinds:
            return [f"{at}: may be {', '.join(sorted(kinds))}" if len(types(sent)) < len(ANY_TYPE) else f"{at}: may be anything"]
        return [
            *self.of_words(sent, known, at),
            *self.of_form(sent, known, at),
            *self.of_properties(sent, known, at),
            *self.of_items(sent, known, at),
        ]

    def of_words(self, sent, known, at):
        if "enum" not in known:
            return []
        if "enum" not in sent:
            return [f"{at}: may be another word than {known['enum']}"]
        if self.is_answer:  # vocabularies of answers grow
            return []
        return [f"{at}: may be {word!r}" for word in sent["enum"] if word not in known["enum"]]

    def of_form(self, sent, known, at):
        lost = []
        for word in ("format", "pattern", "const"):
            if word in known and sent.get(word) != known[word] and "enum" not in sent:
                lost.append(f"{at}: {word} {sent.get(word)!r}, not {known[word]!r}")
        if self.is_answer:
            return lost
        for word in MOST:
            if word in known and sent.get(word, float("inf")) > known[word]:
                lost.append(f"{at}: {word} {sent.get(word)}, not {known[word]}")
        for word in LEAST:
            if word in known and sent.get(word, float("-inf")) < known[word]:
                lost.append(f"{at}: {word} {sent.get(word)}, not {known[word]}")
        return lost

    def of_properties(self, sent, known, at):
        theirs, ours = sent.get("properties", {}), known.get("properties", {})
        needed = set(known.get("required", ())) - set(sent.get("required", ()))
        lost = [f"{at}/{name}: may be absent" for name in sorted(needed)]
        if self.is_answer:
            lost += [f"{at}/{name}: is gone" for name in ours if name not in theirs and name not in needed]
        elif known.get("additionalProperties") is False:
            lost += [f"{at}/{name}: is not taken" for name in theirs if name not in ours]
        for name in theirs.keys() & ours.keys():
            lost += self.of(theirs[name], ours[name], f"{at}/{name}")
        rest = [one.get("additionalProperties") for one in (sent, known)]
        if all(isinstance(one, dict) for one in rest):
            lost += self.of(*rest, f"{at}/*")
        return lost

    def of_items(self, sent, known, at):
        if "items" not in known or "array" not in types(sent):
            return []
        return self.of(sent.get("items", {}), known["items"], f"{at}[]")


def content(document, holder):
    return document.follow(holder).get("content", {}) if holder else {}


def of_content(sender, reader, sent, known, is_answer, at):
    """What is lost of the forms that both sides have."""
    for kind in sent.keys() & known.keys():
        schemas = sent[kind].get("schema", {}), known[kind].get("schema", {})
        yield from Lost(sender, reader, is_answer).of(*schemas, f"{at} {kind} ")


def of_parameters(old, new, before, after, at):
    before, after = old.parameters(before), new.parameters(after)
    for (place, name), parameter in before.items():
        if (place, name) not in after:
            yield f"{at}: the {place} parameter {name} is gone"
            continue
        schemas = parameter.get("schema", {}), after[place, name].get("schema", {})
        yield from Lost(old, new, False).of(*schemas, f"{at} {name}")
    for (place, name), parameter in after.items():
        was = before.get((place, name), {}).get("required", False)
        if parameter.get("required") and not was:
            yield f"{at}: the {place} parameter {name} is required"


def of_body(old, new, before, after, at):
    before, after = old.follow(before.get("requestBody", {})), new.follow(after.get("requestBody", {}))
    if after.get("required") and not before.get("required"):
        yield f"{at}: a body is required"
    was, now = before.get("content", {}), after.get("content", {})
    for kind in was.keys() - now.keys():
        yield f"{at}: a body of {kind} is not taken"
    yield from of_content(old, new, was, now, False, f"{at} body")


def of_answers(old, new, before, after, at):
    for status, was in before.get("responses", {}).items():
        now = after.get("responses", {}).get(status)
        if now is None:
            yield f"{at}: {status} is gone"
            continue
        was, now = old.follow(was), new.follow(now)
        for header in was.get("headers", {}).keys() - now.get("headers", {}).keys():
            yield f"{at} {status}: the header {header} is gone"
        was, now = was.get("content", {}), now.get("content", {})
        for kind in was.keys() - now.keys():
            yield f"{at} {status}: {kind} is gone"
        yield from of_content(new, old, now, was, True, f"{at} {status}")


def of_callers(before, after, at):
    is_open = [not one.get("security") or {} in one["security"] for one in (before, after)]
    if is_open == [True, False]:
        yield f"{at}: asks for a token"
    callers, still = set(before.get("x-callers", ())), set(after.get("x-callers", ()))
    if "anybody" not in still:
        for caller in sorted(callers - still - {"anybody"}):
            yield f"{at}: {caller} may not call it"


def breaks(old, new):
    """What `new` breaks of what `old` promised, a line each."""
    old, new = Document(old), Document(new)
    after = dict(new.operations())
    for (method, path), was in old.operations():
        at = f"{method} {path}"
        now = after.get((method, path))
        if now is None:
            yield f"{at}: is gone"
            continue
        if was.get("operationId") != now.get("operationId"):
            yield f"{at}: is called {now.get('operationId')}, not {was.get('operationId')}"
        yield from of_callers(was, now, at)
        yield from of_parameters(old, new, was, now, at)
        yield from of_body(old, new, was, now, at)
        yield from of_answers(old, new, was, now, at)
    events = new.events()
    for name, was in old.events().items():
        if name not in events:
            yield f"event {name}: is gone"
            continue
        sent, known = (content(of, one.get("requestBody")) for of, one in ((new, events[name]), (old, was)))
        yield from of_content(new, old, sent, known, True, f"event {name}")


def unmeant(found, meant):
    """Breaks that nobody meant, and what was meant and is no break."""
    meant = {line for line in meant.splitlines() if line and not line.startswith("#")}
    found = set(found)
    yield from sorted(found - meant)
    for line in sorted(meant - found):
        yield f"meant, but no break: {line}"


def main(*paths):
    old, new, meant = (pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    lines = list(unmeant(breaks(json.loads(old), json.loads(new)), meant))
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
