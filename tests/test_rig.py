"""The rig's own checks can fail: a guard that always passes guards nothing."""
import base64
import json
import pathlib
import types

import pytest

import rig as rigs
from contract import Contract, ContractBroken

DOCUMENT = """
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /v1/orders:
    post:
      responses:
        "201":
          content:
            application/json: {schema: {$ref: "#/components/schemas/Order"}}
        "422": {$ref: "#/components/responses/Problem"}
  /v1/orders/{id}:
    get:
      responses:
        "200":
          content:
            application/json: {schema: {$ref: "#/components/schemas/Order"}}
        "204": {description: nothing}
components:
  responses:
    Problem:
      description: refused
      content:
        application/problem+json: {schema: {$ref: "#/components/schemas/Problem"}}
  schemas:
    Problem:
      type: object
      required: [code]
    Order:
      type: object
      additionalProperties: false
      required: [order_id, fills]
      properties:
        order_id: {type: string}
        fills: {type: array, items: {$ref: "#/components/schemas/Fill"}}
    Fill:
      type: object
      required: [price]
      properties: {price: {type: string, pattern: "^[0-9.]+$"}}
"""
ORDER = {"order_id": "ord_1", "fills": [{"price": "0.45"}]}
JSON, PROBLEM = "application/json", "application/problem+json"


@pytest.fixture
def contract(tmp_path):
    path = tmp_path / "openapi.yaml"
    path.write_text(DOCUMENT)
    return Contract(path)


def body(value):
    return json.dumps(value).encode()


def test_what_the_document_describes_passes(contract):
    contract.check("POST", "/v1/orders", 201, JSON, body(ORDER))
    contract.check("POST", "/v1/orders", 422, PROBLEM, body({"code": "x"}))
    contract.check("GET", "/v1/orders/ord_1?x=1", 200, JSON + "; charset=utf-8", body(ORDER))
    contract.check("GET", "/v1/orders/ord_1", 204, "", b"")
    contract.check("GET", "/nowhere", 404, PROBLEM, body({"code": "not-found"}))


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "/v1/orders/ord_1", 500, PROBLEM, body({"code": "x"})),
        ("GET", "/v1/orders/ord_1", 200, "text/html", body(ORDER)),
        ("GET", "/v1/orders/ord_1", 200, JSON, body({**ORDER, "more": 1})),
        ("GET", "/v1/orders/ord_1", 200, JSON, body({"order_id": "ord_1"})),
        ("GET", "/v1/orders/ord_1", 200, JSON, body({**ORDER, "fills": [{"price": 0.45}]})),
        ("GET", "/v1/orders/ord_1", 204, JSON, body(ORDER)),
        ("POST", "/v1/orders", 422, PROBLEM, body({})),
        ("GET", "/nowhere", 200, JSON, body(ORDER)),
        ("GET", "/nowhere", 404, JSON, body(ORDER)),
        ("GET", "/nowhere", 404, PROBLEM, body({})),
    ],
)
def test_what_the_document_does_not_describe_fails(contract, call):
    with pytest.raises(ContractBroken):
        contract.check(*call)


@pytest.mark.parametrize(
    "written",
    [
        lambda secret: secret,
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"u:{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"x{secret}y".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_was_written_down(tmp_path, written):
    one = rigs.Rig()
    one.folder.rmdir()
    one.daemon.log_file = tmp_path / "log"
    one.daemon.log_file.write_text("all is well\n")
    one.check_secrets()
    one.daemon.log_file.write_text(f"url=wss://host/?key={written(one.api_key)}\n")
    with pytest.raises(AssertionError, match="API key"):
        one.check_secrets()


def test_a_report_of_a_sanitizer_in_a_log_is_found(tmp_path):
    program = rigs.Program("deltagated", pathlib.Path(tmp_path))
    program.log_file.write_text("==1==ERROR: AddressSanitizer: heap-use-after-free\n")
    with pytest.raises(AssertionError):
        program.check_sanitizers()


def test_waiting_shows_the_last_reason(monkeypatch):
    def never():
        assert False, "the reason"

    monkeypatch.setattr(rigs, "SLOWNESS", 0)
    with pytest.raises(AssertionError, match="never") as error:
        rigs.wait_for(never, 0.01)
    assert "the reason" in str(error.value.__cause__)
    assert rigs.wait_for(lambda: types.SimpleNamespace(value=1)).value == 1


def test_the_address_of_a_simulator_is_known_while_it_is_started_again(make_sim):
    sim = make_sim()
    address = sim.address
    sim.kill()
    sim.launch()  # and does not say yet where it listens
    assert sim.hello is None and sim.address == address
    rigs.wait_for(sim.read_hello)
