"""The loop thread and the journal thread together: what `make tsan` runs."""
import contextlib
import http.client
import signal

import pytest

from facts import check_against_exchange
from rig import wait_for

pytestmark = pytest.mark.threads


def trade(rig, apps, count):
    """Each app places and cancels, while others read what the journal keeps."""

    def one(app, number):
        order = app.order(client_order_id=f"n-{number}", headers={"Prefer": "wait=30"})
        assert order.status == 201, order
        assert app.get("/v1/orders/" + order.json["order_id"] + "/events").status == 200
        if number % 2:
            cancel = app.delete("/v1/orders/" + order.json["order_id"])
            assert cancel.status in (200, 202), cancel

    for number in range(count):
        apps[0].parallel([lambda app=app: one(app, number) for app in apps])


@pytest.mark.rig(max_orders_per_second=50)
def test_apps_trade_and_read_while_the_journal_is_read_and_the_daemon_reloads(rig):
    apps = [rig.app() for _ in range(4)]
    trade(rig, apps, 3)
    rig.daemon.send(signal.SIGHUP)
    trade(rig, [rig.app()], 2)
    wait_for(lambda: check_against_exchange(rig) is None, 20)
    assert rig.daemon.cli("journal", "sql", "select count(*) from orders").stdout


def place_or_lose(app):
    """The daemon may go away at any moment; what became of the order, the journal must know."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        app.order(headers={"Prefer": "wait=30"})


@pytest.mark.rig(max_orders_per_second=20)
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_daemon_that_ends_under_load_comes_back(rig, end):
    apps = [rig.app() for _ in range(3)]

    def end_it():
        wait_for(lambda: rig.sim.log("/order/submit"))
        getattr(rig.daemon, end)()

    apps[0].parallel([lambda app=app: place_or_lose(app) for app in apps * 8] + [end_it])
    rig.daemon.start().ready()
    wait_for(lambda: check_against_exchange(rig) is None, 20)
