#!/bin/bash
# fresh.sh - what a newcomer does, on a bare Debian 12 that has only git and make.
#
# Makes such a system in a temporary folder, clones this repository (its last commit) into it,
# runs `make run` there, sends the first order it prints, looks at it in the journal, stops it,
# and runs `make test`. Needs root, and the network or a mirror; MIRROR names another archive.
# Prints PASS or FAIL last. FRESH_KEEP=1 keeps the folder.
set -u
cd "$(dirname "$0")/.." || exit 1
mirror=${MIRROR:-http://deb.debian.org/debian}
runner=''
root=''

say() { echo "fresh: $*"; }

clean_up() {
	[ -z "$runner" ] || { kill -TERM -- "-$runner" && wait "$runner"; } 2>/dev/null
	[ -n "$root" ] || return
	umount -q -R "$root/proc" "$root/dev" 2>/dev/null
	if [ -n "${FRESH_KEEP:-}" ]; then
		say "kept $root"
	elif ! mountpoint -q "$root/proc" && ! mountpoint -q "$root/dev"; then
		rm -rf --one-file-system "$root"
	fi
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() {
	[ -z "$runner" ] || tail -n 30 "$root/tmp/run.out"
	say "$*"
	echo "FAIL"
	exit 1
}

inside() {
	chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd /root/deltagate && $1"
}

# The host's way to the archives goes along: proxies, certificates, dates that are not checked.
bring_host_settings() {
	mkdir -p "$root/etc/apt/apt.conf.d" "$root/etc/ssl/certs"
	grep -lE '^ *Acquire' /etc/apt/apt.conf.d/* /etc/apt/apt.conf 2>/dev/null |
		xargs -r cp -t "$root/etc/apt/apt.conf.d"
	[ ! -f /etc/ssl/certs/ca-certificates.crt ] ||
		cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
	for suite in bookworm bookworm-updates; do
		echo "deb $mirror $suite main"
	done >"$root/etc/apt/sources.list"
	echo "deb ${mirror%/debian}/debian-security bookworm-security main" \
		>>"$root/etc/apt/sources.list"
}

make_system() {
	local name
	debootstrap --variant=minbase --include=git,make bookworm "$root" "$mirror" \
		>"$root.log" 2>&1 || { tail -n 5 "$root.log"; fail "debootstrap failed"; }
	rm -f "$root.log"
	bring_host_settings
	# With its terminals and shared memory; a slave, so that nothing done here reaches the host.
	{ mount -t proc proc "$root/proc" && mount --rbind --make-rslave /dev "$root/dev"; } ||
		fail "cannot mount"
	for name in gcc python3 curl sqlite3; do
		! chroot "$root" which "$name" >/dev/null 2>&1 || fail "$name is there already"
	done
	git clone -q --no-hardlinks . "$root/root/deltagate" || fail "git clone failed"
}

try_make_run() {
	local answer row
	set -m # a process group of its own
	inside 'exec make run' >"$root/tmp/run.out" 2>&1 &
	runner=$!
	set +m
	for _ in $(seq 900); do
		grep -q 'Ctrl-C stops' "$root/tmp/run.out" && break
		kill -0 "$runner" 2>/dev/null || fail "make run ended"
		sleep 1
	done
	grep -q 'Ctrl-C stops' "$root/tmp/run.out" || fail "make run does not get ready"

	answer=$(inside "$(grep -m 1 '^  curl -i' "$root/tmp/run.out")" 2>/dev/null)
	grep -q '^HTTP/1.1 201' <<<"$answer" || fail "the printed order got: $answer"
	# Answered when it is on the book; matched a moment later.
	for _ in $(seq 10); do
		row=$(inside "$(grep -m 1 '^  sqlite3' "$root/tmp/run.out")" 2>&1)
		grep -q '|filled|100|' <<<"$row" && break
		sleep 1
	done
	grep -q '|filled|100|' <<<"$row" || fail "the journal shows: $row"
	say "make run: the printed order was answered 201 and stands in the journal"
	stop_make_run
}

# As Ctrl-C does: to all of its process group.
stop_make_run() {
	kill -INT -- "-$runner"
	wait "$runner"
	runner=''
	grep -q '^Stopped' "$root/tmp/run.out" || fail "make run does not stop cleanly"
	say "make run: stopped cleanly"
}

[ "$(id -u)" -eq 0 ] || { say "needs root" && exit 1; }
tests/install-deps.sh fresh || exit 1
[ -z "$(git status --porcelain)" ] || say "what is not committed is not tested"
root=$(mktemp -d "${TMPDIR:-/tmp}/deltagate-fresh.XXXXXX")
say "a bare Debian 12 in $root"
make_system
try_make_run
inside 'make test' || fail "make test failed"
echo "PASS: make run and make test on a bare Debian 12"
