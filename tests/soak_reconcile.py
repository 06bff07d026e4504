"""Half an hour of normal trading under which reconciliation must find nothing: the long form of
test_reconcile.py's last test (make soak-reconcile).

    DELTAGATE_BUILD=build python3 tests/soak_reconcile.py [SECONDS [SEED]]

Several apps trade all markets at once, against the market maker, each other and takers who come to
their orders; the account's stream ends every few seconds, now politely, now not; and the exchange
takes its time over every third answer. In the end journal and exchange must agree to the last
fill. Exits with 1 when there was any finding, hardly any run, or a difference.

A submit whose answer is lost is no normal trading and is found (unknown_settled); a machine that
stands still for longer than a request may take loses some. They are counted, not forgiven."""
import collections
import json
import random
import sys
import threading
import time
import traceback

from facts import check_against_exchange, live_on_exchange
from rig import Rig, wait_for

APPS = 4
MARKETS = {  # where the market maker stands, and what an order is worth a little of
    "ADAUSDM": (0.70, 0.80, (15, 60)), "NIGHTUSDM": (0.040, 0.050, (250, 900)),
    "IAGUSDM": (0.25, 0.29, (40, 150))}
# Answers about the account may be old when they come, and those about orders late.
SLOW = ({"match": {"path": "/accounts/*"}, "probability": 0.2, "delay_ms": 250},
        {"match": {"path": "/accounts/*"}, "probability": 0.15, "delay_after_ms": 900},
        {"match": {"path": "/order/*"}, "probability": 0.15, "delay_after_ms": 600})


class Soak:
    """Who takes part, for as long as it goes on; what they did is counted."""

    def __init__(self, rig, seed):
        self.rig, self.seed = rig, seed
        self.over = threading.Event()
        self.done = collections.Counter()
        self.errors = []

    def chance(self, name):
        return random.Random(f"{self.seed} {name}")

    def act(self, name, turn, pause):
        """One of them: turn after turn, with a pause drawn in between."""
        chance = self.chance(name)
        try:
            while not self.over.wait(chance.uniform(*pause)):
                turn(chance)
        except Exception:  # shown at the end: the others go on
            self.errors.append(f"{name}: {traceback.format_exc()}")

    def order(self, app, chance):
        symbol = chance.choice(list(MARKETS))
        low, high, sizes = MARKETS[symbol]
        fields = {"symbol": symbol, "side": chance.choice(("buy", "sell")),
                  "base_quantity": str(chance.randint(*sizes))}
        if chance.random() < 0.4:
            fields.update(type="market", max_slippage_basis_point=500)
        else:
            fields.update(price=f"{chance.uniform(low, high):.4f}")
        answer = app.order(**fields)
        self.done["orders" if answer.status in (201, 202) else f"answers {answer.status}"] += 1

    def trade(self, app):
        def turn(chance):
            if chance.random() < 0.85:
                self.order(app, chance)
            elif chance.random() < 0.5:
                app.delete("/v1/orders", symbol=chance.choice(list(MARKETS)))
                self.done["cancel-alls"] += 1
            else:
                found = app.get("/v1/orders", state="open", limit=20).json["data"]
                for one in chance.sample(found, min(2, len(found))):
                    app.delete("/v1/orders/" + one["order_id"])
                    self.done["cancels"] += 1
        return turn

    def take(self, chance):
        """A taker comes to an order of ours that rests; it may be gone by then."""
        resting = [o for o in live_on_exchange(self.rig.sim) if o["status"] == "open"]
        if not resting:
            return
        quantity = chance.choice((None, chance.randint(1, 12)))
        body = {"order_id": chance.choice(resting)["id"]}
        if quantity:
            body["base_quantity"] = str(quantity)
        answer = self.rig.sim.request("POST", "/_sim/trade", body)
        self.done["takers"] += answer.status == 200

    def drop(self, chance):
        stream = "account" if chance.random() < 0.8 else "*"
        self.rig.sim.drop(stream, chance.choice((None, 1000, 1001, 1011)))
        self.done["drops"] += 1

    def run(self, seconds):
        self.rig.sim.faults(*SLOW)
        parts = [(f"app {i}", self.trade(self.rig.app()), (0.3, 1.7)) for i in range(APPS)]
        parts += [("taker", self.take, (0.5, 2.0)), ("drops", self.drop, (2.0, 7.0))]
        threads = [threading.Thread(target=self.act, args=part, daemon=True) for part in parts]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.over.set()
        for thread in threads:
            thread.join(60)
        self.rig.sim.clear_faults()


def state(rig):
    return rig.daemon.admin.get("/v1/admin/reconciliation").json


def soak(seconds, seed):
    rig = Rig(market_maker=True, log_level="info", stream_retry_max_ms="2000").start()
    try:
        whole = Soak(rig, seed)
        whole.run(seconds)
        now = state(rig)
        wait_for(lambda: not check_against_exchange(rig), 60, "journal and exchange agree")
        fills = rig.daemon.journal("select count(*) as n from v_fills")[0]["n"]
        print(json.dumps({
            "seed": seed, "seconds": seconds, "cycles": now["runs"], "failed": now["failed"],
            **whole.done, "executions": fills,
            "lost answers": len(rig.daemon.events("order.unknown")),
            "findings": sum(now["counts"].values()), "counts": now["counts"]}), flush=True)
        for finding in rig.daemon.journal(
                "select * from v_reconciliation where class is not null"):
            print(json.dumps(finding))
        for error in whole.errors:
            print(error)
        is_fine = not sum(now["counts"].values()) and now["runs"] >= seconds // 25
        return 0 if is_fine and not whole.errors else 1
    finally:
        if len(sys.argv) > 3:  # to be looked at
            (rig.daemon.log_file).rename(sys.argv[3])
        rig.finish()


if __name__ == "__main__":
    sys.exit(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 1800,
                  int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)))
