#!/bin/bash
# demo.sh BUILD - deltagated against a simulated exchange, with something to try; for `make run`.
#
# Everything lies under BUILD/run and starts anew each time. The ports are the programs' own
# unless something else listens there. Stays in the foreground; Ctrl-C or SIGTERM stops both.
set -u
build=$1
dir=$build/run
sim_port=8791
daemon_port=8790
daemon='' sim=''

fail() {
	echo "$*" >&2
	[ ! -s "$dir/deltagated.log" ] || tail -n 5 "$dir/deltagated.log" >&2
	stop 1
}

# The daemon first: it has orders to settle with the exchange.
stop() {
	trap '' INT TERM HUP
	local status=$1 pid
	for pid in $daemon $sim; do
		kill -TERM "$pid" 2>/dev/null
		wait "$pid" || { echo "process $pid ended with status $?" >&2 && status=1; }
	done
	[ "$status" -ne 0 ] || echo "Stopped."
	exit "$status"
}

free_port() {
	if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
		echo "Port $1 is taken; using a free one." >&2
		echo 0
	else
		echo "$1"
	fi
}

random() {
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# The address in the one JSON line that a program prints when it serves.
address_in() {
	local file=$1 pid=$2 address=''
	for _ in $(seq 300); do
		address=$(grep -o 'http://[0-9.:]*[0-9]' "$file" | head -n 1)
		[ -z "$address" ] || break
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	echo "$address"
}

# A second `make run` gets a folder of its own.
mkdir -p "$build"
exec 9>"$build/run.lock"
flock -n 9 || dir=$(mktemp -d "$build/run.XXXXXX")
rm -rf "$dir"
umask 077
mkdir -p "$dir/data" || exit 1
trap 'stop 0' INT TERM HUP

key=demo-$(random) password=$(random)
# A session of their own: Ctrl-C reaches this script only, which stops them in order.
setsid "$build/deltasim" --listen "127.0.0.1:$(free_port $sim_port)" --seed 1 --market-maker \
	--crowd-ms 500 --api-key "$key" --trading-password "$password" \
	>"$dir/deltasim.out" 2>"$dir/deltasim.log" 9>&- &
sim=$!
exchange=$(address_in "$dir/deltasim.out" $sim)
[ -n "$exchange" ] || fail "deltasim did not start; see $dir/deltasim.log"

DELTADEFI_API_KEY=$key TRADING_PASSWORD=$password setsid "$build/deltagated" \
	--listen "127.0.0.1:$(free_port $daemon_port)" --data-dir "$dir/data" --mode simulated \
	--rest-url "$exchange" --stream-url "${exchange/http/ws}" \
	>"$dir/deltagated.out" 2>"$dir/deltagated.log" 9>&- &
daemon=$!
address=$(address_in "$dir/deltagated.out" $daemon)
[ -n "$address" ] || fail "deltagated did not start; see $dir/deltagated.log"

token=$("$build/deltagate" --data-dir "$dir/data" token create demo --scope read,trade,market) ||
	fail "could not create a token"

# Ready when the operation key is open and the market is known.
for _ in $(seq 100); do
	curl -sf -o /dev/null "$address/readyz" && break
	sleep 0.1
done

order='{"symbol":"ADAUSDM","side":"buy","type":"market","base_quantity":"100","max_slippage_basis_point":200}'
auth="-H 'Authorization: Bearer $token'"
cat <<END

deltagate serves $address, trading on a simulated exchange: no key, no network, no money.

  token    $token
  journal  $dir/data/journal.db
  logs     $dir/deltagated.log  $dir/deltasim.log

Buy 100 ADA from the market maker, look at the balances, list the orders:

  curl -i $auth -H 'Content-Type: application/json' -d '$order' $address/v1/orders
  curl $auth $address/v1/balances
  curl $auth $address/v1/orders

What the journal has kept, and the same from the command line:

  sqlite3 -readonly -header $dir/data/journal.db 'SELECT order_id, side, state, executed_base_qty, average_price FROM v_orders'
  $build/deltagate --data-dir $dir/data orders --all

Watch in another terminal while you do: orders, executions and the book, as they change:

  $build/deltagate --data-dir $dir/data tail orders fills depth:ADAUSDM

The same in a browser, with the token: $address/

Ctrl-C stops both programs.
END

wait -n "$daemon" "$sim"
fail "One of the programs ended by itself; see the logs."
