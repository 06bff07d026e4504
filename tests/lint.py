#!/usr/bin/python3
"""Checks what the compiler does not: formatting, who includes whom, floats, and the analysers.

    lint.py [--build DIR] [--only CHECK] -- COMPILER FLAGS

One line for each check, its findings below it, and a count at the end.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
FOLDERS = ("base", "net", "client", "server", "sim", "cli", "tests", "tests/fuzz", "tests/bench")

# base <- net <- client <- server; sim and cli use only base and net; nothing includes server.
MAY_INCLUDE = {
    "base": {"base"},
    "net": {"base", "net"},
    "client": {"base", "net", "client"},
    "server": {"base", "net", "client", "server"},
    "sim": {"base", "net", "sim"},
    "cli": {"base", "net", "cli"},
    "tests": {"base", "net", "client", "server", "sim", "cli", "tests"},
}

# Unit tests and what only they include.
TEST_FILE = r".*(_test\.[ch]|_rig\.h|/testing\.h)|tests/.*"

# A library's header, and the files that may see it. x_test.c may see what x.c may.
LIBRARY_USERS = {
    r"(curl/.*|libwebsockets|microhttpd|uv)\.h": r"net/.*",
    r"jansson\.h": r"client/(wire\w*|sealed)\.[ch]|server/json\w*\.[ch]|sim/.*|cli/.*|tests/.*",
    r"sqlite3\.h": r"server/sql\.h|cli/cmd_journal\.c|tests/.*",
    r"server/sql\.h": r"server/(sql|migrate|journal_\w+)\.[ch]|tests/.*",
    r"yaml\.h": r"server/config\w*\.c|tests/.*",
    r"pthread\.h": r"base/\w+\.c|net/(loop\.c|net_test\.h)|server/journal\w*\.[ch]|tests/.*",
}

# Words of C, outside comments and strings, that only some files may use, and why.
RESERVED_WORDS = {
    # A JSON number is a double in jansson; decimal_from_double() takes it or refuses it.
    "float or double (prices and amounts are struct decimal)": (
        r"\b(float|double)\b",
        r"base/decimal(_test)?\.[ch]|(client/wire_json|server/json\w*)\.c",
    ),
    "a lock (threads talk through base/queue)": (
        r"\bpthread_(mutex|rwlock|spin|cond)_\w+|\bmtx_\w+",
        r"base/queue\.c",
    ),
    "an unbounded or unchecked call": (
        r"\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atoll|atof|strtok|alloca|system)\s*\(",
        TEST_FILE,
    ),
    # libcurl is given memory that wipes itself, and takes its NULL.
    "malloc and friends (mem_alloc cannot fail)": (
        r"(?<![\w>.])(malloc|calloc|realloc|strdup|strndup)\s*\(",
        rf"base/mem\.c|net/multi\.c|{TEST_FILE}",
    ),
    "typedef struct (structs are called struct)": (r"\btypedef\s+(struct|enum|union)\b[^(]*$", ""),
}


CPPCHECK_NOISE = (
    "varFuncNullUB", "unknownMacro", "invalidFunctionArgBool", "readdirCalled", "ctuuninitvar",
    "comparePointers",
)


def files(*suffixes):
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*")):
            if path.suffix in suffixes:
                found.append(path)
    return found


def name_of(path):
    return str(path.relative_to(ROOT))


def call(command):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout


def each(function, items):
    """function(item) side by side; the findings in the order of the items."""
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        return [finding for found in pool.map(function, items) for finding in found]


def code_of(text):
    """The text without comments and the insides of strings, line for line."""

    def blank(match):
        word = match.group(0)
        return word[0] + word[-1] if word[0] in "\"'" else "\n" * word.count("\n") or " "

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def includes_of(path):
    """(line number, name, is ours) of each include."""
    pattern = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = pattern.match(line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def check_format(_):
    status, output = call(["clang-format", "--dry-run", "-Werror", *files(".c", ".h")])
    places = re.findall(rf"^{ROOT}/(.*?):(\d+):\d+: error:", output, flags=re.M)
    worst = {}
    for name, line in places:
        worst.setdefault(name, []).append(line)
    findings = [f"{name}: clang-format would change line {lines[0]} and {len(lines) - 1} more"
                for name, lines in worst.items()]
    return findings or (output.splitlines() if status else [])


def check_includes(_):
    findings = []
    for path in files(".c", ".h"):
        name = name_of(path)
        folder = name.split("/")[0]
        acting_as = re.sub(r"_test\.c$", ".c", name)
        for line, header, is_ours in includes_of(path):
            if is_ours and header.split("/")[0] not in MAY_INCLUDE[folder]:
                findings.append(f"{name}:{line}: {folder}/ must not include {header}")
            if is_ours and not (ROOT / header).exists():
                findings.append(f"{name}:{line}: write the path of {header} from the root")
            for library, users in LIBRARY_USERS.items():
                if not is_ours and re.fullmatch(library, header):
                    if not re.fullmatch(users, acting_as):
                        findings.append(f"{name}:{line}: not a place for <{header}>")
    return findings + own_header_first() + upward_includes() + include_cycles()


def own_header_first():
    findings = []
    for path in files(".c"):
        own = name_of(path.with_suffix(".h"))
        first = next((header for _, header, _ in includes_of(path)), None)
        if (ROOT / own).exists() and first != own:
            findings.append(f"{name_of(path)}:1: its own header {own} comes first")
    return findings


def upward_includes():
    """Inside server: api_* -> orders, place, hub -> order, scheduler, journal; never upwards."""
    below = r"server/(order|scheduler|journal\w*|migrate)(_test)?\.[ch]"
    top = r"server/(api\w*|routes|recover|upstream|daemon|main)(_test)?\.[ch]"
    middle_header = r"server/(orders|place|settle|hub|feed|backfill|market|risk)\.h"
    top_header = r"server/(api\w*|routes|daemon)\.h"
    findings = []
    for path in files(".c", ".h"):
        name = name_of(path)
        for line, header, _ in includes_of(path):
            up = re.fullmatch(top_header, header) and not re.fullmatch(top, name)
            up = up or (re.fullmatch(middle_header, header) and re.fullmatch(below, name))
            if up and name.startswith("server/"):
                findings.append(f"{name}:{line}: {header} is above; a callback goes up")
    return findings


def include_cycles():
    graph = {name_of(p): [h for _, h, ours in includes_of(p) if ours] for p in files(".h")}
    findings, done = [], set()

    def visit(name, trail):
        if name in trail:
            findings.append("headers include each other: " + " -> ".join(trail + [name]))
        elif name not in done:
            for header in graph.get(name, []):
                visit(header, trail + [name])
            done.add(name)

    for name in graph:
        visit(name, [])
    return findings


def check_words(_):
    findings = []
    for path in files(".c", ".h"):
        name = name_of(path)
        if name.startswith("tests/"):
            continue
        for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
            for what, (pattern, allowed) in RESERVED_WORDS.items():
                if re.search(pattern, line) and not (allowed and re.fullmatch(allowed, name)):
                    findings.append(f"{name}:{number}: {what}: {line.strip()}")
    return findings


def check_headers(args):
    """Each header compiles alone."""

    def compiles(path):
        status, output = call(
            ["gcc", "-fsyntax-only", "-Wall", "-Wextra", *args.flags, "-include", name_of(path),
             "-x", "c", "/dev/null"]
        )
        return output.splitlines() if status or output else []

    return each(compiles, files(".h"))


def check_tidy(args):
    """clang-tidy, whose verdict on unchanged text is remembered."""
    cache = args.build / "lint"
    cache.mkdir(parents=True, exist_ok=True)
    config = (ROOT / ".clang-tidy").read_bytes()

    def tidy(path):
        name = name_of(path)
        # err.c defines what the model says about err_set().
        flags = args.flags + ([] if name == "base/err.c" else ["-include", "tests/lint_model.h"])
        # Tests are run under sanitizers: no need to follow every path of theirs.
        checks = ["--checks=-clang-analyzer-*,-cert-err34-c"] * bool(re.fullmatch(TEST_FILE, name))
        status, text = call(["gcc", "-E", *flags, name])
        known_by = [config, text.encode(), path.read_bytes(), *map(str.encode, checks)]
        key = hashlib.sha256(b"".join(known_by)).hexdigest()
        known = cache / key
        if status == 0 and known.exists():
            return []
        status, output = call(["clang-tidy", "--quiet", *checks, name, "--", *flags])
        if status == 0:
            known.touch()
            return []
        lines = output.replace(f"{ROOT}/", "").splitlines()
        return [line for line in lines if ": error:" in line] or lines

    # A header's finding comes once for each file that includes it.
    return list(dict.fromkeys(each(tidy, files(".c"))))


def check_cppcheck(args):
    folder = args.build / "lint" / "cppcheck"
    folder.mkdir(parents=True, exist_ok=True)
    status, output = call(
        ["cppcheck", "--quiet", "--std=c11", "--library=posix", "--error-exitcode=1",
         "--enable=warning,portability,performance", "--inline-suppr", f"-j{CORES}",
         f"--cppcheck-build-dir={folder}", "--suppress=missingIncludeSystem", "-I.",
         # NULL is a pointer on every system with the libraries we need; the others were wrong
         # each time.
         *[f"--suppress={known}" for known in CPPCHECK_NOISE],
         "-D_GNU_SOURCE", "--template={file}:{line}: {id}: {message}",
         *[name_of(p) for p in files(".c") if not re.fullmatch(TEST_FILE, name_of(p))]]
    )
    return output.splitlines() if status else []


def check_shell(_):
    scripts = [s for folder in ("tests", "docker", "migrations")
               for s in sorted((ROOT / folder).glob("*.sh"))]
    scripts += sorted(ROOT.glob(".ci/*"))
    return call(["shellcheck", "--format=gcc", *scripts])[1].splitlines() if scripts else []


def check_python(_):
    scripts = files(".py")
    findings = call(["pyflakes3", *scripts])[1].splitlines()
    for path in scripts:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > 100 or "\t" in line or line != line.rstrip():
                findings.append(f"{name_of(path)}:{number}: long line, tab or trailing space")
    return findings


CHECKS = {
    "format": check_format,
    "includes": check_includes,
    "words": check_words,
    "headers": check_headers,
    "shell": check_shell,
    "python": check_python,
    "cppcheck": check_cppcheck,
    "clang-tidy": check_tidy,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--only", choices=CHECKS, action="append", help="may be given again")
    parser.add_argument("flags", nargs="*", help="the compiler's")
    args = parser.parse_args()
    args.build = (ROOT / args.build).resolve()
    return args


def main():
    args = arguments()
    passed = failed = 0
    for name, check in CHECKS.items():
        if args.only and name not in args.only:
            continue
        start = time.monotonic()
        findings = check(args)
        passed, failed = passed + (not findings), failed + bool(findings)
        verdict = "FAIL" if findings else "ok  "
        print(f"{verdict} {name:<12} ({time.monotonic() - start:.1f} s)")
        for finding in findings:
            print(f"     {finding}")
        sys.stdout.flush()
    print(f"lint: {passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
