#!/usr/bin/python3
"""Kills the daemon at every point where it could hurt, and holds what comes after against the
exchange's record: 0 duplicate, 0 lost, 0 untrue, or the exit status is 1.

The points are the program's own list. Each is tried with SIGKILL and with a power cut, under each
trouble of TROUBLES; then come random schedules. A failure prints the command that runs it again.
"""
import argparse
import collections
import concurrent.futures
import multiprocessing
import multiprocessing.util
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import facts
import rig as rigs
from crash_run import TROUBLES, Exchange, Run, Wrong, answer, make_template, rule

ENDS = ("kill", "power")
# What a point needs so that it is passed at all, before any trouble.
NEEDS = {
    "journal.order.expire": [answer(4300, "before")],
    "journal.order.requeue": [rule("/order/build", answer={"code": 5000})],
    "settle.submit": [rule("/order/submit", drop="before")],
    "settle.submit.answered": [facts.SILENCE],  # else the stream may answer first
    "cancel.ask": [facts.SILENCE],
    "journal.order.lose": [rule("/order/submit", drop="before")],
    "journal.order.taken": [facts.SILENCE, answer(4302, "after")],
}
BIRTH = ("migrate", "journal_file", "token_key", "journal.token")
DOUBT = ("recover.", "settle.ask")


class Tools:
    """What every run shares."""

    def __init__(self, args, folder):
        build = rigs.BUILD
        self.binary = build / "crash" / args.variant / "deltagated"
        self.power = build / "crash/power.so"
        self.folder = folder
        self.patience = args.patience
        self.template, self.tokens = folder / "shared/template", []


def points_of(binary):
    done = subprocess.run([binary], env={"DELTAGATE_CRASH_LIST": "1"}, capture_output=True,
                          text=True, check=True)
    points = done.stdout.split()
    assert len(points) == len(set(points)), "two points have one name"
    return sorted(points)


def first_point(point):
    """A crash before that, which leaves what the point is about."""
    if point.startswith("journal.order.fail"):
        return ["place.build.left"]
    if point.startswith(("check.", "pages.")):
        return ["journal.order.ack.acknowledged"]
    return ["place.submit.left"] if point.startswith(DOUBT) else []


def spec_of(number, point, end, trouble):
    needs = [r for stem, rules in NEEDS.items() if point.startswith(stem) for r in rules]
    nth = 1 + number % 3 if point.startswith("migrate") else 1
    return {"name": f"{point} / {end} / {trouble}", "seed": number, "end": end, "trouble": trouble,
            "scenario": "birth" if point.startswith(BIRTH) else "trade", "rules": needs,
            "points": first_point(point) + [f"{point}:{nth}"], "point": point}


def matrix(points):
    every = [(p, e, t) for p in points for e in ENDS for t in TROUBLES]
    return [spec_of(number, *one) for number, one in enumerate(every)]


def random_spec(seed, points):
    """One to three deaths anywhere, under any trouble."""
    chance = random.Random(f"schedule {seed}")
    deaths = range(chance.randint(1, 3))
    # Mostly early: what is passed once a life is passed the first time or never.
    places = [f"{chance.choice(points)}:{min(1 + int(chance.expovariate(0.5)), 12)}"
              for _ in deaths]
    return {"name": f"random {seed}", "seed": seed, "end": chance.choice(ENDS), "point": None,
            "trouble": chance.choice(list(TROUBLES)), "scenario": "random", "points": places}


# ---- workers ----

WORKER = {}


def begin_worker(args, folder, tokens):
    tools = Tools(args, folder)
    tools.tokens = tokens
    own = folder / f"w{os.getpid()}"
    WORKER.update(tools=tools, exchange=Exchange(own / "sim"), folder=own)
    # One that was restarted by another thread does not die with this process by itself.
    multiprocessing.util.Finalize(None, end_worker, exitpriority=1)


def end_worker():
    if WORKER["exchange"].is_running():
        WORKER["exchange"].kill()


# kind: of failure, or None. reached: the points it died at, in order.
Result = collections.namedtuple("Result", "spec kind text reached crashes longest slowest orders")


def run_one(spec):
    run = None
    try:
        run = Run(WORKER["tools"], WORKER["exchange"], WORKER["folder"] / "run", spec)
        run.go()
        return Result(spec, None, "", run.reached, run.crashes, run.longest, run.slowest_life(),
                      sum(life.count for life in run.lives))
    except Wrong as wrong:
        kind, text = wrong.kind, str(wrong)
    except Exception:  # pylint: disable=broad-except  # one bad run must not hide the others
        kind, text = "broken", traceback.format_exc()
    WORKER["exchange"].used = Exchange.ACCOUNTS  # a clean one for the next
    slowest = run.slowest_life() if run else 0.0
    return Result(spec, kind, text, run.reached if run else [], 0, 0.0, slowest, 0)


class Report:
    def __init__(self):
        self.counts, self.reached, self.longest = collections.Counter(), set(), 0.0
        self.crashes = self.runs = self.orders = self.planned = self.met = 0
        self.slowest = 0.0
        self.passed_by = {}  # name -> spec of a combination that did not die at its point

    def add(self, result):
        spec = result.spec
        self.runs += 1
        self.crashes += result.crashes
        self.orders += result.orders
        self.longest = max(self.longest, result.longest)
        self.slowest = max(self.slowest, result.slowest)
        died_at = {place.partition(":")[0] for place in result.reached}
        self.reached |= died_at
        if spec["scenario"] == "random":
            self.planned += len(spec["points"])
            self.met += len(result.reached)
        elif result.kind or spec["point"] in died_at:
            self.passed_by.pop(spec["name"], None)
        else:
            self.passed_by[spec["name"]] = spec
        if result.kind:
            self.counts[result.kind] += 1
            again = f"--seed {spec['seed']}" if spec["scenario"] == "random" \
                else f"--only '{spec['name']}'"
            print(f"FAIL {spec['name']}: {result.text}\n"
                  f"     again: make crash CRASH_FLAGS=\"{again}\"", flush=True)

    def failures(self):
        return sum(self.counts.values())


def run_all(args, folder, specs, report, most=None):
    begun, last = time.monotonic(), time.monotonic()
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, context, begin_worker,
                                                (args, folder, args.tokens)) as pool:
        jobs = [pool.submit(run_one, spec) for spec in specs]
        for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            report.add(job.result())
            if most and report.failures() >= most:
                pool.shutdown(cancel_futures=True)
                break
            if time.monotonic() - last > 30:
                last = time.monotonic()
                print(f"     {number} of {len(specs)} after {last - begun:.0f} s, "
                      f"{report.failures()} failed", flush=True)


# ---- the test of the test ----

def broken_specs(name):
    if name == "submit_first":
        return [spec_of(n, p, "kill", t) for n, (p, t) in enumerate(
            [(p, t) for t in ("none", "answer late", "answer lost")
             for p in ("place.submit.left", "place.submit.answered", "journal.order.ack.before")])]
    if name == "rebuild":
        return [spec_of(n, p, "kill", "request late") for n, p in enumerate(
            ("place.submit.left", "place.submit.answered", "settle.ask.answered"))]
    points = ("journal.order.accepted.acknowledged", "place.submit.answered",
              "journal.order.ack.acknowledged", "journal.order.fill_all.acknowledged")
    return [dict(spec_of(n, points[n % 4], "power", "none"), lies=True) for n in range(12)]


def check_broken(args, folder):
    missed = 0
    for name in args.broken:
        args.variant = "" if name == "lying_disk" else name
        report = Report()
        with open(os.devnull, "w", encoding="ascii") as nowhere:
            shown, sys.stdout = sys.stdout, nowhere
            run_all(args, folder, broken_specs(name), report)
            sys.stdout = shown
        is_seen = any(report.counts[k] for k in ("duplicate", "lost", "untrue"))
        missed += not is_seen
        print(f"{'ok  ' if is_seen else 'FAIL'} broken on purpose ({name}): "
              f"{dict(report.counts)} in {report.runs} runs", flush=True)
    return missed


# ---- the program ----

def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000, help="random schedules")
    parser.add_argument("--short", action="store_true", help="each point once")
    parser.add_argument("--seed", type=int, help="one random schedule")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", help="runs of the matrix with this in their name")
    parser.add_argument("--every", type=int, default=1, help="only each nth run of the matrix")
    parser.add_argument("--jobs", type=int, default=3 * (os.cpu_count() or 1))
    parser.add_argument("--patience", type=float, default=1, help="times ten seconds, to settle")
    parser.add_argument("--broken", action="append", default=[],
                        choices=("submit_first", "rebuild", "lying_disk"))
    parser.add_argument("--variant", default="", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="keep the files")
    return parser.parse_args()


def short_of(specs):
    """Each point once, under a trouble and an end that change from one to the next."""
    by_point = collections.defaultdict(list)
    for spec in specs:
        by_point[spec["point"]].append(spec)
    plain = [s for s in specs if s["trouble"] == "none"]
    return [[s for s in plain if s["point"] == point][number % 2]
            for number, point in enumerate(sorted(by_point))]


def chosen(args, points):
    specs = matrix(points)
    if args.only:
        return [s for s in specs if args.only in s["name"]], []
    if args.seed is not None:
        return [], [random_spec(args.seed, points)]
    seeds = range(args.first_seed, args.first_seed + args.runs)
    combinations = short_of(specs) if args.short else specs[::args.every]
    return combinations, [random_spec(seed, points) for seed in seeds]


def try_again(args, folder, report):
    """Combinations that went by their point, as the exchange was quicker than the question, say:
    twice more."""
    for _ in range(2):
        if report.passed_by:
            run_all(args, folder, list(report.passed_by.values()), report)


def reach_all(args, folder, points, report):
    """Points that no run died at so far. Returns those that stay so."""
    for _ in range(3):
        missed = set(points) - report.reached
        if missed:
            run_all(args, folder, [s for s in matrix(points) if s["point"] in missed
                                   and s["trouble"] == "none"], report)
    return sorted(set(points) - report.reached)


def tell(points, combinations, randoms, report, seconds):
    names = {spec["name"] for spec in combinations}
    by = sorted(names & report.passed_by.keys())
    for name in by:
        print(f"     not passed: {name}")
    print(f"{report.crashes} deaths in {seconds:.0f} s, at {len(report.reached)} points; "
          f"{len(by)} of {len(names)} combinations never came by their point and do not count; "
          f"{report.met} of {report.planned} random deaths at theirs; "
          f"{report.counts['broken']} runs could not be made")
    print(f"every order final or explained at most {report.slowest:.1f} s after a restart "
          f"({report.orders} orders, {report.counts['late']} runs late); "
          f"all true at most {report.longest:.1f} s after the last act")
    print(f"{len(points)} points, {len(names) - len(by)} combinations, {len(randoms)} random runs, "
          f"{report.counts['duplicate']} duplicate, {report.counts['lost']} lost, "
          f"{report.counts['untrue']} untrue", flush=True)


def work(args, folder):
    tools = Tools(args, folder)
    _, args.tokens = make_template(tools.binary, folder / "shared")
    if args.broken:
        return check_broken(args, folder)
    points = points_of(tools.binary)
    combinations, randoms = chosen(args, points)
    report, begun = Report(), time.monotonic()
    run_all(args, folder, combinations + randoms, report)
    try_again(args, folder, report)
    is_whole = not args.only and args.seed is None
    missed = reach_all(args, folder, points, report) if is_whole else []
    for point in missed:
        print(f"FAIL {point} was never passed", flush=True)
    tell(points, combinations, randoms, report, time.monotonic() - begun)
    return report.failures() + len(missed)


def main():
    args = arguments()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dgc-", dir="/tmp"))
    try:
        return 1 if work(args, folder) else 0
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
