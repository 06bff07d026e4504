"""What no HTTP library sends: a table of requests, each with the statuses that are right for it,
and what comes behind them, which must never be taken for a request."""
import json
import os
import re
import socket
import time

import pytest

from rawhttp import Connection, send_raw
from rig import wait_for

ORDER = {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100",
         "price": "0.45"}
UNLIMITED = pytest.mark.rig(requests_per_second="0")
# Closing without an answer is right for what is no request at all.
REFUSED = (400, 413, 414, 431, None)

GET = b"GET /v1/health HTTP/1.1\r\n"
POST = b"POST /v1/orders HTTP/1.1\r\n"
KIND = b"Content-Type: application/json\r\n"


class Heads:
    """The lines of a head, for one daemon and one token."""

    def __init__(self, rig, app):
        self.host = b"Host: 127.0.0.1:%d\r\n" % rig.daemon.address[1]
        self.auth = f"Authorization: Bearer {app.token}\r\n".encode()
        self.get = GET + self.host + self.auth
        self.post = POST + self.host + self.auth + KIND

    def whole_post(self, body, kind=KIND):
        return (POST + self.host + self.auth + kind + b"Content-Length: %d\r\n\r\n" % len(body)
                + body)

    def order(self, **fields):
        return self.whole_post(json.dumps({**ORDER, **fields}).encode())


@pytest.fixture
def heads(rig, app):
    return Heads(rig, app)


def no_requests(heads):
    """(name, bytes): there is nothing to answer but that it is refused."""
    host, auth = heads.host, heads.auth
    yield "no request line", b"\r\n\r\n\r\n\r\n"
    yield "garbage", b"\x00\x01\x02\x03" * 50 + b"\r\n\r\n"
    yield "a TLS hello", bytes.fromhex("16030100a5010000a10303") + os.urandom(150)
    yield "an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield "HTTP/0.9", b"GET /v1/health\r\n\r\n"
    yield "HTTP/3.7", b"GET /v1/health HTTP/3.7\r\n" + host + auth + b"\r\n"
    yield "a lower-case version", b"GET /v1/health http/1.1\r\n" + host + auth + b"\r\n"
    yield "a version and more", b"GET /v1/health HTTP/1.1x\r\n" + host + auth + b"\r\n"
    yield "no target", b"GET HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "tabs for spaces", b"GET\t/v1/health\tHTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "a leading space", b" " + heads.get + b"\r\n"
    yield "two spaces", b"GET  /v1/health HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "a space in the path", b"GET /v1/he alth HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "a NUL in the method", b"GET\x00X /v1/health HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "a NUL in the path", b"GET /v1/he\x00alth HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "a NUL in a header's name", heads.get + b"X\x00: a\r\n\r\n"
    yield "a NUL in a header", heads.get + b"X: a\x00b\r\n\r\n"
    yield "a bare CR in a header", heads.get + b"X: a\rY: b\r\n\r\n"
    yield "a control character in a header", heads.get + b"X: a\x01b\r\n\r\n"
    yield "bare newlines", heads.get.replace(b"\r\n", b"\n") + b"\n"
    yield "one bare newline", heads.get + b"X: y\nZ: a\r\n\r\n"
    yield "a space before the colon", heads.get + b"X : a\r\n\r\n"
    yield "a header without a name", heads.get + b": a\r\n\r\n"
    yield "a folded header", heads.get + b"X: a\r\n b\r\n\r\n"
    yield "a header without a colon", heads.get + b"nonsense\r\n\r\n"
    yield "a very long path", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + host + b"\r\n"
    yield "a very long header", heads.get + b"X: " + b"a" * 40000 + b"\r\n\r\n"
    yield "very long headers", heads.get + (b"X: " + b"a" * 1000 + b"\r\n") * 64 + b"\r\n"
    yield "a thousand headers", heads.get + b"X: y\r\n" * 4000 + b"\r\n"
    yield "a thousand cookies", heads.get + b"Cookie: " + b"a;" * 4000 + b"\r\n\r\n"
    yield "an endless head", heads.get + b"X: " + b"a" * 200000
    yield "an endless first line", b"GET /" + b"a" * 200000
    yield "an absolute form to elsewhere", \
        b"GET http://evil.example/v1/health HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "an authority", b"CONNECT 127.0.0.1:80 HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "an asterisk", b"OPTIONS * HTTP/1.1\r\n" + host + auth + b"\r\n"
    yield "no Host", GET + auth + b"\r\n"
    yield "two Hosts", heads.get + b"Host: evil.example\r\n\r\n"
    yield "the same Host twice", heads.get + host + b"\r\n"


def bad_framing(heads):
    """(name, bytes): where the body ends is not clear, and neither is where a next request is."""
    chunked = b"Transfer-Encoding: chunked\r\n"
    for length in (b"-1", b"x", b"0x10", b"1e1", b"+2", b"2 2", b"2,2", b"2, 2", b"", b" ",
                   b"99999999999999999999999", b"18446744073709551616", b"2\x00", b"\xb2"):
        yield f"the length {length}", heads.post + b"Content-Length: " + length + b"\r\n\r\n{}"
    yield "two lengths", heads.post + b"Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}"
    yield "the same length twice", heads.post + b"Content-Length: 2\r\n" * 2 + b"\r\n{}"
    yield "a length and chunks", \
        heads.post + b"Content-Length: 4\r\n" + chunked + b"\r\n0\r\n\r\n"
    yield "chunks and a length", \
        heads.post + chunked + b"Content-Length: 5\r\n" + b"\r\n0\r\n\r\n"
    for encoding in (b"gzip", b"identity", b"gzip, chunked", b"chunked, chunked", b"chunked, gzip",
                     b"xchunked", b"chunked;q=1", b"\x0bchunked", b"chunked\x00", b"\"chunked\"",
                      b"",
                     b"chunke\xe4"):
        yield f"the encoding {encoding}", \
            heads.post + b"Transfer-Encoding: " + encoding + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    yield "two encodings", heads.post + chunked * 2 + b"\r\n2\r\n{}\r\n0\r\n\r\n"
    yield "an encoding with a space", \
        heads.post + b"Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    yield "a folded encoding", \
        heads.post + b"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    yield "chunks in HTTP/1.0", \
        heads.post.replace(b"1.1\r", b"1.0\r") + chunked + b"\r\n2\r\n{}\r\n0\r\n\r\n"
    yield "an announced gigabyte", heads.post + b"Content-Length: 1073741824\r\n\r\n{"


def bad_chunks(heads):
    """(name, bytes): found in the middle of a body, where the library answers for itself."""
    head = heads.post + b"Transfer-Encoding: chunked\r\n\r\n"
    for size in (b"zz", b"-1", b"0x2", b"2 ", b" 2", b"", b";", b"\x00", b"fffffffffffffffff"):
        yield f"the chunk size {size}", head + size + b"\r\n{}\r\n0\r\n\r\n"
    yield "a chunk longer than its size", head + b"1\r\n{}\r\n0\r\n\r\n"
    yield "a chunk shorter than its size", head + b"4\r\n{}\r\n0\r\n\r\n"
    yield "a trailer without a colon", head + b"2\r\n{}\r\n0\r\nnonsense\r\n\r\n"


def odd_requests(heads):
    """(name, bytes, statuses): whole requests that a program would hardly send."""
    body = json.dumps(ORDER).encode()
    yield "a method of 5000 letters", b"G" * 5000 + heads.get[3:] + b"\r\n", (405,)
    yield "a lower-case method", heads.get.replace(b"GET", b"get") + b"\r\n", (405,)
    for method in (b"TRACE", b"CONNECT", b"PROPFIND", b"FOO", b"PUT", b"OPTIONS", b"!"):
        yield method.decode(), heads.get.replace(b"GET", method) + b"\r\n", (405,)
    yield "no token", GET + heads.host + b"\r\n", (401,)
    yield "two tokens", heads.get + heads.auth + b"\r\n", (401,)
    yield "a good token and a bad one", heads.get + b"Authorization: Bearer x\r\n\r\n", (401,)
    yield "a bad token and a good one", \
        GET + heads.host + b"Authorization: Bearer x\r\n" + heads.auth + b"\r\n", (401,)
    yield "two tokens in one", heads.get[:-2] + b", " + heads.auth[15:] + b"\r\n", (401,)
    yield "another Host", GET + b"Host: evil.example\r\n" + heads.auth + b"\r\n", (403,)
    yield "two Origins", heads.get + b"Origin: http://a\r\n" * 2 + b"\r\n", (403,)
    yield "7000 parameters", heads.get.replace(b"health", b"health?" + b"a&" * 7000) + b"\r\n", \
        (422,)
    yield "one parameter 300 times", \
        heads.get.replace(b"health", b"fills?" + b"symbol=A&" * 300) + b"\r\n", (422,)
    yield "480 headers", heads.get + b"X: y\r\n" * 480 + b"\r\n", (200,)
    yield "400 cookies", heads.get + b"Cookie: " + b"a=b; " * 400 + b"\r\n\r\n", (200,)
    yield "16000 bytes of cookies", heads.get + b"Cookie: " + b"a" * 16000 + b"\r\n\r\n", (200,)
    yield "bytes beyond ASCII in a header", heads.get + b"X: \xff\xfe\r\n\r\n", (200,)
    yield "an empty line first", b"\r\n" + heads.get + b"\r\n", (200,)
    yield "a body on GET", heads.get + KIND + b"Content-Length: 2\r\n\r\n{}", (200,)
    yield "a body on GET with fields", \
        heads.get + KIND + b"Content-Length: 7\r\n\r\n{\"a\":1}", (422,)
    yield "an expectation without a body", heads.get + b"Expect: 100-continue\r\n\r\n", (200,)
    yield "another expectation", heads.get + b"Expect: miracles\r\n\r\n", (200, 417)
    yield "an upgrade to what we do not speak", \
        heads.get + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", (200,)
    yield "a length of many zeros", \
        heads.post + b"Content-Length: " + b"0" * 300 + b"2\r\n\r\n{}", (422,)
    yield "an empty body", heads.post + b"Content-Length: 0\r\n\r\n", (400,)
    yield "no body", heads.post + b"\r\n", (400,)
    yield "100 kB of body", heads.whole_post(b" " * 100000), (413,)
    yield "64 KiB and a byte", heads.whole_post(b" " * 65537), (413,)
    yield "64 KiB of blanks", heads.whole_post(b" " * 65536), (400,)
    yield "100 kB in chunks", heads.post + b"Transfer-Encoding: chunked\r\n\r\n" + \
        (b"1000\r\n" + b" " * 4096 + b"\r\n") * 25 + b"0\r\n\r\n", (413,)
    yield "one byte to a chunk", heads.post + b"Transfer-Encoding: chunked\r\n\r\n" + \
        b"1\r\n \r\n" * 5000 + b"0\r\n\r\n", (400,)
    yield "a compressed body", heads.post + \
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", (400, 415)
    yield "no content type", heads.whole_post(body, b""), (415,)
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data",
                 b"application/jsonx", b"", b"application/json;charset=utf-7"):
        yield f"content type {kind.decode()}", \
            heads.whole_post(body, b"Content-Type: " + kind + b"\r\n"), (415,)


def table(heads):
    """(name, bytes, statuses, may the library answer for itself?): all of the above."""
    yield from ((name, data, REFUSED, False) for name, data in no_requests(heads))
    yield from ((name, data, REFUSED, False) for name, data in bad_framing(heads))
    yield from ((name, data, REFUSED, True) for name, data in bad_chunks(heads))
    yield from ((*row, False) for row in odd_requests(heads))


@UNLIMITED
@pytest.mark.seconds(240)
def test_requests_that_no_library_sends_are_refused_in_our_own_words(rig, heads, judge):
    for name, data, statuses, may_be_page in table(heads):
        reply = send_raw(rig.daemon.address, data)
        judge.check_raw(name, reply, statuses, may_be_page)
    assert judge.count >= 120


@UNLIMITED
def test_a_sender_that_falls_silent_is_answered_or_closed(rig, heads, judge):
    for name, data, statuses, _ in table(heads):
        reply = send_raw(rig.daemon.address, data, finish=True)
        judge.check_raw(name, reply, (*statuses, None), may_be_page=True)


@UNLIMITED
def test_the_same_after_a_good_request_on_the_same_connection(rig, heads, judge):
    """The first head of a connection is looked at twice, later ones once."""
    # These the library takes for the beginning of a first line, and waits.
    beginnings = ("no request line", "garbage", "a TLS hello")
    for name, data, statuses, _ in table(heads):
        if name in beginnings:
            continue
        with Connection(rig.daemon.address) as connection:
            connection.send(heads.get + b"\r\n")
            judge.check_raw("a good request", connection.reply(), (200,))
            connection.send(data, finish=True)
            reply = connection.reply()
            if reply and reply.status == 100:
                reply = connection.reply()
            if reply and reply.is_last:
                reply.rest = connection.rest()
            # 505: a version that the library knows to be another one.
            judge.check_raw(name, reply, (*statuses, 400, 431, 505, None), may_be_page=True)


def test_over_the_unix_socket_it_is_the_same(rig, heads, judge):
    for name, data, statuses, may_be_page in table(heads):
        # Whose socket it is needs no token and no Host.
        reply = send_raw(rig.daemon.socket, data, finish=True)
        judge.check_raw(name, reply, (*statuses, 200, 403, None), may_be_page)


# ---- what comes behind ------------------------------------------------------------------------


def replies_of(address, data):
    """All that is answered when everything is sent at once."""
    replies = []
    with Connection(address) as connection:
        connection.send(data, finish=True)
        while reply := connection.reply():
            replies.append(reply)
            if reply.is_last:
                assert connection.rest() == b""
                break
    return replies


@UNLIMITED
def test_behind_a_doubtful_request_nothing_is_a_request(rig, heads, judge):
    doubtful = [*no_requests(heads), *bad_framing(heads), *bad_chunks(heads)]
    for name, data in doubtful:
        if name == "no request line":
            continue  # empty lines are no request, and what follows is one
        replies = replies_of(rig.daemon.address, data + heads.order(client_order_id="smuggled"))
        judge.must(len(replies) <= 1, f"{name}: {replies}")
        for reply in replies:
            judge.check_raw(name, reply, REFUSED, may_be_page=True)


@UNLIMITED
def test_a_request_in_a_body_is_a_body(rig, heads, judge):
    for hidden in (heads.order(client_order_id="hidden"), b"\r\n\r\n" + heads.order(),
                   b"0\r\n\r\n" + heads.order()):
        for post in (heads.whole_post(hidden), heads.whole_post(hidden * 400),  # read, then refused
                     heads.post + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(hidden)
                     + hidden + b"\r\n0\r\n\r\n"):
            first, second = replies_of(rig.daemon.address, post + heads.get + b"\r\n")
            judge.check_raw("a body", first, (400, 413))
            judge.check_raw("what comes behind", second, (200,))
    # Refused by its length alone: then nothing more is read.
    replies = replies_of(rig.daemon.address,
                         heads.post + b"Content-Length: 5000000\r\n\r\n" + heads.order())
    judge.must([reply.status for reply in replies] == [413], f"{replies}")


@UNLIMITED
def test_bytes_behind_a_body_are_no_part_of_it(rig, heads, judge):
    for tail in (b"}", b"\x00", b"{}", b"garbage\r\n\r\n"):
        replies = replies_of(rig.daemon.address, heads.whole_post(b"{}") + tail)
        judge.check_raw(f"before {tail}", replies[0], (422,))
        judge.must([r.status for r in replies[1:]] in ([], [400]), f"{tail}: {replies}")


def test_a_body_that_ends_early_places_nothing(rig, heads, judge):
    whole = heads.order()
    for cut in (1, 2, len(json.dumps(ORDER))):
        assert replies_of(rig.daemon.address, whole[:-cut]) == []
    for tail in (b"", b"0\r\n", b"0\r\nX: y\r\n"):
        body = json.dumps(ORDER).encode()
        data = heads.post + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n"
        assert replies_of(rig.daemon.address, data + tail) == []
    judge.count += 6


# ---- what is unusual and right ------------------------------------------------------------------


@pytest.mark.rig(max_orders_per_second="50")
def test_a_whole_request_is_answered_also_when_the_sender_has_finished(rig, heads):
    for address in (rig.daemon.address, rig.daemon.socket):
        reply = send_raw(address, heads.get + b"\r\n", finish=True)
        assert reply.status == 200, reply
        reply = send_raw(address, heads.order(), finish=True)
        assert reply.status == 201, reply
        body = json.dumps(ORDER).encode()
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        reply = send_raw(address, heads.post + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
                         + b"0\r\nX-Trailer: y\r\n\r\n", finish=True)
        assert reply.status == 201, reply


@pytest.mark.rig(max_orders_per_second="50")
def test_pipelined_requests_are_answered_in_order(rig, heads):
    requests = b"".join(heads.order(client_order_id=f"p-{n}") + heads.get + b"\r\n"
                        for n in range(10))
    for address, status in ((rig.daemon.address, 201), (rig.daemon.socket, 200)):
        replies = replies_of(address, requests)
        assert [r.status for r in replies] == [status, 200] * 10
        assert [r.json["client_order_id"] for r in replies[::2]] == [f"p-{n}" for n in range(10)]


def test_a_head_may_come_byte_by_byte(rig, heads):
    with Connection(rig.daemon.address) as connection:
        for byte in heads.get + b"\r\n":
            connection.send(bytes([byte]))
            time.sleep(0.002)
        assert connection.reply().status == 200


def test_a_sender_that_asks_first_is_told_to_go_on_or_that_it_need_not(rig, heads):
    expect = b"Expect: 100-continue\r\n"
    body = json.dumps(ORDER).encode()
    with Connection(rig.daemon.address) as connection:
        connection.send(heads.post + expect + b"Content-Length: %d\r\n\r\n" % len(body))
        assert connection.reply().status == 100
        connection.send(body)
        assert connection.reply().status == 201
    for head in (heads.post + expect + b"Content-Length: 65537\r\n\r\n",
                 heads.post + expect + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n"):
        with Connection(rig.daemon.address) as connection:
            connection.send(head)
            reply = connection.reply()
            assert reply.status in (400, 413) and reply.is_last


GETS = ("/healthz", "/readyz", "/openapi.yaml", "/v1/health", "/v1/limits", "/v1/orders",
        "/v1/markets", "/v1/balances", "/v1/nothing", "/v1/orders/none", "/v1/orders?limit=x")


def test_a_HEAD_has_the_head_of_its_GET_and_no_body(rig, heads):
    with Connection(rig.daemon.address) as connection:
        for path in GETS:
            get = heads.get.replace(b"/v1/health", path.encode()) + b"\r\n"
            connection.send(get.replace(b"GET", b"HEAD") + get)
            head, whole = connection.reply("HEAD"), connection.reply()
            assert head.status == whole.status, path
            assert head.headers.keys() == whole.headers.keys()
            for name in ("Content-Type", "Cache-Control"):
                assert head.headers[name] == whole.headers[name]
            assert abs(int(head.headers["Content-Length"]) - len(whole.body)) < 9, path


def test_HEAD_and_OPTIONS_need_what_GET_needs(rig, heads):
    for method in (b"HEAD", b"OPTIONS"):
        with Connection(rig.daemon.address) as connection:
            connection.send(method + b" /v1/orders HTTP/1.1\r\n" + heads.host + b"\r\n")
            assert connection.reply(method.decode()).status == (401 if method == b"HEAD" else 405)


def test_a_trailer_is_no_header(rig, heads, judge):
    chunks = b"2\r\n{}\r\n0\r\n"
    head = POST + heads.host + b"Transfer-Encoding: chunked\r\n"
    reply = send_raw(rig.daemon.address, head + KIND + b"\r\n" + chunks + heads.auth + b"\r\n")
    judge.check_raw("a token in the trailer", reply, (401,))
    reply = send_raw(rig.daemon.address, head + heads.auth + b"\r\n" + chunks + KIND + b"\r\n")
    judge.check_raw("a content type in the trailer", reply, (415,))
    for trailer in (b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n",
                    b"Host: evil.example\r\n", b"X: y\r\n" * 200):
        reply = send_raw(rig.daemon.address, head + heads.auth + KIND + b"\r\n" + chunks + trailer
                         + b"\r\n")
        judge.check_raw(f"the trailer {trailer[:20]}", reply, (422,))


# ---- what costs -----------------------------------------------------------------------


def memory_kib(rig):
    status = open(f"/proc/{rig.daemon.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@UNLIMITED
def test_a_client_that_does_not_read_costs_little_and_nobody_else_anything(rig, app, heads):
    request = heads.get.replace(b"/v1/health", b"/openapi.yaml") + b"\r\n"
    assert app.get("/v1/health").status == 200
    before = memory_kib(rig)
    deaf = [socket.create_connection(rig.daemon.address) for _ in range(20)]
    for connection in deaf:
        connection.setblocking(False)
        try:
            for _ in range(1000):
                connection.send(request * 10)
        except BlockingIOError:
            pass
    for _ in range(20):
        assert app.get("/v1/health").seconds < 5
    assert memory_kib(rig) - before < 20 * 2048
    for connection in deaf:
        connection.close()
    assert app.get("/v1/health").status == 200


@pytest.mark.rig(connections_max="16", requests_per_second="0")
def test_more_connections_than_allowed_are_closed_and_the_others_are_served(rig, app, heads):
    crowd = [Connection(rig.daemon.address) for _ in range(40)]
    for connection in crowd:
        connection.send(heads.get + b"\r\n")
    replies = [connection.reply() for connection in crowd]
    served = [reply for reply in replies if reply]
    assert 8 <= len(served) <= 16
    assert {reply.status for reply in served} == {200}
    for connection in crowd:
        connection.__exit__()
    wait_for(lambda: send_raw(rig.daemon.address, heads.get + b"\r\n"), 10, "there is room again")
    assert app.get("/v1/health").status == 200


@UNLIMITED
@pytest.mark.seconds(200)
def test_slow_and_silent_senders_are_closed_and_cost_nobody_anything(rig, app, heads, judge):
    address = rig.daemon.address
    head = POST + heads.host
    silent = [socket.create_connection(address) for _ in range(40)]
    halves = [socket.create_connection(address) for _ in range(40)]
    for connection in halves:
        connection.sendall(head)
    bodies = [socket.create_connection(address) for _ in range(20)]
    for connection in bodies:
        connection.sendall(heads.post + b"Content-Length: 100\r\n\r\n{")
    closed = [socket.create_connection(address) for _ in range(20)]
    for connection in closed:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + 60
    waiting = silent + halves + bodies + closed
    while waiting and time.monotonic() < deadline:
        # Others are served meanwhile, and a drop of data now and then keeps nobody alive.
        assert app.get("/v1/health").status == 200
        for connection in list(waiting):
            try:
                if connection in bodies:
                    connection.send(b" ")
                connection.setblocking(False)
                if connection.recv(4096) == b"":
                    raise ConnectionResetError
            except BlockingIOError:
                continue
            except OSError:
                waiting.remove(connection)
                connection.close()
        time.sleep(0.25)
    for connection in waiting:
        connection.close()
    assert not waiting, f"{len(waiting)} connections are still open"
