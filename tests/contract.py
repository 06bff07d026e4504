"""Holds every answer of the daemon against openapi.yaml: method, path, status, type and body."""
import json
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class ContractBroken(Exception):
    """Not an AssertionError: waiting and asking again does not mend it."""


def must(condition, text):
    if not condition:
        raise ContractBroken(text)


class Contract:
    """The document, ready to judge answers."""

    def __init__(self, path=ROOT / "openapi.yaml"):
        self.document = yaml.safe_load(path.read_text())
        self.resolver = jsonschema.RefResolver.from_schema(self.document)
        self.validators = {}
        self.operations = []
        for template, item in self.document["paths"].items():
            self.add(template, item)

    def add(self, template, item):
        # A name in braces stands for one segment; fixed paths win over those with names.
        pattern = re.compile(
            "".join(
                "[^/]+" if part.startswith("{") else re.escape(part)
                for part in re.split(r"(\{[^}]*\})", template)
            )
        )
        for method in METHODS:
            if method in item:
                self.operations.append((method.upper(), template, pattern, item[method]))
        self.operations.sort(key=lambda operation: operation[1].count("{"))

    def deref(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def paths_of(self, path):
        return [op for op in self.operations if op[2].fullmatch(path)]

    def check(self, method, target, status, content_type, body):
        """Raises ContractBroken when the document does not describe such an answer."""
        path = target.partition("?")[0]
        where = f"{method} {path} -> {status}"
        known = next((op for op in self.paths_of(path) if op[0] == method), None)
        if known is None:
            # What is not an operation has one answer only: a problem.
            must(400 <= status < 500 or status == 503, f"{where}: not in openapi.yaml")
            self.check_problem(where, content_type, body)
            return
        answers = known[3]["responses"]
        answer = answers.get(str(status), answers.get(status)) or answers.get("default")
        must(answer is not None, f"{where}: the status is not in openapi.yaml")
        where = f"{method} {known[1]} -> {status}"
        self.check_body(where, self.deref(answer).get("content"), content_type, body)

    def check_problem(self, where, content_type, body):
        must(content_type == "application/problem+json", f"{where}: {content_type}")
        schema = self.document["components"]["schemas"]["Problem"]
        self.validate(where, "Problem", schema, json.loads(body))

    def check_body(self, where, content, content_type, body):
        if not content:
            must(not body, f"{where}: a body where openapi.yaml has none")
            return
        kind = content_type.partition(";")[0].strip()
        must(kind in content, f"{where}: {kind} is not one of {sorted(content)}")
        schema = content[kind].get("schema")
        if schema and kind.endswith("json"):
            self.validate(where, f"{where} {kind}", schema, json.loads(body))

    def validate(self, where, key, schema, value):
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        errors = sorted(self.validators[key].iter_errors(value), key=lambda e: list(e.path))
        text = "; ".join(f"{'/'.join(map(str, e.path)) or 'body'}: {e.message}" for e in errors[:5])
        must(not errors, f"{where}: not as in openapi.yaml: {text}")
