#!/usr/bin/python3
"""Runs every test of a build and ends with one line: N passed, N failed, N skipped.

Unit tests (cmocka) run side by side, then the signing vectors, the corpora of the fuzz targets
and the black-box tests (pytest). A program that crashes, hangs or leaves a sanitizer's report
counts as failed. The exit status is 1 when anything failed or when nothing ran.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
PROGRAM_SECONDS = 300
PYTEST_SECONDS = 2400
# Unit tests of what starts threads or hands work to them; `make tsan` runs these.
THREADED = re.compile(r"/(queue|journal|log|loop|fetch|unlock)\w*_test$")
CMOCKA_LINE = re.compile(r"^\[ +(RUN|OK|FAILED|SKIPPED|ERROR) +\] (.*)$", re.M)
TALLY_LINE = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


class Tally:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def ran(self):
        return self.passed + self.failed


def environment(build, reports):
    """What every tested program is started with; the rig of the black-box tests passes it on."""
    log = f"log_path={reports}/sanitizer"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "CMOCKA"))}
    env.update(
        # cmocka catches SIGSEGV itself, and the report would be lost.
        ASAN_OPTIONS=f"handle_segv=2:detect_leaks=1:detect_stack_use_after_return=1:{log}",
        UBSAN_OPTIONS=f"print_stacktrace=1:halt_on_error=1:{log}",
        TSAN_OPTIONS=f"halt_on_error=0:exitcode=66:report_signal_unsafe=0:{log}",
        DELTAGATE_BUILD=str(build),
        PYTHONDONTWRITEBYTECODE="1",
    )
    return env


def fixed_addresses():
    """gcc 12's sanitizers fail at random where the kernel shuffles addresses over 32 bits."""
    try:
        bits = int(pathlib.Path("/proc/sys/vm/mmap_rnd_bits").read_text())
    except (OSError, ValueError):
        return []
    command = ["setarch", "--addr-no-randomize"]
    if bits <= 28 or not shutil.which("setarch"):
        return []
    return command if subprocess.run(command + ["true"], check=False).returncode == 0 else []


def run(command, env):
    """Output and exit status; None for a program that did not end in time."""
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + "\n(does not end)", None
    return done.stdout.decode(errors="replace"), done.returncode


def tally_of_unit(output, status):
    """cmocka's lines name each test; one that began and did not end was running at the crash."""
    words = [word for word, _ in CMOCKA_LINE.findall(output)]
    tests = set(name for word, name in CMOCKA_LINE.findall(output) if word == "RUN")
    passed, skipped = words.count("OK"), words.count("SKIPPED")
    failed = max(0, len(tests) - passed - skipped)
    if status != 0 and failed == 0:
        failed = 1
    return Tally(passed, failed, skipped)


def tally_of_program(output, status):
    """A program that counts says so in its last such line; else it is one test."""
    found = TALLY_LINE.findall(output)
    tally = Tally(*(int(n or 0) for n in found[-1])) if found else Tally(1 if status == 0 else 0)
    if status != 0 and tally.failed == 0:
        tally.failed = 1
    return tally


def show(name, tally, seconds, output):
    verdict = "FAIL" if tally.failed else "ok  "
    print(f"{verdict} {name:<32} {tally}  ({seconds:.1f} s)", flush=True)
    if tally.failed:
        print("".join(f"     | {line}\n" for line in output.splitlines()[-120:]), flush=True)


def run_one(name, command, env, count):
    start = time.monotonic()
    output, status = run(command, env)
    tally = count(output, status)
    if status is not None and status < 0:
        output += f"\n(killed by signal {-status})"
    return name, tally, time.monotonic() - start, output


def run_units(args, env, prefix):
    programs = [str(p) for p in sorted((args.build / "unit").glob("*/*_test"))]
    # A test whose source is gone may still lie in the build folder.
    programs = [p for p in programs if source_of(p, args.build).exists()]
    if args.threads:
        programs = [p for p in programs if THREADED.search(p)]
    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        jobs = [
            pool.submit(run_one, "/".join(p.split("/")[-2:]), prefix + [p], env, tally_of_unit)
            for p in programs
        ]
        for job in jobs:
            name, tally, seconds, output = job.result()
            show(name, tally, seconds, output)
            total += tally
    return total


def source_of(program, build):
    return ROOT / (str(pathlib.Path(program).relative_to(build / "unit")) + ".c")


def run_vectors(args, env, prefix):
    program = args.build / "vectors"
    folder = ROOT / "tests/data/vectors"
    if args.threads or not program.exists() or not folder.exists():
        return Tally()
    result = run_one("signing vectors", prefix + [program, folder], env, tally_of_program)
    show(*result)
    return result[1]


def run_corpora(args, env, prefix):
    total = Tally()
    if args.threads:
        return total
    for program in sorted((args.build / "fuzz").glob("replay*")):
        if not os.access(program, os.X_OK) or program.suffix:
            continue
        result = run_one(
            f"fuzz/{program.name}", prefix + [program, ROOT / "tests/fuzz/corpus"], env,
            tally_of_program,
        )
        show(*result)
        total += result[1]
    return total


def run_crashes(args, env, prefix):
    """Each crash point once and some random schedules; `make crash` runs all. Not with sanitizers:
    their libraries and the layer of the power cuts both want to be loaded first."""
    is_sanitized = "-fsanitize" in (args.build / "flags").read_text()
    if is_sanitized or not (args.build / "crash/deltagated").exists():
        return Tally()
    command = ["/usr/bin/python3", ROOT / "tests/crash_matrix.py", "--short", "--runs", "100",
               "--patience", "3"]  # the ten seconds are measured by `make crash` and the soak
    result = run_one("crash matrix, short", prefix + command, env, tally_of_program)
    show(*result)
    return result[1]


def run_pytest(args, env, prefix):
    if not list((ROOT / "tests").glob("test_*.py")):
        return Tally()
    junit = args.reports / "pytest.xml"
    workers = min(CORES + 1, 4)  # they wait more than they work
    command = [
        *prefix, "/usr/bin/python3", "-m", "pytest", "tests", "-q", "-n", str(workers),
        f"--junitxml={junit}", *(["-m", "threads"] if args.threads else []), *args.pytest,
    ]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        status = process.wait(PYTEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        status = process.wait()
        print(f"FAIL pytest did not end within {PYTEST_SECONDS} s", flush=True)
    except KeyboardInterrupt:
        process.wait()
        raise
    return tally_of_pytest(junit, status)


def tally_of_pytest(junit, status):
    try:
        suites = xml.parse(junit).getroot().iter("testsuite")
        tally = Tally()
        for suite in suites:
            count = {k: int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped")}
            failed = count["failures"] + count["errors"]
            tally += Tally(
                max(0, count["tests"] - failed - count["skipped"]), failed, count["skipped"]
            )
    except (OSError, xml.ParseError):
        return Tally(0, 1, 0)
    # 5: nothing was collected, which is no success either unless other suites ran.
    if status not in (0, 5) and tally.failed == 0:
        tally.failed = 1
    return tally


def sanitizer_reports(reports):
    """Every process that found something wrote a file, also those whose exit nobody looked at."""
    found = sorted(reports.glob("sanitizer.*"))
    for file in found:
        text = file.read_text(errors="replace")
        print(f"FAIL {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")
        print("".join(f"     | {line}\n" for line in text.splitlines()[:80]), flush=True)
    return Tally(0, len(found), 0)


SUITES = {"units": run_units, "vectors": run_vectors, "corpora": run_corpora,
          "crashes": run_crashes, "pytest": run_pytest}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--only", choices=SUITES, action="append", help="may be given again")
    parser.add_argument("--threads", action="store_true", help="only what starts threads")
    parser.add_argument("pytest", nargs="*", help="passed on to pytest")
    args = parser.parse_args()
    args.build = (ROOT / args.build).resolve()
    args.reports = args.build / "reports"
    return args


def main():
    args = arguments()
    shutil.rmtree(args.reports, ignore_errors=True)
    args.reports.mkdir(parents=True)
    env = environment(args.build, args.reports)
    prefix = fixed_addresses()
    total = Tally()
    for name, suite in SUITES.items():
        if not args.only or name in args.only:
            total += suite(args, env, prefix)
    total += sanitizer_reports(args.reports)
    if not total.ran():
        print("FAIL nothing ran")
    print(total, flush=True)
    return 1 if total.failed or not total.ran() else 0


if __name__ == "__main__":
    sys.exit(main())
