"""Judges the answers to hostile requests: the right status, in our own words, and no harm done."""
import json
import os

from rig import CONTRACT, wait_for

PROBLEM = "application/problem+json"


def files_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Judge:
    """Counts requests, and remembers each that was answered wrongly."""

    def __init__(self, rig):
        self.rig, self.count, self.wrong = rig, 0, []
        self.files = files_of(rig.daemon.process.pid)

    def must(self, condition, text):
        if not condition:
            self.wrong.append(text)

    def check(self, name, answer, statuses):
        """An answer, or None for a connection that was closed without one."""
        self.count += 1
        status = answer.status if answer else None
        self.must(status in statuses, f"{name}: {answer}")
        if status is not None and status >= 400:
            self.must(answer.content_type == PROBLEM, f"{name}: {answer}")

    def check_raw(self, name, reply, statuses, may_be_page=False):
        """The same for a reply that came over a bare socket."""
        self.count += 1
        status = reply.status if reply else None
        self.must(status in statuses, f"{name}: {reply}")
        if status is None or status < 400:
            return
        self.must(not reply.rest, f"{name}: something comes behind the last answer: {reply}")
        if may_be_page and reply.body.startswith(b"<html>"):
            # What libmicrohttpd says for itself, where nobody can be quicker.
            self.must(reply.is_last, f"{name}: a page, and the connection stays open")
        else:
            self.must(reply.content_type == PROBLEM and self.is_problem(reply), f"{name}: {reply}")

    def is_problem(self, reply):
        problem = json.loads(reply.body)
        CONTRACT.check_problem("a raw request", reply.content_type, reply.body)
        return problem["status"] == reply.status and reply.headers["X-Request-Id"]

    def verdict(self):
        """Nothing was wrong; nothing leaked, was placed or is broken."""
        daemon = self.rig.daemon
        assert not self.wrong, "\n".join(self.wrong[:40]) + f"\n{len(self.wrong)} of {self.count}"
        assert daemon.is_running()
        assert daemon.admin.get("/healthz").status == 200
        assert self.rig.sim.log("/order/*") == []
        assert daemon.journal("select count(*) as n from orders")[0]["n"] == 0
        wait_for(lambda: files_of(daemon.process.pid) <= self.files + 2, 40, "sockets are closed")
