"""openapi.yaml is sound and says what the daemon does: references, schemas and examples; routes,
parameters and scopes as in server/routes.c, codes as in base/err_codes.h; and each example of a
request is sent to a live daemon. The rig holds every answer of every test against it besides."""
import http.client
import json
import re

import jsonschema
import pytest

from rig import CONTRACT, ROOT

DOCUMENT = CONTRACT.document
PROBLEM = "application/problem+json"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
SCOPES = {"AUTH_MARKET": "market", "AUTH_READ": "read", "AUTH_TRADE": "trade", "AUTH_OPS": "ops",
          "AUTH_ADMIN": "admin"}
# What any request of an operation may be answered with, before it is looked at more closely.
ALWAYS = {"400", "403", "413", "415", "422", "431"}
WITH_TOKEN = {"401", "429"}


def walk(node, path="#"):
    """(path, node) of everything in the document."""
    yield path, node
    pairs = node.items() if isinstance(node, dict) else enumerate(node) \
        if isinstance(node, list) else ()
    for key, child in pairs:
        yield from walk(child, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")


def operations():
    """(method, template, operation with the parameters of its path)."""
    for template, item in DOCUMENT["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters":
                own = operation.get("parameters", [])
                parameters = [CONTRACT.deref(p) for p in (*shared, *own)]
                yield method.upper(), template, {**operation, "parameters": parameters}


OPERATIONS = [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in operations()]
every_operation = pytest.mark.parametrize("method, template, operation", OPERATIONS)


def is_open(operation):
    return operation.get("security") == []


def is_endless(operation):
    """Its answer is read piece by piece, in test_local_stream.py."""
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


def contents():
    """(path, schema, examples) of every body that is described."""
    for path, node in walk(DOCUMENT):
        if path.rpartition("/")[0].endswith("/content"):
            yield path, node["schema"], node.get("examples", {})


def validator(schema):
    return jsonschema.Draft202012Validator(
        schema, resolver=CONTRACT.resolver, format_checker=jsonschema.FormatChecker())


# ---- the document by itself -------------------------------------------------------------------


def test_every_reference_leads_somewhere():
    found = {node["$ref"] for _, node in walk(DOCUMENT)
             if isinstance(node, dict) and "$ref" in node}
    assert len(found) > 40
    for reference in found:
        assert reference.startswith("#/")
        assert CONTRACT.resolver.resolve(reference)


def test_every_component_is_used():
    found = {node["$ref"] for _, node in walk(DOCUMENT)
             if isinstance(node, dict) and "$ref" in node}
    kept = {f"#/components/{kind}/{name}" for kind, items in DOCUMENT["components"].items()
            for name in items if kind != "securitySchemes"}
    assert kept - found == set()


def test_every_schema_is_one():
    schemas = [(path, schema) for path, schema, _ in contents()]
    schemas += [(name, schema) for name, schema in DOCUMENT["components"]["schemas"].items()]
    schemas += [(path, node["schema"]) for path, node in walk(DOCUMENT)
                if isinstance(node, dict) and "schema" in node]
    for path, schema in schemas:
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise AssertionError(f"{path}: {error.message}") from error


def test_every_example_is_as_its_schema_says():
    count = 0
    for path, schema, examples in contents():
        for name, example in examples.items():
            errors = [e.message for e in validator(schema).iter_errors(example["value"])]
            assert not errors, f"{path}: {name}: {errors}"
            count += 1
    for path, node in walk(DOCUMENT):
        if isinstance(node, dict) and "in" in node and "example" in node:
            assert not list(validator(node["schema"]).iter_errors(node["example"])), path
            count += 1
    assert count >= 20


def test_each_object_in_an_answer_names_all_its_members():
    """An app's author finds every member there is; the rig finds each that is not there."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for path, node in walk(schema, name):
            if isinstance(node, dict) and node.get("type") in ("object", ["object", "null"]):
                assert node.get("additionalProperties") is False, path
                assert set(node.get("required", ())) <= set(node.get("properties", {})), path


def test_the_codes_are_those_of_the_source():
    source = (ROOT / "base/err_codes.h").read_text()
    codes = re.findall(r'\tX\(\w+, "([a-z-]+)", (\d+), "(\w+)"', source)
    assert len(codes) > 40
    problem = DOCUMENT["components"]["schemas"]["Problem"]["properties"]
    assert {code for code, _, _ in codes} - {"none"} \
        == set(DOCUMENT["components"]["schemas"]["Code"]["enum"])
    assert {retry for _, _, retry in codes} <= set(problem["retry"]["enum"])


def test_each_shared_response_has_only_codes_of_its_status():
    source = (ROOT / "base/err_codes.h").read_text()
    status_of = dict(re.findall(r'\tX\(\w+, "([a-z-]+)", (\d+),', source))
    statuses = {}
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                statuses.setdefault(answer["$ref"].rpartition("/")[2], set()).add(status)
    for name, response in DOCUMENT["components"]["responses"].items():
        assert len(statuses[name]) == 1, f"{name} stands for {statuses[name]}"
        for word in re.findall(r"`([a-z-]+)`", response["description"]):
            if word in status_of:
                assert {status_of[word]} == statuses[name], f"{name}: {word}"


# ---- each operation ---------------------------------------------------------------------------


@every_operation
def test_an_operation_says_what_it_may_answer(method, template, operation):
    assert operation["summary"] and not operation["summary"].endswith(".")
    assert {tag["name"] for tag in DOCUMENT["tags"]} >= set(operation["tags"])
    expected = ALWAYS if is_open(operation) else ALWAYS | WITH_TOKEN
    assert expected <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        answer = CONTRACT.deref(answer)
        assert answer["description"], status
        if status == "101":  # no answer: from there on it is another protocol
            continue
        assert "X-Request-Id" in answer["headers"], status
        if status >= "400" and (template, status) != ("/readyz", "503"):
            assert answer["content"].keys() == {PROBLEM}, status
            assert answer["content"][PROBLEM]["schema"] == PROBLEM_SCHEMA, status
        else:
            assert PROBLEM not in answer["content"], status


@every_operation
def test_an_operation_names_its_parameters(method, template, operation):
    named = [(p["in"], p["name"]) for p in operation["parameters"]]
    assert len(named) == len(set(named))
    assert {name for kind, name in named if kind == "path"} == set(re.findall(r"{(\w+)}", template))
    for parameter in operation["parameters"]:
        assert "schema" in parameter
        assert parameter.get("required", False) or parameter["in"] != "path"


def test_operations_have_names_of_their_own():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


# ---- the document and the source --------------------------------------------------------------


def routes():
    """(method, path) -> (scopes, takes a body, query parameters), as server/routes.c has them."""
    source = (ROOT / "server/routes.c").read_text()
    source = source[source.index("routes[] = {"):]
    rows = re.findall(
        r'\{ "(\w+)", "([^"]+)", ([\w |]+), (?:FREE|CHARGED), (\w+),\s+"([^"]*)",\s+\w+ \}',
        source[:source.index("\n};")])
    return {(method, path): (scopes, body == "JSON_BODY", set(query.split()))
            for method, path, scopes, body, query in rows}


def test_every_route_is_in_the_document_and_every_operation_is_a_route():
    source = (ROOT / "server/routes.c").read_text()
    assert len(routes()) == source.count(", FREE, ") + source.count(", CHARGED, ")
    assert routes().keys() == {(method, template) for method, template, _ in operations()}


@every_operation
def test_the_document_says_who_may_and_with_what(method, template, operation):
    scopes, has_body, query = routes()[method, template]
    assert query == {p["name"] for p in operation["parameters"] if p["in"] == "query"}
    assert has_body == operation.get("requestBody", {}).get("required", False)
    assert (scopes == "OPEN") == is_open(operation)
    if scopes == "ANY":
        assert operation["description"].startswith("Any token.")
    elif scopes != "OPEN":
        words = " or ".join(f"`{SCOPES[scope]}`" for scope in scopes.split(" | "))
        assert operation["description"].startswith(f"Scope {words}."), scopes


# ---- the document and a live daemon -----------------------------------------------------------


def test_the_documents_are_served_byte_for_byte(rig):
    stranger = type(rig.daemon.admin)(rig.daemon)
    for path, file, kind in (
            ("/openapi.yaml", "openapi.yaml", "application/yaml"),
            ("/asyncapi.yaml", "schema/asyncapi.yaml", "application/yaml"),
            ("/events.schema.json", "schema/events.schema.json", "application/schema+json")):
        answer = stranger.get(path)
        assert answer.body == (ROOT / file).read_bytes()
        assert answer.content_type == kind


def request_examples():
    for method, template, operation in operations():
        for name, example in operation.get("requestBody", {}).get("content", {}).get(
                "application/json", {}).get("examples", {}).items():
            yield method, template, name, example["value"]


@pytest.mark.rig(market_maker=True)
def test_every_example_of_a_request_is_taken(rig, app):
    examples = list(request_examples())
    assert len(examples) >= 6
    for method, template, name, body in examples:
        caller = rig.daemon.admin if "/admin/" in template else app
        answer = caller.request(method, template, body)
        assert answer.status == 201, f"{template} {name}: {answer}"
        for key, value in body.items():
            if isinstance(value, str) and key in answer.json:
                assert answer.json[key] == value, f"{template} {name}: {answer}"


def target_of(template, operation, names):
    """The path and query of a call, from the document's own examples and defaults."""
    query = {}
    for parameter in operation["parameters"]:
        value = parameter.get("example", parameter["schema"].get("default"))
        if parameter["in"] == "query" and value is not None:
            query[parameter["name"]] = value
    path = re.sub(r"{(\w+)}", lambda match: names[template, match[1]], template)
    return path + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def things(rig, app):
    """What the braces in paths stand for: an order, a token, a pair, a stream."""
    known = {"symbol": "ADAUSDM", "name": "account"}
    order = app.order().json["order_id"]
    token = rig.daemon.admin.post("/v1/admin/tokens", {"name": "gone", "scopes": ["read"]}).json
    names = {("/v1/admin/tokens/{id}", "id"): token["token_id"]}
    for template in DOCUMENT["paths"]:
        for name in re.findall(r"{(\w+)}", template):
            names.setdefault((template, name), known.get(name, order))
    return names


BODIES = {
    "/v1/orders": {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100",
                   "price": "0.45"},
    "/v1/admin/tokens": {"name": "bot", "scopes": ["read"]},
}


@pytest.mark.rig(market_maker=True)
def test_every_operation_is_answered_with_its_own_defaults_and_examples(rig, app):
    names = things(rig, app)
    BODIES["/v1/admin/unlock"] = {"trading_password": rig.password}
    BODIES["/v1/admin/api-key"] = {"api_key": rig.api_key}
    # What takes away comes last.
    order = sorted(operations(), key=lambda one: (one[0] == "DELETE", one[1] == "/v1/admin/lock"))
    for method, template, operation in order:
        caller = rig.daemon.admin if "/admin/" in template else app
        body = BODIES.get(template) if method == "POST" else None
        if is_endless(operation):
            continue
        answer = caller.request(method, target_of(template, operation, names), body)
        succeeds = any("200" <= status < "300" for status in operation["responses"])
        expected = (200, 201) if succeeds else (426 if "101" in operation["responses"] else 503,)
        assert answer.status in expected, f"{method} {template}: {answer}"


@pytest.mark.rig(requests_per_second="0")
def test_what_is_no_operation_is_405_and_says_what_is_one(rig, app):
    names = things(rig, app)
    for template, item in DOCUMENT["paths"].items():
        known = {method.upper() for method in item if method != "parameters"}
        allowed = known | ({"HEAD"} if "GET" in known else set())
        path = re.sub(r"{(\w+)}", lambda match: names[template, match[1]], template)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - known:
            answer = app.request(method, path)
            assert (answer.status, answer.code) == (405, "method-not-allowed"), f"{method} {path}"
            assert set(answer.headers["Allow"].split(", ")) == allowed, f"{method} {path}"


def test_what_is_not_open_needs_a_token(rig, app):
    names = things(rig, app)
    stranger = type(app)(rig.daemon)
    for method, template, operation in operations():
        answer = stranger.request(method, target_of(template, operation, names),
                                  BODIES.get(template) if method == "POST" else None)
        if is_open(operation):
            assert answer.status in (200, 503), f"{method} {template}: {answer}"
        else:
            assert (answer.status, answer.code) == (401, "unauthorized"), f"{method} {template}"
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def headers_of(rig, method, path, body, token):
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=30)
    connection.request(method, path, body and json.dumps(body), {
        "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    response = connection.getresponse()
    if response.headers["Content-Type"] != "text/event-stream":
        response.read()
    connection.close()
    return response.status, response.headers


def test_answers_have_the_headers_that_the_document_promises(rig, app):
    known = {"Content-Type", "Content-Length", "Transfer-Encoding", "Date", "Connection",
             "Cache-Control", "X-Content-Type-Options", "Allow"}
    names = things(rig, app)
    for method, template, operation in operations():
        status, headers = headers_of(rig, method, target_of(template, operation, names),
                                     BODIES.get(template) if method == "POST" else None, app.token)
        promised = CONTRACT.deref(operation["responses"][str(status)])["headers"]
        assert set(headers) - known <= promised.keys(), f"{method} {template} {status}"
        for name, header in promised.items():
            schema = CONTRACT.deref(header)["schema"]
            if name in headers and schema["type"] == "string":
                assert not list(validator(schema).iter_errors(headers[name])), name
