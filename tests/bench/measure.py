"""What the parts of the benchmark share: figures, how they are told, and programs that measure."""
import contextlib
import json
import os
import pathlib
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time

import rig as rigs

HERE = pathlib.Path(__file__).resolve().parent
BENCH = rigs.BUILD / "bench"
PATIENCE_S = 120
NPM_SECONDS = 240


# ---- what is told ------------------------------------------------------------------------------

def short(number):
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f}"


def ms(us):
    return f"{us / 1000:.2f} ms"


class Report:
    """Lines for people as they come, and all of it for machines at the end."""

    def __init__(self, as_json):
        self.as_json, self.lines, self.skipped = as_json, [], []

    def say(self, text):
        if not self.as_json:
            print(text, flush=True)

    def line(self, name, unit, ours, theirs, text, **more):
        """A figure a round of each side. unit "us" or "kib": less is better; "per_s": more is."""
        pairs = zip(ours, theirs) if unit == "per_s" else zip(theirs, ours)
        ratios = sorted(a / b for a, b in pairs)
        line = {
            "name": name, "ratio": round(statistics.median(ratios), 4),
            "ratio_min": round(ratios[0], 4), "ratio_max": round(ratios[-1], 4),
            "rounds": len(ratios), "unit": unit, "deltagate": round(statistics.median(ours), 2),
            "other": round(statistics.median(theirs), 2), **more,
        }
        self.lines.append(line)
        self.say(f"{short(line['ratio']):>5}x  {text(line)}  "
                 f"({short(ratios[0])} to {short(ratios[-1])} in {len(ratios)} rounds)")

    def fact(self, name, text, **numbers):
        """What has nothing to be compared with, or is compared by the reader."""
        self.lines.append({"name": name, **numbers})
        self.say(f"{'':6}  {text}")

    def skip(self, name, why):
        self.skipped.append({"name": name, "why": why})
        self.say(f"skipped  {name}: {why}")

    def write(self, machine):
        text = json.dumps({"machine": machine, "lines": self.lines, "skipped": self.skipped},
                          indent=2)
        (BENCH / "bench.json").write_text(text + "\n")
        if self.as_json:
            print(text)


# ---- programs that measure ---------------------------------------------------------------------

class Measurer:
    """A program that does one round for each line it is told, and ends with its input."""

    def __init__(self, *command, cwd=None, **environment):
        self.name = pathlib.Path(command[0]).name
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            bufsize=0, cwd=cwd, env={**os.environ, **environment},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def round(self, *numbers):
        self.process.stdin.write((" ".join(map(str, numbers)) + "\n").encode())
        deadline, answer = time.monotonic() + PATIENCE_S, b""
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, left))
            more = self.process.stdout.read(65536) if ready else b""
            if not more:
                sys.exit(f"bench: {self.name} gave no answer")
            answer += more
        return json.loads(answer)

    def times_us(self, count):
        return sorted(ns / 1000 for ns in self.round(count)["ns"])


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


# ---- programs that are measured against ---------------------------------------------------------

def install_rivals(folder=BENCH):
    """Those that come by npm: None when they are there, else why not."""
    for path in (HERE / "package.json", *HERE.glob("*.mjs")):
        shutil.copy(path, folder)
    command = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
               "--ignore-scripts", "--prefer-offline", "--fetch-retries=1", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=NPM_SECONDS, check=False)
    except FileNotFoundError:
        return "there is no npm here"
    except subprocess.TimeoutExpired:
        return f"npm did not install the others within {NPM_SECONDS} s"
    if done.returncode == 0:
        return None
    reason = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
    return "npm cannot install the others: " + (reason or ["no reason given"])[0]


def pick_cores():
    """One for the servers and one for the load; None where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def pin(core, pid=0):
    """A whole process to a core."""
    if core is not None:
        for thread in os.listdir(f"/proc/{pid or 'self'}/task"):
            os.sched_setaffinity(int(thread), {core})


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
