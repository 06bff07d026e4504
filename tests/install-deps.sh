#!/bin/sh
# install-deps.sh SET... - sees to it that the Debian packages of each set are installed.
#
# Sets: build run test lint fuzz cover bench fresh. Says which packages are missing before it
# installs them with apt-get (through sudo when not root); when none is missing it is one
# dpkg-query and no output. On a system without dpkg it installs nothing, and the compiler says what is missing.
set -eu

packages_of() {
	case $1 in
	build) echo gcc libc6-dev make pkg-config libuv1-dev libmicrohttpd-dev libwebsockets-dev \
		libcurl4-openssl-dev libjansson-dev libsodium-dev libsqlite3-dev libssl-dev \
		libyaml-dev ;;
	run) echo sqlite3 curl ca-certificates ;;
	test) echo libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-aiohttp \
		python3-websockets python3-hypothesis python3-jsonschema python3-yaml \
		python3-cryptography python3-nacl python3-selenium chromium chromium-driver \
		openssl ;;
	lint) echo clang-format clang-tidy cppcheck shellcheck python3 pyflakes3 git ;;
	fuzz) echo clang-14 libclang-rt-14-dev ;;
	cover) echo gcovr ;;
	bench)
		echo nginx-light wrk mosquitto nats-server
		# Node.js from elsewhere often brings npm along, and bears no second one beside it.
		command -v npm >/dev/null || echo nodejs npm
		;;
	fresh) echo debootstrap ;;
	*)
		echo "install-deps.sh: no set of packages is called $1" >&2
		exit 2
		;;
	esac
}

apt() {
	if [ "$(id -u)" -eq 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
	else
		sudo DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
	fi
}

# An image that was made small has no package lists, and old lists name files that are gone.
apt_install() {
	if ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 &&
		apt install -y --no-install-recommends "$@"; then
		return
	fi
	apt update && apt install -y --no-install-recommends "$@"
}

command -v dpkg-query >/dev/null || exit 0

wanted=$(for set in "$@"; do packages_of "$set"; done)
# shellcheck disable=SC2086 # one package a word
present=$(dpkg-query -W -f '${db:Status-Status} ${Package} ' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
	case " $present" in
	*" installed $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

echo "Missing Debian packages, to be installed now (this may take minutes):$missing" >&2
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
	echo "Neither root nor sudo: as root, run  apt-get install$missing" >&2
	exit 1
fi
[ "$(id -u)" -eq 0 ] || sudo true # asks for the password where it can be seen
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! apt_install $missing >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "Could not install:$missing" >&2
	exit 1
fi
echo "Installed." >&2
