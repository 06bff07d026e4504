#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "client/reader_test.h"
#include "client/wire_stream.h"

#define ORDER                                                                                   \
	"{\"id\":\"" ORDER_ID "\",\"status\":\"open\",\"symbol\":\"ADAUSDM\",\"side\":\"buy\"," \
	"\"type\":\"limit\",\"price\":\"0.25470\",\"base_qty\":\"100.00\","                     \
	"\"executed_base_qty\":40.5,\"updated_at\":\"2026-01-13T10:00:00Z\"}"
#define TRADE(at, side, price, amount)                                                        \
	"{\"timestamp\":" at ",\"symbol\":\"ADAUSDM\",\"side\":\"" side "\",\"price\":" price \
	",\"amount\":" amount "}"

static bool try_read(enum dd_stream_kind kind, const char *text, struct wire_message *message,
		     struct err *err)
{
	return wire_message_read(kind, kind == DD_STREAM_ACCOUNT ? NULL : "ADAUSDM", text,
				 strlen(text), message, err);
}

static void read(enum dd_stream_kind kind, const char *text, struct wire_message *message)
{
	struct err err;
	bool ok = try_read(kind, text, message, &err);

	if (!ok)
		print_message("%s: %s\n", text, err.text);
	assert_true(ok);
}

static void assert_levels(const struct dd_level *levels, size_t count, const char *const *texts)
{
	for (size_t i = 0; i < count; i++) {
		assert_decimal(levels[i].price, texts[2 * i]);
		assert_decimal(levels[i].quantity, texts[2 * i + 1]);
	}
	assert_null(texts[2 * count]);
}

/* ---- what a message is ---- */

static void each_message_is_known_by_stream_type_and_sub_type(void **unused)
{
	static const struct {
		enum dd_stream_kind kind;
		enum wire_content content;
		const char *text;
	} cases[] = {
		{ DD_STREAM_ACCOUNT, WIRE_ORDER,
		  "{\"type\":\"Account\",\"sub_type\":\"order_info\",\"order\":" ORDER "}" },
		{ DD_STREAM_ACCOUNT, WIRE_ORDER,
		  "{\"type\":\"account\",\"sub_type\":\"Order_Info\",\"data\":" ORDER "}" },
		{ DD_STREAM_ACCOUNT, WIRE_ORDER,
		  "{\"sub_type\":\"order_info\",\"data\":{\"order\":" ORDER "}}" },
		{ DD_STREAM_ACCOUNT, WIRE_BALANCES,
		  "{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[]}" },
		{ DD_STREAM_ACCOUNT, WIRE_BALANCES,
		  "{\"type\":\"Account\",\"sub_type\":\"balance\",\"data\":[]}" },
		{ DD_STREAM_ACCOUNT, WIRE_NOTHING,
		  "{\"type\":\"Account\",\"sub_type\":\"dlta_points\",\"dlta_points\":{}}" },
		{ DD_STREAM_ACCOUNT, WIRE_NOTHING,
		  "{\"type\":\"Account\",\"sub_type\":\"open_orders\",\"data\":[{\"orders\":[]}],"
		  "\"total_count\":0,\"total_page\":0}" },
		{ DD_STREAM_ACCOUNT, WIRE_NOTHING, "{\"sub_type\":\"orders_history\"}" },
		{ DD_STREAM_ACCOUNT, WIRE_NOTHING, "{\"sub_type\":\"trading_history\"}" },
		{ DD_STREAM_ACCOUNT, WIRE_NOTHING, "{\"sub_type\":\"positions\"}" },
		{ DD_STREAM_ACCOUNT, WIRE_UNKNOWN, "{\"sub_type\":\"margin_call\"}" },
		{ DD_STREAM_ACCOUNT, WIRE_UNKNOWN,
		  "{\"type\":\"Market\",\"sub_type\":\"order_info\",\"order\":" ORDER "}" },
		{ DD_STREAM_DEPTH, WIRE_DEPTH, "{\"timestamp\":1,\"bids\":[],\"asks\":[]}" },
		{ DD_STREAM_DEPTH, WIRE_DEPTH,
		  "{\"type\":\"Market\",\"sub_type\":\"book\",\"data\":{\"bids\":null}}" },
		{ DD_STREAM_PRICE, WIRE_PRICE, "{\"price\":0.75}" },
		{ DD_STREAM_PRICE, WIRE_PRICE,
		  "{\"type\":\"Market\",\"sub_type\":\"market_price\",\"price\":\"0.75\"}" },
		{ DD_STREAM_PRICE, WIRE_UNKNOWN, "{\"sub_type\":\"mark_price\",\"price\":0.75}" },
		{ DD_STREAM_PRICE, WIRE_NOTHING, "{\"price\":0}" },
		{ DD_STREAM_TRADES, WIRE_TRADES, "[]" },
		{ DD_STREAM_TRADES, WIRE_TRADES, "{\"data\":[]}" },
		{ DD_STREAM_TRADES, WIRE_TRADES, TRADE("1766000000", "sell", "1", "2") },
		{ DD_STREAM_TRADES, WIRE_TRADES,
		  "{\"data\":" TRADE("1766000000", "sell", "1", "2") "}" },
		{ DD_STREAM_DEPTH, WIRE_KEEP_ALIVE, "ping" },
		{ DD_STREAM_ACCOUNT, WIRE_KEEP_ALIVE, "PONG\r\n" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_message message;

		read(cases[i].kind, cases[i].text, &message);
		if (message.content != cases[i].content)
			print_message("%s\n", cases[i].text);
		assert_int_equal(message.content, cases[i].content);
		wire_message_fini(&message);
	}
}

static void what_cannot_be_read_is_refused(void **unused)
{
	static const struct {
		enum dd_stream_kind kind;
		const char *text;
	} cases[] = {
		{ DD_STREAM_ACCOUNT, "{{{" },
		{ DD_STREAM_ACCOUNT, "" },
		{ DD_STREAM_ACCOUNT, "pingpong" },
		{ DD_STREAM_ACCOUNT, "upstream connect error" },
		{ DD_STREAM_ACCOUNT, "[]" },
		{ DD_STREAM_ACCOUNT, "42" },
		{ DD_STREAM_ACCOUNT, "{\"type\":\"Account\"}" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"order_info\"}" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"order_info\",\"order\":[]}" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"order_info\",\"order\":{\"id\":\"../x\"}}" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"balance\"}" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"balance\",\"balance\":[{\"free\":1}]}" },
		{ DD_STREAM_DEPTH, "{}" },
		{ DD_STREAM_DEPTH, "[]" },
		{ DD_STREAM_DEPTH, "{\"bids\":{},\"asks\":[]}" },
		{ DD_STREAM_DEPTH, "{\"bids\":[[1]],\"asks\":[]}" },
		{ DD_STREAM_DEPTH, "{\"bids\":[[0,1]],\"asks\":[]}" },
		{ DD_STREAM_DEPTH, "{\"bids\":[],\"asks\":[[1,-1]]}" },
		{ DD_STREAM_DEPTH, "{\"bids\":[],\"asks\":[{\"price\":1}]}" },
		{ DD_STREAM_DEPTH, "{\"bids\":[],\"asks\":[{\"price\":1e300,\"quantity\":1}]}" },
		{ DD_STREAM_PRICE, "{}" },
		{ DD_STREAM_PRICE, "{\"price\":-1}" },
		{ DD_STREAM_PRICE, "{\"price\":null}" },
		{ DD_STREAM_TRADES, "{}" },
		{ DD_STREAM_TRADES, "[1]" },
		{ DD_STREAM_TRADES, "{\"data\":\"none\"}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_message message;
		struct err err;

		if (try_read(cases[i].kind, cases[i].text, &message, &err))
			print_message("%s\n", cases[i].text);
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_message_fini(&message);
	}
}

static void an_error_in_place_of_a_message_is_known_by_its_integer(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
		int exchange_code;
	} cases[] = {
		{ "{\"error\":\"Unauthorized access\",\"code\":4010}", ERR_EXCHANGE_AUTH, 4010 },
		{ "{\"code\":4010,\"message\":\"no\"}", ERR_EXCHANGE_AUTH, 4010 },
		{ "{\"error\":\"4010\"}", ERR_EXCHANGE, 0 },
		{ "{\"error\":\"Internal Server Error\",\"code\":5000}", ERR_EXCHANGE, 5000 },
	};

	(void)unused;
	for (int kind = 0; kind < DD_STREAM_KINDS; kind++)
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct wire_message message;
			struct err err;

			assert_false(
				try_read((enum dd_stream_kind)kind, cases[i].text, &message, &err));
			assert_int_equal(err.code, cases[i].code);
			assert_int_equal(err.exchange_code, cases[i].exchange_code);
			wire_message_fini(&message);
		}
}

static void a_message_too_long_or_too_deep_is_refused_unread(void **unused)
{
	static const struct {
		const char *part;
		size_t times;
	} cases[] = {
		{ " ", WIRE_MESSAGE_MAX + 1 },
		{ "[", 1000 },
		{ "[],", 400000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = repeat(cases[i].part, cases[i].times);
		struct wire_message message;
		struct err err;

		assert_false(try_read(DD_STREAM_TRADES, text, &message, &err));
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_message_fini(&message);
		mem_free(text);
	}
}

/* ---- what the log may show ---- */

static void only_names_that_are_words_are_kept_for_the_log(void **unused)
{
	static const struct {
		enum dd_stream_kind kind;
		const char *text, *sub_type, *keys;
	} cases[] = {
		{ DD_STREAM_ACCOUNT, "{\"type\":\"Account\",\"sub_type\":\"x_1\",\"data\":1}",
		  "x_1", "type,sub_type,data" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"31337.5\",\"31337.5\":0,\"a b\":0}", "?",
		  "sub_type,?,?" },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":4711,\"0123456789abcdef\":0}", "?",
		  "sub_type,?" },
		{ DD_STREAM_ACCOUNT,
		  "{\"sub_type\":\"abcdefabcdefabcdefabcdefabcdefab\",\"n\":{\"inner\":1}}", "?",
		  "sub_type,n" },
		{ DD_STREAM_TRADES, "[" TRADE("1766000000", "sell", "1", "2") "]", "",
		  "timestamp,symbol,side,price,amount" },
		{ DD_STREAM_TRADES, "[]", "", "" },
		{ DD_STREAM_DEPTH, "ping", "", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_message message;

		read(cases[i].kind, cases[i].text, &message);
		assert_string_equal(message.sub_type, cases[i].sub_type);
		assert_string_equal(message.keys, cases[i].keys);
		wire_message_fini(&message);
	}
}

static void a_refused_message_still_names_its_members(void **unused)
{
	struct wire_message message;
	struct err err;

	(void)unused;
	assert_false(try_read(DD_STREAM_ACCOUNT,
			      "{\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"ada\","
			      "\"free\":\"31337.x\"}]}",
			      &message, &err));
	assert_string_equal(message.sub_type, "balance");
	assert_string_equal(message.keys, "sub_type,balance");
	assert_null(strstr(err.text, "31337"));
	assert_null(strstr(err.text, "ada"));
	wire_message_fini(&message);
}

static void many_names_are_cut_and_the_cut_is_told(void **unused)
{
	struct wire_message message;
	struct buf text;

	(void)unused;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "%c\"name_of_member_%d\":1", i == 0 ? '{' : ',', i);
	buf_add_str(&text, ",\"price\":1}");
	read(DD_STREAM_PRICE, buf_str(&text), &message);
	assert_true(strlen(message.keys) > sizeof(message.keys) / 2);
	assert_string_equal(strrchr(message.keys, ','), ",...");
	wire_message_fini(&message);
	buf_fini(&text);
}

/* ---- depth ---- */

static void a_book_is_read_from_objects_and_pairs_and_put_in_order(void **unused)
{
	static const char *const bids[] = { "0.2", "1", "0.195", "30", "0.19", "2.50", NULL };
	static const char *const asks[] = { "0.3495", "50.65", "1", "4", NULL };
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_DEPTH,
	     "{\"timestamp\":1755747950587,\"bids\":[{\"price\":0.195,\"quantity\":30},"
	     "[\"0.2\",\"1\"],[0.18,0],{\"quantity\":\"2.50\",\"price\":0.19}],"
	     "\"asks\":[[1,4],{\"price\":0.5,\"quantity\":\"0.00\"},"
	     "{\"price\":0.3495,\"quantity\":50.65}]}",
	     &message);
	assert_levels(message.depth.bids, message.depth.bid_count, bids);
	assert_levels(message.depth.asks, message.depth.ask_count, asks);
	assert_time(message.depth.at, "2025-08-21T03:45:50.587000Z");
	wire_message_fini(&message);
}

static void the_time_of_a_book_may_be_in_seconds_or_absent(void **unused)
{
	static const struct {
		const char *text;
		int64_t at_us;
	} cases[] = {
		{ "{\"timestamp\":1755747950,\"bids\":[]}", 1755747950000000 },
		{ "{\"timestamp\":\"1755747950587\",\"bids\":[]}", 1755747950587000 },
		{ "{\"timestamp\":\"2025-08-21T03:45:50Z\",\"bids\":[]}", 1755747950000000 },
		{ "{\"timestamp\":null,\"bids\":[]}", 0 },
		{ "{\"asks\":[]}", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_message message;

		read(DD_STREAM_DEPTH, cases[i].text, &message);
		assert_int_equal(message.depth.at.us, cases[i].at_us);
		assert_int_equal(message.depth.bid_count + message.depth.ask_count, 0);
		wire_message_fini(&message);
	}
}

static char *bids_of(size_t count)
{
	struct buf text;

	buf_init(&text, 1 << 24);
	buf_add_str(&text, "{\"bids\":[");
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s[%zu,1]", i > 0 ? "," : "", i + 1);
	buf_add_str(&text, "]}");
	return buf_take(&text);
}

static void of_a_deep_book_the_best_levels_are_kept(void **unused)
{
	char *text = bids_of(WIRE_LEVELS_MAX + 1000);
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_DEPTH, text, &message);
	assert_int_equal(message.depth.bid_count, WIRE_LEVELS_MAX);
	assert_decimal(message.depth.bids[0].price, "6000");
	assert_decimal(message.depth.bids[WIRE_LEVELS_MAX - 1].price, "1001");
	wire_message_fini(&message);
	mem_free(text);
}

static void a_book_without_bottom_is_refused(void **unused)
{
	char *text = bids_of(50000);
	struct wire_message message;
	struct err err;

	(void)unused;
	assert_false(try_read(DD_STREAM_DEPTH, text, &message, &err));
	wire_message_fini(&message);
	mem_free(text);
}

/* ---- trades ---- */

static void trades_come_newest_first_and_are_handed_on_oldest_first(void **unused)
{
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_TRADES,
	     "[" TRADE("\"2025-08-21T03:43:00.204624Z\"", "sell", "0.7803", "4.6") "," TRADE(
		     "\"2025-08-21T03:42:59.9Z\"", "BUY", "\"0.78\"", "\"10.50\"") "]",
	     &message);
	assert_int_equal(message.trade_count, 2);
	assert_int_equal(message.skipped, 0);
	assert_time(message.trades[0].at, "2025-08-21T03:42:59.900000Z");
	assert_int_equal(message.trades[0].side, DD_BUY);
	assert_decimal(message.trades[0].price, "0.78");
	assert_decimal(message.trades[0].base_qty, "10.50");
	assert_time(message.trades[1].at, "2025-08-21T03:43:00.204624Z");
	assert_string_equal(message.trades[1].symbol, "ADAUSDM");
	assert_int_equal(message.trades[1].side, DD_SELL);
	assert_decimal(message.trades[1].price, "0.7803");
	assert_decimal(message.trades[1].base_qty, "4.6");
	wire_message_fini(&message);
}

/* One order that takes several others makes trades of one moment. */
static void trades_of_one_moment_keep_the_order_they_came_in(void **unused)
{
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_TRADES,
	     "[" TRADE("1766000001", "buy", "4", "1") "," TRADE(
		     "1766000001", "buy", "3",
		     "1") "," TRADE("1766000002", "buy", "5",
				    "1") "," TRADE("1766000001", "buy", "2",
						   "1") "," TRADE("1766000000000", "buy", "1",
								  "1") "]",
	     &message);
	assert_int_equal(message.trade_count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(message.trades[i].price.units, i + 1);
	wire_message_fini(&message);
}

static void one_bad_trade_costs_only_itself(void **unused)
{
	static const char *const bad[] = {
		"7",
		"null",
		"{}",
		TRADE("null", "buy", "1", "1"),
		TRADE("1766000000", "bought", "1", "1"),
		TRADE("1766000000", "buy", "0", "1"),
		TRADE("1766000000", "buy", "1", "0"),
		TRADE("1766000000", "buy", "1", "-1"),
		TRADE("1766000000", "buy", "[]", "1"),
		"{\"timestamp\":1766000000,\"symbol\":\"NIGHTUSDM\",\"side\":\"buy\",\"price\":1,"
		"\"amount\":1}",
		"{\"timestamp\":1766000000,\"symbol\":1,\"side\":\"buy\",\"price\":1,\"amount\":1}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct wire_message message;
		char text[512];

		snprintf(text, sizeof(text), "[%s,%s,%s]", TRADE("1766000002", "buy", "2", "1"),
			 bad[i], TRADE("1766000001", "buy", "1", "1"));
		read(DD_STREAM_TRADES, text, &message);
		assert_int_equal(message.trade_count, 2);
		assert_int_equal(message.skipped, 1);
		assert_decimal(message.trades[0].price, "1");
		assert_decimal(message.trades[1].price, "2");
		wire_message_fini(&message);
	}
}

static void a_trade_without_a_symbol_is_of_the_streams(void **unused)
{
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_TRADES,
	     "{\"timestamp\":1766000000,\"side\":\"buy\",\"price\":1,\"amount\":1}", &message);
	assert_int_equal(message.trade_count, 1);
	assert_string_equal(message.trades[0].symbol, "ADAUSDM");
	wire_message_fini(&message);
}

/* ---- the account's ---- */

static void an_orders_numbers_keep_their_digits(void **unused)
{
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_ACCOUNT,
	     "{\"type\":\"Account\",\"sub_type\":\"order_info\",\"order\":" ORDER "}", &message);
	assert_string_equal(message.order->id, ORDER_ID);
	assert_int_equal(message.order->status, DD_STATUS_OPEN);
	assert_number(message.order->price, "0.25470");
	assert_number(message.order->base_qty, "100.00");
	assert_number(message.order->executed_base_qty, "40.5");
	wire_message_fini(&message);
}

static void balances_come_as_numbers_and_as_text(void **unused)
{
	struct wire_message message;

	(void)unused;
	read(DD_STREAM_ACCOUNT,
	     "{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"usdm\","
	     "\"asset_unit\":\"5066.5458\",\"free\":1153.006812,\"locked\":0},"
	     "{\"asset\":\"ada\",\"asset_unit\":\"\",\"free\":\"1383.520970\"}]}",
	     &message);
	assert_int_equal(message.balance_count, 2);
	assert_string_equal(message.balances[0].unit, "50665458");
	assert_decimal(message.balances[0].free, "1153.006812");
	assert_decimal(message.balances[1].free, "1383.520970");
	assert_decimal(message.balances[1].locked, "0");
	wire_message_fini(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_is_known_by_stream_type_and_sub_type),
		cmocka_unit_test(what_cannot_be_read_is_refused),
		cmocka_unit_test(an_error_in_place_of_a_message_is_known_by_its_integer),
		cmocka_unit_test(a_message_too_long_or_too_deep_is_refused_unread),
		cmocka_unit_test(only_names_that_are_words_are_kept_for_the_log),
		cmocka_unit_test(a_refused_message_still_names_its_members),
		cmocka_unit_test(many_names_are_cut_and_the_cut_is_told),
		cmocka_unit_test(a_book_is_read_from_objects_and_pairs_and_put_in_order),
		cmocka_unit_test(the_time_of_a_book_may_be_in_seconds_or_absent),
		cmocka_unit_test(of_a_deep_book_the_best_levels_are_kept),
		cmocka_unit_test(a_book_without_bottom_is_refused),
		cmocka_unit_test(trades_come_newest_first_and_are_handed_on_oldest_first),
		cmocka_unit_test(trades_of_one_moment_keep_the_order_they_came_in),
		cmocka_unit_test(one_bad_trade_costs_only_itself),
		cmocka_unit_test(a_trade_without_a_symbol_is_of_the_streams),
		cmocka_unit_test(an_orders_numbers_keep_their_digits),
		cmocka_unit_test(balances_come_as_numbers_and_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
