"""Ten apps with their own tokens trade side by side; the journal and the exchange must agree."""
import collections
import random
import threading
import time

import pytest

from facts import check_against_exchange, is_settled, most_in_window, random_order
from rig import wait_for

APPS = 10
ORDERS = 50


class Trader(threading.Thread):
    """One app: places its orders, cancels some of them, and remembers how long each waited."""

    def __init__(self, number, app):
        super().__init__()
        self.app, self.chance = app, random.Random(number)
        self.statuses, self.done, self.failure = collections.Counter(), [], None

    def run(self):
        try:
            for _ in range(ORDERS):
                self.trade()
        except Exception as error:  # the main thread shows it
            self.failure = error

    def trade(self):
        answer = self.app.order(headers={"Prefer": "wait=60"}, **random_order(self.chance))
        self.statuses[answer.status] += 1
        self.done.append(time.monotonic())
        if answer.status == 201 and self.chance.random() < 0.3:
            path = "/v1/orders/" + answer.json["order_id"]
            cancel = self.app.delete(path, {"Prefer": "wait=30"})
            assert cancel.status in (200, 409), cancel


def check_balances(rig):
    theirs = {b["asset"]: b for b in rig.sim.balances()}
    ours = {b["asset"]: b for b in rig.app().get("/v1/balances", {"Cache-Control": "no-cache"})
            .json["data"]}
    assert set(ours) == set(theirs)
    for asset, balance in ours.items():
        assert balance["free"] == theirs[asset]["free"], asset
        assert balance["locked"] == theirs[asset]["locked"], asset


@pytest.mark.seconds(400)
@pytest.mark.rig(market_maker=True, max_orders_per_second="5")
def test_ten_apps_trade_500_orders_and_every_digit_agrees(rig):
    traders = [Trader(number, rig.app()) for number in range(APPS)]
    for trader in traders:
        trader.start()
    for trader in traders:
        trader.join()
    assert not [t.failure for t in traders if t.failure]
    wait_for(lambda: is_settled(rig), 60)
    wait_for(lambda: check_against_exchange(rig) is None, 30)
    check_balances(rig)
    check_rate(rig)
    check_fairness(traders)
    total = sum((t.statuses for t in traders), collections.Counter())
    assert sum(total.values()) == APPS * ORDERS
    assert set(total) <= {201, 202, 422}, total
    assert total[201] > APPS * ORDERS * 0.6, total


def check_rate(rig):
    posts = rig.sim.log("/order/*", "POST")
    builds = [e for e in posts if e["path"] == "/order/build"]
    others = [e for e in posts if e["path"] != "/order/build"]
    assert most_in_window(builds, 0.99) <= 5
    assert most_in_window(others, 0.99) <= 5
    assert rig.daemon.journal("select count(*) as n from orders")[0]["n"] == APPS * ORDERS


def check_fairness(traders):
    """All asked for the same; when the first is done, nobody is far behind."""
    first = min(trader.done[-1] for trader in traders)
    behind = [sum(1 for moment in trader.done if moment > first) for trader in traders]
    assert max(behind) <= ORDERS * 0.35, behind
