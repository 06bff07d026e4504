"""Subscribers that mean harm, or are broken: what they do must change nothing for the others.

Each is a thread that plays one trick after the other, as its seed has it, until it is told to
stop. What becomes of a connection is nobody's business here: the daemon is killed meanwhile."""
import collections
import contextlib
import json
import socket
import struct
import threading

SECONDS = 3
OPCODES = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10, "more": 0}
HEAD = ("GET {target} HTTP/1.1", "Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: deltagate.v1")
NONSENSE = (
    "", "{", "null", "[]", "{}", '{"op":1}', '{"op":"subscribe"}', '{"op":"fly","id":1}',
    '{"op":"subscribe","ch":"orders","sudo":true}', '{"op":"subscribe","ch":"../etc","id":-1}',
    '{"op":"subscribe","ch":"orders","after":{"epoch":"x","seq":1e400}}', "[" * 3000,
    '{"op":"subscribe","ch":"' + "x" * 3000 + '"}', '{"op":"auth","token":"dg_0_0"}',
    '{"op":"subscribe","ch":"orders","owner":"any"}', '{"op":"ping","id":9007199254740993}')


def frame(kind, payload=b"", is_last=True, is_masked=True, length=None, reserved=0):
    """A frame as it should be, or not. length: what its head says."""
    first = OPCODES.get(kind, kind) | (0x80 if is_last else 0) | reserved << 4
    size = len(payload) if length is None else length
    mask = 0x80 if is_masked else 0
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 65536:
        head = struct.pack(">BBH", first, mask | 126, size)
    else:
        head = struct.pack(">BBQ", first, mask | 127, size)
    return head + (b"\0\0\0\0" if is_masked else b"") + payload  # a mask of zeros


def message(**members):
    return frame("text", json.dumps(members).encode())


class Intruder(threading.Thread):
    def __init__(self, door, token, chance):
        super().__init__(daemon=True, name="intruder")
        self.door, self.token, self.chance = door, token, chance
        self.is_done = threading.Event()
        self.failure, self.count = None, collections.Counter()
        self.tricks = [getattr(self, name) for name in sorted(dir(self)) if name[:3] == "do_"]

    def run(self):
        try:
            while not self.is_done.is_set():
                self.play(self.chance.choice(self.tricks))
                self.is_done.wait(self.chance.uniform(0.01, 0.3))
        except Exception as error:  # the main thread shows it
            self.failure = error

    def play(self, trick):
        with contextlib.suppress(OSError), self.connected() as sock:
            self.count[trick.__name__[3:]] += 1
            trick(sock)
            if self.chance.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def connected(self):
        if self.chance.random() < 0.3:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with contextlib.ExitStack() as undo:
                undo.callback(sock.close)
                sock.connect(str(self.door.socket))
                undo.pop_all()
        else:
            sock = socket.create_connection(self.door.address)
        sock.settimeout(SECONDS)
        return sock

    # ---- helpers

    def noise(self, most=3000):
        return self.chance.randbytes(self.chance.randint(1, most))

    def head(self, target="/v1/stream", token=None):
        lines = [line.format(target=target, host="%s:%d" % self.door.address) for line in HEAD]
        lines.append(f"Authorization: Bearer {token or self.token}")
        return "\r\n".join([*lines, "", ""]).encode()

    def enter(self, sock):
        """A handshake as it should be; what comes behind the answer is left where it is."""
        sock.sendall(self.head())
        answer = b""
        while b"\r\n\r\n" not in answer:
            byte = sock.recv(1)
            if not byte:
                raise ConnectionError("refused")
            answer += byte
        if b" 101 " not in answer[:20]:
            raise ConnectionError("refused")

    def hear(self, sock, count=20):
        """Reads some, or until the end."""
        with contextlib.suppress(socket.timeout):
            while count > 0 and sock.recv(4096):
                count -= 1

    # ---- before the handshake

    def do_say_nothing(self, sock):
        self.is_done.wait(self.chance.uniform(0, 2))

    def do_send_noise(self, sock):
        sock.sendall(self.noise())
        self.hear(sock, 1)

    def do_half_a_handshake(self, sock):
        head = self.head()
        sock.sendall(head[: self.chance.randrange(len(head))])
        self.is_done.wait(self.chance.uniform(0, 1))

    def do_handshake_byte_by_byte(self, sock):
        for byte in self.head():
            sock.sendall(bytes([byte]))

    def do_wrong_token(self, sock):
        sock.sendall(self.head(token="dg_%s_%s" % ("0" * 12, "0" * 52)))
        self.hear(sock, 1)

    def do_events_and_go(self, sock):
        sock.sendall(self.head("/v1/events?ch=orders,fills").replace(b"Upgrade", b"X-Nothing"))
        self.hear(sock, self.chance.randint(0, 3))

    def do_frames_with_the_handshake(self, sock):
        sock.sendall(self.head() + message(op="subscribe", ch="orders") + self.noise(100))
        self.hear(sock, 3)

    # ---- after it

    def do_go_at_once(self, sock):
        self.enter(sock)

    def do_frames_of_noise(self, sock):
        self.enter(sock)
        sock.sendall(self.noise())
        self.hear(sock)

    def do_wrong_frames(self, sock):
        self.enter(sock)
        sock.sendall(self.chance.choice((
            frame("text", b"{}", is_masked=False), frame("text", b"{}", reserved=4),
            frame(5, b"{}"), frame("ping", b"x" * 200), frame("text", b"\xff\xfe"),
            frame("more", b"{}"), frame("ping", is_last=False), frame("binary", b"\0" * 50),
            frame("close", b"\0"), frame("close", struct.pack(">H", 1005)))))
        self.hear(sock)

    def do_huge_frames(self, sock):
        self.enter(sock)
        sock.sendall(frame("text", b"x" * 1000, length=self.chance.choice((
            1 << 16, 1 << 20, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1))))
        for _ in range(20):
            sock.sendall(b"x" * 65536)
        self.hear(sock)

    def do_a_message_without_end(self, sock):
        self.enter(sock)
        sock.sendall(frame("text", b'{"op":"', is_last=False))
        for _ in range(2000):
            sock.sendall(frame("more", b"a" * 100, is_last=False))
        self.hear(sock)

    def do_nonsense(self, sock):
        self.enter(sock)
        for _ in range(self.chance.randint(1, 20)):
            sock.sendall(frame("text", self.chance.choice(NONSENSE).encode()))
        self.hear(sock)

    def do_flood(self, sock):
        self.enter(sock)
        one = self.chance.choice((message(op="ping"), frame("ping", b"!"), frame("text", b"{}"),
                                  message(op="subscribe", ch="orders")))
        for _ in range(20):
            sock.sendall(one * 100)

    def do_subscribe_and_never_read(self, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.enter(sock)
        for channel in ("orders", "fills", "balances", "system", "depth:ADAUSDM"):
            sock.sendall(message(op="subscribe", ch=channel))
        self.is_done.wait(self.chance.uniform(1, 6))

    def do_ask_for_everything_again(self, sock):
        """From the beginning, over and over."""
        self.enter(sock)
        for _ in range(10):
            sock.sendall(message(op="subscribe", ch="orders", after={"epoch": "0", "seq": 0}))
            sock.sendall(message(op="unsubscribe", ch="orders"))
        self.hear(sock, 50)

    def do_never_answer(self, sock):
        self.enter(sock)
        self.hear(sock)  # pings, too
