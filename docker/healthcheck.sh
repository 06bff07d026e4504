#!/bin/sh
# healthcheck.sh - does the daemon answer on its Unix socket?
#
# Liveness only: whether the exchange can be reached is for /readyz and /v1/health to say, as a new
# container would not reach it any better. The daemon's own user needs no token there.
exec curl --silent --show-error --fail --max-time 4 --output /dev/null \
	--unix-socket "${DELTAGATE_SERVER_SOCKET:-/var/lib/deltagate/deltagate.sock}" \
	http://localhost/healthz
