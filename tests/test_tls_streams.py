"""The exchange's streams over TLS: the simulator behind a server that ends it."""

import socket
import ssl
import threading

import pytest

from rig import wait_for
from test_keys import certificate


class TlsFront:
    """Ends TLS and hands on every byte in both directions."""

    def __init__(self, cert, key, to):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.to = to
        self.requests = []  # first bytes of each connection that got through
        self.refused = 0  # connections whose TLS was never agreed upon
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return  # closed: the test is over
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        raw.settimeout(60)
        try:
            inner = self.context.wrap_socket(raw, server_side=True)
            first = inner.recv(65536)
        except OSError:
            self.refused += 1
            raw.close()
            return
        if first:
            self.requests.append(first)
        outer = socket.create_connection(self.to)
        outer.sendall(first)
        threading.Thread(target=pump, args=(outer, inner), daemon=True).start()
        pump(inner, outer)

    def close(self):
        self.listener.close()


def pump(source, sink):
    try:
        while block := source.recv(65536):
            sink.sendall(block)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@pytest.fixture
def secured(make_rig, tmp_path, request):
    """make(subject, days, is_trusted): a rig whose streams go over TLS, and what stands before."""
    def make(subject="localhost", days=30, is_trusted=True):
        rig = make_rig()
        cert, key = certificate(tmp_path, "stream", subject, days)
        rig.sim.start()
        front = TlsFront(cert, key, tuple(rig.sim.address))
        request.addfinalizer(front.close)
        rig.daemon.options.update(rest_url=rig.sim.url,
                                  stream_url=f"wss://localhost:{front.port}",
                                  stream_retry_max_ms=500)
        if is_trusted:
            rig.daemon.options.update(ca_file=tmp_path / "ca.pem")
        rig.daemon.start()
        return rig, front
    return make


def account_stream(rig):
    return rig.daemon.admin.get("/v1/health").json["streams"]["account"]


def test_a_stream_over_tls_is_live_and_tells(secured):
    rig, front = secured()
    wait_for(lambda: account_stream(rig)["state"] == "live")
    rig.daemon.ready()
    app = rig.app()
    assert app.order().status == 201
    assert front.requests[0].startswith(b"GET /accounts/stream?api_key=")
    assert b"\r\nHost: localhost:%d\r\n" % front.port in front.requests[0]
    wait_for(lambda: account_stream(rig)["last_message_age_ms"] is not None)


@pytest.mark.parametrize("how", ["self-signed", "expired", "wrong-host"])
def test_a_bad_certificate_gets_no_byte_of_the_handshake(secured, how):
    rig, front = secured(subject="other.example" if how == "wrong-host" else "localhost",
                         days=-1 if how == "expired" else 30,
                         is_trusted=how != "self-signed")
    wait_for(lambda: front.refused >= 2, what="a second try")
    assert front.requests == []
    told = account_stream(rig)
    assert not told["connected"] and told["why"], told
    # Orders do not wait for streams: what they would tell is asked for.
    rig.daemon.ready()
    order = rig.app().order()
    assert (order.status, order.json["state"]) == (201, "open"), order
