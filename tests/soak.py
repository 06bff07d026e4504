#!/usr/bin/python3
"""Kills the daemon again and again, for minutes, while apps trade through it, others take from
them, subscribers listen, and the exchange drops, doubles and delays what it answers and tells.

Then the exchange's own record decides: 0 lost, 0 doubled, 0 untrue orders and fills, and no gap in
what any subscriber was told, or the exit status is 1. Started by soak.sh.
"""
import argparse
import collections
import random
import sys
import time

import verdict
from chaos import (
    Chaos, Plan, Trader, check_histories, check_told, faults, keep_evidence,
    make_options, start)
from explained import SECONDS, Explained
from facts import executions, own_orders, random_order
from rig import SLOWNESS, Rig, wait_for

PLAN = Plan(orders=0, kills=0, fast=3, slow=2, stopping=2, flapping=3, events=1,
            flapping_events=2, tails=2, intruders=2)
PAUSE_MAX = 4    # seconds, between a restart and the next kill
END_SECONDS = 60
SIZES = {"ADAUSDM": 20, "NIGHTUSDM": 400, "IAGUSDM": 20}
KINDS = (("lost", "lost"), ("duplicate", "doubled"), ("untrue", "untrue"))


def answer_faults(chance):
    """What the exchange does to answers, besides what it does to streams."""
    def rare(path, method="POST", **trouble):
        return {"match": {"path": path, "method": method},
                "probability": chance.uniform(0.005, 0.03), **trouble}

    return [
        rare("/order/build", drop="either"), rare("/order/build", answer={"code": 5000}),
        rare("/order/submit", act_twice=True), rare("/order/submit", delay_after_ms=1500),
        rare("/order/submit", delay_ms=4000),
        rare("/order/submit", when="either", answer={"code": 5000}),
        rare("/order/*/cancel", drop="either"), rare("/order/*/cancel", act_twice=True),
        rare("/order/*/cancel", delay_after_ms=1500),
        rare("/accounts/*", "GET", delay_after_ms=1500),
        rare("/accounts/*", "GET", answer={"status": 503, "body": "no healthy upstream"}),
    ]


class SoakTrader(Trader):
    """Each order has a quantity of its own. What was not answered is sent again."""

    def __init__(self, soak, app, chance, number):
        super().__init__(app, chance, number, soak.on_placed)
        self.soak, self.symbols = soak, set()

    def fields(self, name):
        body = {**random_order(self.chance), "quote_quantity": None}
        body["base_quantity"] = self.soak.quantity_of(name, body["symbol"])
        self.symbols.add(body["symbol"])
        return body

    def go_on(self, order):
        act = self.chance.random()
        if act < 0.4:
            self.is_done.wait(self.chance.uniform(0, 1))
            self.cancel(order)
        elif act < 0.46:
            self.cancel_all(self.chance.choice(sorted(self.symbols)))

    def cancel(self, order):
        answer = self.answered(lambda: self.app.delete(
            "/v1/orders/client:" + order["client_order_id"], self.patience()))
        if answer:
            assert answer.status in (200, 202, 409), answer
            if answer.status == 200:
                self.soak.told.cancelled.add(order["client_order_id"])

    def cancel_all(self, symbol):
        answer = self.answered(
            lambda: self.app.delete("/v1/orders", self.patience(), symbol=symbol))
        if answer:
            assert answer.status in (200, 202), answer
            self.soak.cancelled |= set(answer.json["cancelled"])

    def patience(self):
        return {"Prefer": self.chance.choice(("wait=2", "wait=0", "respond-async"))}

    def answered(self, call):
        """Again and again; None only at the end of all."""
        while not self.is_done.is_set():
            answer = self.ask(call)
            if answer and answer.status not in (423, 429, 503):
                return answer
            self.is_done.wait(self.chance.uniform(0.05, 0.3))
        return None


class Soak(Chaos):
    """The same crowd as in the chaos, for as long as one likes, and a count of what went wrong."""

    def __init__(self, rig, seed, patience=1):
        super().__init__(rig, PLAN, seed)
        self.patience = patience  # times ten seconds, until all is explained
        self.told, self.cancelled = verdict.Told(), set()
        self.restarts, self.lives = 0, []
        self.failures = collections.Counter()

    def trader(self, app, number):
        return SoakTrader(self, app, self.sub_chance(), number)

    def quantity_of(self, name, symbol):
        with self.lock:
            number = len(self.told.sent)
            self.told.sent[name] = f"{SIZES[symbol] + number // 100}.{number % 100:02}"
            return self.told.sent[name]

    # ---- what happens to the daemon and the exchange

    def trouble(self):
        self.rig.sim.faults(*faults(self.chance), *answer_faults(self.chance))

    def live(self, seconds):
        """Kills and restarts. At every other restart the exchange is well until all is explained:
        that is measured."""
        end, said = time.monotonic() + seconds, time.monotonic()
        self.trouble()
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(0, PAUSE_MAX))
            self.nobody_failed()
            self.kill()
            if self.chance.random() < 0.5:
                time.sleep(self.chance.uniform(0, 1))
            if self.chance.random() < 0.2:
                self.restarts += 1
                self.kill_while_it_starts()
            self.come_back(self.chance.random() < 0.5)
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"soak: {(said - end + seconds) / 60:.0f} min, {len(self.told.sent)} orders,"
                      f" {self.kills} kills", flush=True)

    def come_back(self, is_calm):
        if is_calm:
            self.calm_down()
        daemon = self.rig.daemon
        life = Explained(daemon, self.rig.sim.order, SECONDS * self.patience)
        daemon.launch()
        # Longer than it may take: that is for the figures to say.
        daemon.hello = wait_for(daemon.read_hello, END_SECONDS, "the daemon serves")
        self.restarts += 1
        if not is_calm:
            return
        life.start()
        life.join()
        self.lives.append(life)
        if life.is_late:
            self.failed("late", f"{life.seconds:.1f} s until all was explained: {life.story}")
        self.trouble()

    def failed(self, what, text):
        self.failures[what] += 1
        if self.failures[what] <= 20:
            print(f"FAIL {what}: {text}", flush=True)

    # ---- the end

    def judge(self):
        self.stop_trade()
        self.kill()
        self.come_back(True)
        self.rig.sim.clear_faults()
        for trader in self.workers[:len(self.apps)]:
            self.told.placed.update((o["client_order_id"], o) for o in trader.told.values())
        self.told.note_cancelled(self.cancelled)
        for problem in self.problems_left():
            self.failed(f"{problem.kind} {problem.about}", problem.text)
        self.judge_subscribers()

    def problems_left(self):
        """Of the end, or of the time when nobody waits for it any longer."""
        deadline = time.monotonic() + END_SECONDS * SLOWNESS
        while True:
            is_over = self.take_back()
            found = self.problems()
            if (is_over and not found) or time.monotonic() > deadline:
                return found
            time.sleep(0.5)

    def problems(self):
        theirs, daemon = own_orders(self.rig.sim), self.rig.daemon
        rows, fills = (daemon.journal(f"select * from {view}") for view in ("v_orders", "v_fills"))
        return list(verdict.problems(self.told, rows, fills, theirs, lambda row: daemon.admin.get(
            f"/v1/orders/{row['order_id']}", owner="any").json["settling"]))

    def judge_subscribers(self):
        try:
            self.all_are_even()
            self.leave()
            check_histories(self)
            check_told(self)
        except AssertionError as error:
            self.failed("gap", str(error))
        for one in (*self.subscribers, *self.tails):
            for _ in range(one.history.gaps + one.history.doubles):
                self.failed("gap", one.name)

    def figures(self):
        yield "orders", len(self.told.sent)
        yield "executions", sum(len(executions(order)) for order in own_orders(self.rig.sim))
        yield "kills", self.kills
        yield "restarts", self.restarts
        for about in ("order", "fill"):
            for kind, word in KINDS:
                yield f"{word} {about}s", self.failures[f"{kind} {about}"]
        yield "subscriber gaps", self.failures["gap"]
        yield "unexplained in time", self.failures["late"]

    def report(self, seed, minutes):
        print(f"soak: seed {seed}, {minutes:g} minutes")
        for name, value in self.figures():
            print(f"{name:<20} {value}")
        slowest = max(life.seconds or 0 for life in self.lives)
        count = sum(life.count for life in self.lives)
        print(f"{len(self.lives)} restarts with the exchange answering, {count} orders to explain: "
              f"all of them final or explained after at most {slowest:.1f} s", flush=True)


def soak(seconds, seed, patience=1):
    """True when nothing went wrong."""
    print(f"soak: seed {seed}", flush=True)
    rig = start(Rig(requests_per_second="0", **make_options()))
    one = Soak(rig, seed, patience)
    try:
        one.gather()
        one.begin_trade()
        one.live(seconds)
        one.judge()
        one.report(seed, seconds / 60)
        if one.failures:
            keep_evidence(one, seed, "soak")
    except BaseException:
        print(f"soak: ended early; again: SEED={seed}", flush=True)
        keep_evidence(one, seed, "soak")
        raise
    finally:
        for tail in one.tails:
            tail.remove()
        if sys.exc_info()[0]:
            rig.remove()
    rig.finish()
    return not one.failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="what is random comes from it")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.randrange(1 << 32)
    return 0 if soak(args.minutes * 60, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
