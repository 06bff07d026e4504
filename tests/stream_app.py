"""A subscriber's view of the local stream: over WebSocket (Stream), as server-sent events (Events).

Each message, sent or received, is held against schema/events.schema.json, and on each channel
`prev` must be the number of what came before: a hole that was not told fails the test that has it.
Nothing is read unless the test asks: a Stream that is not pumped is a reader that has stopped.
"""
import collections
import contextlib
import itertools
import json
import pathlib
import socket
import threading
import time
import urllib.parse

import jsonschema
from websockets.client import ClientConnection
from websockets.connection import State
from websockets.exceptions import InvalidState
from websockets.frames import Opcode
from websockets.uri import parse_uri

from contract import must
from rig import CONTRACT, SLOWNESS

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHUNK = 1 << 16
READ_MAX = 1 << 20
SECONDS = 10
SNAPSHOTS = {"orders": "OrdersSnapshot", "fills": "FillsSnapshot", "balances": "BalancesSnapshot",
             "system": "SystemSnapshot", "depth": "DepthSnapshot", "price": "PriceSnapshot",
             "trades": "TradesSnapshot"}
EVENTS = {"orders": "OrderEvent", "fills": "FillEvent", "balances": "BalanceEvent",
          "system": "SystemEvent", "depth": "DepthEvent", "price": "PriceEvent",
          "trades": "TradeEvent"}
OTHERS = {"hello": "Hello", "authenticated": "Authenticated", "gap": "Gap", "status": "Status",
          "hb": "Heartbeat", "unsubscribed": "Unsubscribed", "pong": "Pong", "error": "Error",
          "closing": "Closing", "auth": "Auth", "subscribe": "Subscribe",
          "unsubscribe": "Unsubscribe", "ping": "Ping"}


class Schema:
    """schema/events.schema.json, ready to judge messages."""

    def __init__(self, path=ROOT / "schema/events.schema.json"):
        self.document = json.loads(path.read_text())
        self.resolver = jsonschema.RefResolver.from_schema(self.document)
        self.validators = {
            name: jsonschema.Draft202012Validator(schema, resolver=self.resolver)
            for name, schema in self.document["$defs"].items()}

    @staticmethod
    def kind(message):
        """Which of the messages it claims to be: None for none of them."""
        op, channel = message.get("op"), str(message.get("ch")).partition(":")
        if op == "subscribed":
            return "MarketSubscribed" if channel[1] else "Subscribed"
        table = {"snapshot": SNAPSHOTS, "event": EVENTS}.get(op)
        return table.get(channel[0]) if table else OTHERS.get(op)

    def check(self, message):
        kind = self.kind(message)
        must(kind, f"not a message of events.schema.json: {message}")
        errors = sorted(self.validators[kind].iter_errors(message), key=lambda e: list(e.path))
        text = "; ".join(f"{'/'.join(map(str, e.path)) or kind}: {e.message}" for e in errors[:5])
        must(not errors, f"{kind}: not as in events.schema.json: {text}")


SCHEMA = Schema()


class Chains:
    """The last number of each channel; says when one was left out."""

    def __init__(self):
        self.last = {}     # channel -> seq; None: a snapshot is to come
        self.wished = {}   # channel -> the seq that was asked for

    def follow(self, message):
        op, channel = message["op"], message.get("ch")
        if op == "subscribed":
            self.last[channel] = self.wished.get(channel) if message["recovered"] else None
        elif op == "snapshot":
            self.last[channel] = message["seq"]
        elif op in ("event", "gap"):
            before = self.last.get(channel)
            must(message["prev"] == before, f"{channel}: prev is not {before}: {message}")
            must(message["seq"] > before, f"{channel}: seq does not rise: {message}")
            self.last[channel] = message["seq"]
        elif op == "unsubscribed":
            del self.last[channel]
        elif op == "hb":
            for name, seq in message["last"].items():
                known = self.last.get(name)
                must(known in (None, seq), f"{name}: hb says {seq}, the last was {known}")


class Reader:
    """What both ways of listening share: messages in order, and waiting for one."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.messages = []
        self.chains = Chains()
        self.lock = threading.RLock()

    def take(self, text):
        message = self.parse(text)
        self.chains.follow(message)
        self.messages.append(message)

    def parse(self, text):
        self.daemon.told.append(text)
        message = json.loads(text)
        SCHEMA.check(message)
        return message

    def pump(self, seconds):
        """Reads what comes within this time, at most once; false when it is over."""
        raise NotImplementedError

    def wait_for(self, wanted, seconds=SECONDS, since=0, what=""):
        """The first message, of those since a place in self.messages, that wanted(message)."""
        deadline = time.monotonic() + seconds * SLOWNESS
        at = since
        while True:
            while at < len(self.messages):
                if wanted(self.messages[at]):
                    return self.messages[at]
                at += 1
            left = deadline - time.monotonic()
            assert left > 0, f"not within {seconds * SLOWNESS} s: {what or 'the message'}; " \
                             f"the last were {self.messages[-3:]}"
            if not self.pump(min(left, 0.1)) and at == len(self.messages):
                raise AssertionError(f"{self.ending()}, and {what or 'the message'} never came; "
                                     f"the last were {self.messages[-3:]}")

    def ending(self):
        return "the stream has ended"

    def read_for(self, seconds):
        """Everything that comes within this time."""
        deadline, before = time.monotonic() + seconds, len(self.messages)
        while time.monotonic() < deadline and self.pump(min(0.05, seconds)):
            pass
        return self.messages[before:]

    def of(self, channel, *ops):
        """Messages of a channel; events unless told otherwise."""
        ops = ops or ("event",)
        return [m for m in self.messages if m.get("ch") == channel and m["op"] in ops]

    def data(self, channel):
        return [m["data"] for m in self.of(channel)]

    def snapshot(self, channel, since=0):
        return self.wait_for(lambda m: m["op"] == "snapshot" and m["ch"] == channel, since=since,
                             what=f"the snapshot of {channel}")

    def event(self, channel, wanted=lambda data: True, seconds=SECONDS, since=0):
        """The first event of a channel whose data are wanted."""
        return self.wait_for(
            lambda m: m["op"] == "event" and m["ch"] == channel and wanted(m["data"]), seconds,
            since, f"the event of {channel}")

    @property
    def hello(self):
        return self.wait_for(lambda m: m["op"] == "hello", what="hello")

    @property
    def epoch(self):
        return self.hello["epoch"]

    def after(self, channel):
        """What to ask for after this connection."""
        return {"epoch": self.epoch, "seq": self.chains.last[channel]}


def socket_to(daemon, unix):
    if unix:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(str(daemon.socket))
    else:
        sock = socket.create_connection(daemon.address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Refused(Exception):
    """The handshake was answered with a problem."""

    def __init__(self, response):
        self.status, self.headers = response.status_code, response.headers
        self.body = response.body or b""
        self.content_type = response.headers.get("Content-Type", "")
        self.json = json.loads(self.body) if "json" in self.content_type else {}
        self.code = self.json.get("code")
        super().__init__(f"{self.status} {self.body[:300]}")


class Stream(Reader):
    """One WebSocket to /v1/stream.

    token goes into the header; say_token=True opens without it and says it in the first message,
    as a browser would. A handshake that is refused raises Refused. room: bytes of the socket's
    receive buffer, for those that are to be slow."""

    def __init__(self, daemon, token=None, unix=False, say_token=False, headers=(), origin=None,
                 target="/v1/stream", protocol="deltagate.v1", host=None, room=None):
        super().__init__(daemon)
        self.ids = itertools.count(1)
        self.parts = []
        self.pings = 0
        self.answers_pings = True
        self.target = target
        self.thread = None
        self.sock = socket_to(daemon, unix)
        if room:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.handshake(protocol, origin, host,
                       [*headers, *([("Authorization", f"Bearer {token}")]
                                    if token and not say_token else [])])
        if say_token:
            answer = self.ask("auth", token=token)
            assert answer["op"] == "authenticated", answer

    def handshake(self, protocol, origin, host, headers):
        host = host or "%s:%d" % self.daemon.address
        self.ws = ClientConnection(
            parse_uri(f"ws://localhost{self.target}"), origin=origin, max_size=None,
            subprotocols=[protocol] if protocol else None)
        self.may_not_answer_pings()
        request = self.ws.connect()
        del request.headers["Host"]
        request.headers["Host"] = host
        for name, value in headers:
            request.headers[name] = value
        self.ws.send_request(request)
        self.flush()
        deadline = time.monotonic() + SECONDS * SLOWNESS
        while self.ws.state is State.CONNECTING and self.ws.handshake_exc is None:
            assert time.monotonic() < deadline, "no answer to the handshake"
            try:
                self.pump(0.1)
            except EOFError:
                raise ConnectionError("closed without an answer to the handshake") from None
        self.subprotocol = self.ws.subprotocol

    def may_not_answer_pings(self):
        take = self.ws.recv_frame

        def recv_frame(frame):
            if frame.opcode is not Opcode.PING or self.answers_pings:
                take(frame)

        self.ws.recv_frame = recv_frame

    # ---- reading

    def pump(self, seconds):
        """Reads once, if something comes within this time; false once the connection is over."""
        with self.lock:
            if self.sock.fileno() < 0:
                return False
            try:
                data = self.receive(max(seconds, 0.001))
            except (socket.timeout, BlockingIOError):
                return True
            if data:
                self.ws.receive_data(data)
            else:
                self.ws.receive_eof()
            for event in self.ws.events_received():
                self.handle(event)
            self.flush()
            if not data:
                self.sock.close()
            return bool(data)

    def receive(self, seconds):
        """What has come; all of it, as nobody waits for a test to look at each message."""
        self.sock.settimeout(seconds)
        data = b""
        try:
            data = chunk = self.sock.recv(CHUNK)
            self.sock.settimeout(0)
            while chunk and len(data) < READ_MAX:
                chunk = self.sock.recv(CHUNK)
                data += chunk
        except (socket.timeout, BlockingIOError):
            if not data:
                raise
        except ConnectionError:
            pass
        return data

    def handle(self, event):
        if not hasattr(event, "opcode"):
            if self.ws.handshake_exc is not None:
                raise self.refusal(event)
        elif event.opcode is Opcode.PING:
            self.pings += 1
        elif event.opcode in (Opcode.TEXT, Opcode.CONT):
            self.parts.append(event.data)
            if event.fin:
                text, self.parts = b"".join(self.parts), []
                self.take(text)
        else:
            must(event.opcode in (Opcode.CLOSE, Opcode.PONG), f"a frame of kind {event.opcode}")

    def refusal(self, response):
        self.sock.close()
        refused = Refused(response)
        self.daemon.told.append(refused.body)
        if refused.status >= 400:
            CONTRACT.check("GET", self.target, refused.status, refused.content_type, refused.body)
        return refused

    def flush(self):
        for data in self.ws.data_to_send():
            with contextlib.suppress(OSError):
                self.sock.settimeout(SECONDS * SLOWNESS)
                if data:
                    self.sock.sendall(data)
                else:
                    self.sock.shutdown(socket.SHUT_WR)

    def follow(self):
        """Reads on in a thread of its own until the connection is over; for readers on the side.

        What goes wrong there is raised by stop_following()."""
        def run():
            try:
                while self.pump(0.2):
                    pass
            except Exception as error:  # told where it can be heard
                self.failure = error

        self.failure = None
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        return self

    def stop_following(self):
        """What has come by now is read."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)  # the thread closes it
        self.thread.join()
        if self.failure:
            raise self.failure

    # ---- sending

    def send_text(self, text):
        """As it is: for what no program should send."""
        with self.lock, contextlib.suppress(InvalidState):
            self.ws.send_text(text.encode() if isinstance(text, str) else text)
            self.flush()

    def send_binary(self, data):
        with self.lock:
            self.ws.send_binary(data)
            self.flush()

    def send(self, op, **members):
        """A message as it should be; members that are None are left out."""
        message = {"op": op, "id": next(self.ids), **members}
        message = {name: value for name, value in message.items() if value is not None}
        SCHEMA.check(message)
        if op == "subscribe" and "after" in message:
            self.chains.wished[message["ch"]] = message["after"]["seq"]
        self.send_text(json.dumps(message))
        return message.get("id")

    def ask(self, op, **members):
        """Sends, and waits for the answer, whatever it is."""
        since = len(self.messages)
        number = self.send(op, **members)
        return self.wait_for(
            lambda m: m.get("id") == number and m["op"] != "snapshot", since=since,
            what=f"the answer to {op} {members}")

    def subscribe(self, channel, after=None, owner=None):
        """Must be taken; returns the answer."""
        answer = self.ask("subscribe", ch=channel, after=after, owner=owner)
        assert answer["op"] == "subscribed", answer
        return answer

    def subscribe_all(self, *channels):
        for channel in channels:
            self.subscribe(channel)
            self.snapshot(channel)
        return self

    # ---- its end

    def closed(self, seconds=SECONDS):
        """(code, reason) of the close frame that the daemon sends; 1006 without one."""
        deadline = time.monotonic() + seconds * SLOWNESS
        while self.ws.close_rcvd is None and self.pump(0.1):
            assert time.monotonic() < deadline, \
                f"not closed within {seconds * SLOWNESS} s; the last were {self.messages[-3:]}"
        return self.end

    @property
    def end(self):
        close = self.ws.close_rcvd
        return (close.code, close.reason) if close else (1006, "")

    def ending(self):
        return f"closed with {self.end}"

    def close(self):
        """As a good client does."""
        with self.lock:
            if self.sock.fileno() >= 0 and self.ws.state is State.OPEN:
                self.ws.send_close(1000)
                self.flush()
        return self.closed()

    def drop(self, reset=False):
        """As a crash does."""
        with contextlib.suppress(OSError):  # it may be over already
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()


Event = collections.namedtuple("Event", "id message")


class Events(Reader):
    """GET /v1/events. What is not 200 is in status and body, as an answer of the API is."""

    def __init__(self, daemon, token=None, unix=False, headers=(), method="GET", **query):
        super().__init__(daemon)
        self.events = []
        self.raw, self.text, self.is_over = b"", b"", False
        self.sock = socket_to(daemon, unix)
        target = "/v1/events?" + urllib.parse.urlencode(
            {name: value for name, value in query.items() if value is not None})
        self.resumed_from(dict(headers).get("Last-Event-ID") or query.get("after"))
        lines = [f"{method} {target} HTTP/1.1", "Host: %s:%d" % daemon.address,
                 *([f"Authorization: Bearer {token}"] if token else []),
                 *(f"{name}: {value}" for name, value in headers)]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())
        self.read_head()
        if self.status != 200:
            self.read_refusal(method, target)

    def resumed_from(self, position):
        for pair in (position or "").split(";")[1:]:
            channel, equals, seq = pair.rpartition("=")
            if equals and seq.isdecimal():
                self.chains.wished[channel] = int(seq)

    def read_more(self, seconds):
        self.sock.settimeout(max(seconds, 0.001))
        try:
            data = self.sock.recv(CHUNK)
        except socket.timeout:
            return
        except ConnectionError:
            data = b""
        self.is_over |= not data
        self.raw += data

    def read_head(self):
        deadline = time.monotonic() + SECONDS * SLOWNESS
        while b"\r\n\r\n" not in self.raw:
            assert time.monotonic() < deadline and not self.is_over, f"no answer: {self.raw}"
            self.read_more(0.1)
        head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.strip().lower(): value.strip()
                        for name, _, value in (line.partition(":") for line in lines)}

    def read_refusal(self, method, target):
        while len(self.raw) < int(self.headers["content-length"]) and not self.is_over:
            self.read_more(1)
        self.json = json.loads(self.raw)
        self.code = self.json.get("code")
        CONTRACT.check(method, target, self.status, self.headers["content-type"], self.raw)
        self.close()

    def pump(self, seconds):
        if self.is_over:
            return False
        self.read_more(seconds)
        while self.take_chunk():
            pass
        *whole, self.text = self.text.split(b"\n\n")
        for block in whole:
            self.take_event(block)
        return not self.is_over

    def take_chunk(self):
        """Moves one chunk of the body to the text."""
        if self.headers.get("transfer-encoding") != "chunked":
            self.text, self.raw = self.text + self.raw, b""
            return False
        size, found, rest = self.raw.partition(b"\r\n")
        length = int(size, 16) if found else 0
        if not found or len(rest) < length + 2:
            return False
        must(rest[length:length + 2] == b"\r\n", "a chunk ends in CR and LF")
        self.text, self.raw = self.text + rest[:length], rest[length + 2:]
        self.is_over |= length == 0
        return length > 0

    def take_event(self, block):
        fields = {}
        for line in block.decode().split("\n"):
            name, colon, value = line.partition(": ")
            must(colon and name not in fields, f"a line of an event: {line}")
            fields[name] = value
        must(fields.keys() == {"id", "data"}, f"an event: {block}")
        self.take(fields["data"].encode())
        self.events.append(Event(fields["id"], self.messages[-1]))

    @property
    def last_id(self):
        return self.events[-1].id

    def ended(self, seconds=SECONDS):
        """The code of the message `closing`; None when it just ended."""
        deadline = time.monotonic() + seconds * SLOWNESS
        while self.pump(0.1):
            assert time.monotonic() < deadline, f"not ended within {seconds * SLOWNESS} s"
        last = self.messages[-1] if self.messages else {}
        return last.get("code") if last.get("op") == "closing" else None

    def close(self):
        self.is_over = True
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
