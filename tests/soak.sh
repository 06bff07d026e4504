#!/bin/bash
# soak.sh [MINUTES] - kills the daemon again and again under load, for ten minutes unless told
# otherwise; then nothing may be lost, doubled or untrue, and the exit status says so. SEED=N
# repeats what was random. Builds what it needs.
set -eu
cd "$(dirname "$0")/.."
export DELTAGATE_BUILD=${DELTAGATE_BUILD:-build} PYTHONDONTWRITEBYTECODE=1

for program in deltagated deltagate deltasim; do
	[ -x "$DELTAGATE_BUILD/$program" ] && continue
	tests/install-deps.sh build run test
	make BUILD="$DELTAGATE_BUILD" all
	break
done
exec /usr/bin/python3 tests/soak.py --minutes "${1:-10}" ${SEED:+--seed "$SEED"}
