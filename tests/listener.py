"""A WebSocket client that keeps all it is told, for tests that are not asynchronous."""
import asyncio
import json
import threading

import websockets

from rig import wait_for


class Listener:
    """Connects at once; a refused handshake raises websockets.InvalidStatusCode.

    messages grows as they come, in order; closed is None until the connection has ended, and the
    close code then (1006: without a close frame)."""

    loop = None

    def __init__(self, url, **options):
        self.messages, self.closed = [], None
        options = {"ping_interval": None, "max_size": None, "open_timeout": 10, **options}
        self.socket = self.run(self.open(url, options)).result(20)
        self.reading = self.run(self.read())

    @classmethod
    def run(cls, coroutine):
        """One loop on a thread of its own serves all listeners of the process."""
        if cls.loop is None:
            cls.loop = asyncio.new_event_loop()
            threading.Thread(target=cls.loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(coroutine, cls.loop)

    @staticmethod
    async def open(url, options):
        return await websockets.connect(url, **options)

    async def read(self):
        try:
            async for message in self.socket:
                self.messages.append(message)
        except websockets.ConnectionClosed:
            pass
        self.closed = self.socket.close_code

    def send(self, text):
        self.run(self.socket.send(text)).result(20)

    def ping(self):
        """True when the pong comes within two seconds."""

        async def ask():
            try:
                await asyncio.wait_for(await self.socket.ping(), 2)
            except asyncio.TimeoutError:
                return False
            return True

        return self.run(ask()).result(20)

    def wait(self, count, seconds=10):
        """The first count messages, parsed, once they are there."""
        wait_for(lambda: len(self.messages) >= count, seconds, f"{count} messages")
        return [json.loads(text) for text in self.messages[:count]]

    def wait_closed(self, seconds=10):
        wait_for(lambda: self.closed is not None, seconds, "the end of the connection")
        return self.closed

    def close(self):
        self.run(self.socket.close()).result(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
