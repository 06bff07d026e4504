"""Subscribers of many kinds that live through a daemon which dies and comes back, and keep what
they were told: what the lossless channels say must read as if nothing had happened.

Each has a thread of its own; what goes wrong there is kept in `failure`. History is where the
parts of all its connections are put together."""
import json
import signal
import subprocess
import threading

from contract import must
from rig import BUILD, SLOWNESS
from stream_app import Events, Refused, Stream

LOSSLESS = ("orders", "fills", "balances", "system")
ROOM = 4096  # bytes of a receive buffer that is soon full, and slow whoever reads it


class Told:
    """Every text once, for the search for secrets; most come to many."""

    def __init__(self, told):
        self.told, self.seen = told, set()

    def append(self, text):
        if text not in self.seen:
            self.seen.add(text)
            self.told.append(text)


class Door:
    """Where the daemon listens, also while it is dead."""

    def __init__(self, daemon):
        self.address, self.socket, self.url = daemon.address, daemon.socket, daemon.url
        self.told = Told(daemon.told)
        self.known = {}  # events by their text: one that came to many is judged once


class History:
    """What one subscriber was told, over all its connections."""

    def __init__(self, channels):
        self.channels = channels
        self.epochs = set()
        self.begin = {}                                 # channel -> seq of its snapshot
        self.told = {channel: [] for channel in channels}   # channel -> [(seq, text)]
        self.gaps = self.doubles = self.connections = 0

    @property
    def has_begun(self):
        return all(channel in self.begin for channel in self.channels)

    def last(self, channel):
        """The number to go on from; None before there is one."""
        return self.told[channel][-1][0] if self.told[channel] else self.begin.get(channel)

    def after(self, channel):
        last = self.last(channel)
        return None if last is None else {"epoch": next(iter(self.epochs)), "seq": last}

    def add(self, text, message):
        op, channel = message["op"], message.get("ch")
        if op == "hello":
            self.epochs.add(message["epoch"])
        elif channel not in self.told:
            return
        elif op == "snapshot":
            # A second one leaves open what came before it.
            self.gaps += channel in self.begin
            self.begin[channel] = message["seq"]
        elif op == "event":
            last = self.last(channel)
            self.doubles += message["seq"] <= last
            self.gaps += message["prev"] != last
            self.told[channel].append((message["seq"], text))


class Heard:
    """A reader whose messages go into a history, too."""

    def __init__(self, history, door, *args, **options):
        self.history, self.door = history, door
        super().__init__(door, *args, **options)
        history.connections += 1

    def parse(self, text):
        message = self.door.known.get(text)
        if message is None:
            message = super().parse(text)
            if message["op"] == "event":
                self.door.known[text] = message
        return message

    def take(self, text):
        self.history.add(text, self.parse(text))
        super().take(text)


class HeardStream(Heard, Stream):
    is_over = property(lambda self: self.sock.fileno() < 0)


class HeardEvents(Heard, Events):
    def take_event(self, block):
        super().take_event(block)
        self.history.position = self.last_id


# ---- manners: how a connection is read, until it ends or should; in a hurry all are quick ------


def read_fast(listener, stream):
    while not listener.is_done.is_set() and stream.pump(0.2):
        pass


def read_slowly(listener, stream):
    """Slower than events come."""
    while not listener.hurry.is_set() and stream.pump(0.2):
        listener.hurry.wait(0.15)


def stop_at_times(listener, stream):
    """Reads nothing for a while, now and then so long that the daemon gives up."""
    while not listener.hurry.is_set() and listener.read_for(stream, 0.5, 3):
        listener.hurry.wait(listener.chance.uniform(0.5, 6))


def come_and_go(listener, stream):
    listener.read_for(stream, 0.1, 4)


class Subscriber(threading.Thread):
    """Follows some lossless channels over WebSocket, and comes back whenever it was cut off.

    view: the SQL condition for what it may see of channel_events. markets: channels that it
    follows beside, afresh with each connection."""

    def __init__(self, door, manner, chance, view="1", channels=("orders", "fills"), markets=(),
                 **options):
        super().__init__(daemon=True, name=f"{type(self).__name__} {manner.__name__}")
        self.door, self.manner, self.chance, self.view = door, manner, chance, view
        self.channels, self.markets, self.options = channels, markets, options
        self.history = History(channels)
        self.is_done, self.hurry = threading.Event(), threading.Event()
        self.failure, self.ends = None, {}

    def run(self):
        try:
            while not self.is_done.is_set():
                self.live()
        except Exception as error:  # the main thread shows it
            self.failure = error

    def live(self):
        """One connection, from its beginning to its end."""
        stream = self.connected()
        if not stream:
            self.is_done.wait(self.chance.uniform(0.02, 0.2))
            return
        if self.asked(stream):
            (read_fast if self.hurry.is_set() else self.manner)(self, stream)
        self.count_end(stream)
        self.leave(stream)

    def connected(self):
        """None while the daemon is away, or refuses for now."""
        try:
            return self.open()
        except OSError:
            return None
        except AssertionError as error:
            # Killed before it answered.
            must("no answer" in str(error) or "never came" in str(error), error)
            return None
        except Refused as refused:
            must(refused.status == 503, refused)
            return None

    def open(self):
        is_slow = self.manner in (read_slowly, stop_at_times) and not self.hurry.is_set()
        return HeardStream(self.history, self.door, room=ROOM if is_slow else None,
                           **self.options)

    def asked(self, stream):
        """Subscribes; false when the connection ended before that was done."""
        try:
            for channel in self.channels:
                after = self.history.after(channel)
                answer = stream.subscribe(channel, after=after)
                must(answer["recovered"] or not after, answer)
            for channel in self.markets:
                stream.subscribe(channel)
        except AssertionError:
            if not stream.is_over:
                raise
            return False
        return True

    def read_for(self, stream, least, most):
        """Reads on for a random time; false when the connection is over."""
        pause = threading.Event()
        timer = threading.Timer(self.chance.uniform(least, most), pause.set)
        timer.daemon = True
        timer.start()
        while not pause.is_set() and not self.hurry.is_set():
            if not stream.pump(0.1):
                return False
        return True

    def count_end(self, stream):
        """How the daemon ended it, if it did."""
        if stream.is_over:
            code = self.code_of(stream)
            self.ends[code] = self.ends.get(code, 0) + 1

    def code_of(self, stream):
        return stream.end[0]

    def leave(self, stream):
        if self.is_done.is_set():
            stream.close()
        elif not stream.is_over:
            stream.drop(reset=self.chance.random() < 0.5)

    def texts(self, channel):
        return self.history.told[channel]


class EventsSubscriber(Subscriber):
    """The same over server-sent events, resumed by the id of the last one."""

    def open(self):
        position = getattr(self.history, "position", None)
        headers = [("Last-Event-ID", position)] if position else []
        events = HeardEvents(self.history, self.door, headers=headers,
                             ch=",".join((*self.channels, *self.markets)), **self.options)
        must(events.status in (200, 503), f"{events.status}: {events.raw}")
        return events if events.status == 200 else None

    def asked(self, stream):
        return True

    def code_of(self, stream):
        last = stream.messages[-1] if stream.messages else {}
        return last["code"] if last.get("op") == "closing" else 1006

    def leave(self, stream):
        stream.close()


class Tail:
    """`deltagate tail`, as its owner runs it; it comes back by itself."""

    def __init__(self, door, data_dir, folder, number, view="1", channels=("orders", "fills")):
        self.name, self.view, self.channels = f"tail {number}", view, channels
        self.out_file, self.log_file = folder / f"tail{number}.out", folder / f"tail{number}.log"
        self.door, self.history, self.failure, self.ends = door, History(channels), None, {}
        with open(self.out_file, "wb") as out, open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", BUILD / "deltagate", "--data-dir", data_dir,
                 "--json", "tail", *channels], stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        self.read = 0

    def is_alive(self):
        return self.process.poll() is None

    def catch_up(self):
        """Takes what it has printed since; whole lines only."""
        with open(self.out_file, "rb") as file:
            file.seek(self.read)
            *lines, rest = file.read().split(b"\n")
        for line in lines:
            self.history.add(line, json.loads(line))
            self.read += len(line) + 1
        return rest

    def texts(self, channel):
        self.catch_up()
        return self.history.told[channel]

    def pause(self, seconds, is_over):
        self.process.send_signal(signal.SIGSTOP)
        is_over.wait(seconds)
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """As Ctrl-C does: it must say that it missed nothing."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(20 * SLOWNESS)
        self.door.told.append(self.out_file.read_bytes() + self.log_file.read_bytes())
        assert status == 0, f"{self.name} ended with {status}: {self.log_file.read_text()[-2000:]}"

    def remove(self):
        if self.is_alive():
            self.process.kill()
            self.process.wait()
