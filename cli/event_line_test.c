#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/event_line.h"

#include "base/buf.h"
#include "base/mem.h"

#define TEXT_MAX 4096
#define EVENT(channel, data)                                             \
	"{\"op\":\"event\",\"ch\":\"" channel "\",\"seq\":2,\"prev\":1," \
	"\"ts\":\"2026-11-22T12:39:54.651560Z\",\"type\":\"x\",\"data\":" data "}"
#define SNAPSHOT(channel, data)                                              \
	"{\"op\":\"snapshot\",\"id\":null,\"ch\":\"" channel "\",\"seq\":2," \
	"\"ts\":\"2026-11-22T12:39:54.651560Z\",\"data\":" data "}"
#define STATUS(live)                                           \
	"{\"op\":\"status\",\"ch\":\"depth:A\",\"live\":" live \
	",\"ts\":\"2026-11-22T12:39:54.651560Z\"}"
#define AT "2026-11-22T12:39:54.651Z  "

static const struct {
	const char *message, *lines;
} cases[] = {
	{ EVENT("orders", "{\"order_id\":\"ord_1\",\"side\":\"buy\",\"symbol\":\"ADAUSDM\","
			  "\"base_qty\":\"100.10\",\"quote_qty\":null,\"price\":\"0.4500\","
			  "\"state\":\"open\",\"executed_base_qty\":\"0\",\"error\":null}"),
	  AT "orders  ord_1 buy ADAUSDM 100.10 @ 0.4500 open, executed 0" },
	{ EVENT("orders", "{\"order_id\":\"ord_1\",\"side\":\"sell\",\"symbol\":\"ADAUSDM\","
			  "\"base_qty\":null,\"quote_qty\":\"20\",\"price\":null,"
			  "\"state\":\"rejected\",\"executed_base_qty\":\"0\","
			  "\"error\":{\"code\":\"exchange-refused\",\"text\":\"no funds\"}}"),
	  AT "orders  ord_1 sell ADAUSDM 20 in quote @ market rejected, executed 0, "
	     "exchange-refused: no funds" },
	{ EVENT("fills", "{\"execution_id\":\"e-1\",\"order_id\":null,\"symbol\":\"ADAUSDM\","
			 "\"side\":\"buy\",\"price\":\"0.75\",\"base_qty\":\"20\","
			 "\"commission\":\"0.02\",\"commission_unit\":\"ADA\",\"role\":\"taker\"}"),
	  AT "fills  - buy ADAUSDM 20 @ 0.75 taker, commission 0.02 ADA, execution e-1" },
	{ EVENT("balances", "{\"asset\":\"ADA\",\"free\":\"99955\",\"locked\":\"45\"}"),
	  AT "balances  ADA free 99955, locked 45" },
	{ EVENT("system", "{\"about\":\"account\",\"text\":\"the stream is live\"}"),
	  AT "system  account: the stream is live" },
	{ EVENT("system", "{\"about\":null,\"text\":\"the exchange answers\"}"),
	  AT "system  the exchange answers" },
	{ EVENT("depth:ADAUSDM", "{\"symbol\":\"ADAUSDM\",\"bids\":[[\"0.74\",\"13\"],[\"0.7\","
				 "\"9\"]],\"asks\":[[\"0.751\",\"1333.33\"]]}"),
	  AT "depth:ADAUSDM  bid 0.74 x 13, ask 0.751 x 1333.33" },
	{ EVENT("depth:ADAUSDM", "{\"bids\":[],\"asks\":[]}"),
	  AT "depth:ADAUSDM  bid none, ask none" },
	{ EVENT("price:ADAUSDM", "{\"symbol\":\"ADAUSDM\",\"price\":\"0.75\"}"),
	  AT "price:ADAUSDM  0.75" },
	{ EVENT("trades:ADAUSDM", "{\"side\":\"buy\",\"price\":\"0.75\",\"base_qty\":\"20\"}"),
	  AT "trades:ADAUSDM  buy 20 @ 0.75" },
	{ EVENT("later", "{\"what\":\"ever\"}"), AT "later  {\"what\":\"ever\"}" },
	{ EVENT("orders", "null"), AT "orders  - - - - in quote @ market -, executed -" },
	{ EVENT("price:ADAUSDM", "{\"price\":\"1\\u001b[2J\\n2\"}"), AT "price:ADAUSDM  1?[2J?2" },
	{ EVENT("depth:A", "{\"bids\":7,\"asks\":[[]]}"), AT "depth:A  bid none, ask - x -" },
	{ SNAPSHOT("balances", "[{\"asset\":\"ADA\",\"free\":\"1\",\"locked\":\"0\"},"
			       "{\"asset\":\"IAG\",\"free\":\"2\",\"locked\":\"0\"}]"),
	  AT "balances now  ADA free 1, locked 0\n" AT "balances now  IAG free 2, locked 0" },
	{ SNAPSHOT("orders", "[]"), AT "orders now  none" },
	{ SNAPSHOT("price:ADAUSDM", "null"), AT "price:ADAUSDM now  none" },
	{ SNAPSHOT("price:ADAUSDM", "{\"price\":\"0.75\"}"), AT "price:ADAUSDM now  0.75" },
	{ SNAPSHOT("system", "{\"status\":\"ok\",\"reasons\":[]}"), AT "system now  ok" },
	{ SNAPSHOT("system", "{\"status\":\"down\",\"reasons\":[\"unreachable\",\"stopping\"]}"),
	  AT "system now  down: unreachable,stopping" },
	{ STATUS("true"), AT "depth:A  live" },
	{ STATUS("false"), AT "depth:A  not live: what follows may be late" },
	{ "{\"op\":\"status\",\"ch\":\"depth:A\",\"live\":true,\"ts\":\"today\"}",
	  "today  depth:A  live" },
	{ "{\"op\":\"status\",\"ch\":\"depth:A\",\"live\":true}", "-  depth:A  live" },
	{ "{\"op\":\"hb\"}", "" },
	{ "{\"op\":7,\"ch\":{}}", "" },
};

static void a_message_makes_these_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *message = json_loads(cases[i].message, 0, NULL);
		struct buf lines;

		assert_non_null(message);
		buf_init(&lines, TEXT_MAX);
		event_lines(&lines, message);
		assert_string_equal(buf_str(&lines), cases[i].lines);
		buf_fini(&lines);
		json_decref(message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_makes_these_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
