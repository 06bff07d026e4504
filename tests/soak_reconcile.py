"""Half an hour of normal trading under which reconciliation must find nothing: the long form of
test_reconcile.py's last test.

    DELTAGATE_BUILD=build python3 tests/soak_reconcile.py [SECONDS]
"""
import json
import sys

from rig import Rig
from test_reconcile import state, trade_for


def soak(seconds):
    rig = Rig(market_maker=True, log_level="info").start()
    try:
        turns = trade_for(rig, rig.app(), seconds)
        now = state(rig)
        told = {key: now[key] for key in ("runs", "failed", "counts")}
        print(json.dumps({"seconds": seconds, "turns": turns, **told}))
        for finding in now["findings"]:
            print(json.dumps(finding))
        return 1 if now["findings"] or not now["runs"] else 0
    finally:
        rig.finish()


if __name__ == "__main__":
    sys.exit(soak(int(sys.argv[1]) if len(sys.argv) > 1 else 1800))
