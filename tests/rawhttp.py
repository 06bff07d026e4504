"""HTTP by hand: sends what no library would, and sees every byte that comes back."""
import http.client
import json
import socket

SECONDS = 30


class Reply:
    """One answer. rest is what came behind it, where that was waited for."""

    def __init__(self, status, headers, body, rest=b""):
        self.status, self.headers, self.body, self.rest = status, headers, body, rest
        self.content_type = headers.get("Content-Type", "")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_last(self):
        return self.headers.get("Connection", "").lower() == "close"

    def __repr__(self):
        return f"{self.status} {self.content_type} {self.body[:200]!r} {self.rest[:200]!r}"


class Connection:
    """A socket to the daemon: (host, port), or the path of its Unix socket."""

    def __init__(self, address, seconds=SECONDS):
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, timeout=seconds)
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(seconds)
            self.socket.connect(str(address))
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data, finish=False):
        """Whoever closes while we still send may do so."""
        try:
            self.socket.sendall(data)
            if finish:
                self.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def reply(self, method="GET"):
        """The next answer; None when there is none and the connection is closed."""
        try:
            line = self.file.readline()
            if not line:
                return None
            version, status, _ = line.decode("ascii").split(" ", 2)
            assert version == "HTTP/1.1", line
            headers = http.client.parse_headers(self.file)
            has_body = method != "HEAD" and int(status) not in (100, 204, 304)
            length = int(headers["Content-Length"]) if has_body else 0
            body = self.file.read(length)
            assert len(body) == length, f"{len(body)} of {length} bytes of the body"
            return Reply(int(status), headers, body)
        except ConnectionResetError:
            return None

    def rest(self):
        """All that comes until the connection is closed."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""


def send_raw(address, data, finish=False):
    """The answer to these bytes, None when there was none. Behind a last answer nothing comes."""
    with Connection(address) as connection:
        connection.send(data, finish)
        reply = connection.reply()
        while reply and reply.status == 100:
            reply = connection.reply()
        if reply and reply.is_last:
            reply.rest = connection.rest()
        return reply
