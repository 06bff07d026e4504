#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/reader_test.h"

#define MARKET                                                                              \
	"{\"symbol\":\"ADAUSDM\",\"base_token\":{\"symbol\":\"ADA\",\"unit\":\"lovelace\"," \
	"\"decimals\":6,\"max_qty_dp\":2},\"quote_token\":{\"symbol\":\"USDM\",\"unit\":"   \
	"\"c48c.0014df\",\"decimals\":\"6\",\"max_qty_dp\":2.0},\"price_max_dp\":4}"

static void markets_read_with_units_without_dots(void **unused)
{
	struct wire_doc *doc = parse("{\"assets\":[{\"symbol\":\"ADA\"}],\"trading_pairs\":["
				     "{\"symbol\":\"odd pair\"}," MARKET ",{\"symbol\":\"X\"}]}");
	struct dd_market *markets;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_markets_read(doc, &markets, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(markets[0].symbol, "ADAUSDM");
	assert_string_equal(markets[0].base.symbol, "ADA");
	assert_int_equal(markets[0].base.decimals, 6);
	assert_int_equal(markets[0].base.max_qty_dp, 2);
	assert_string_equal(markets[0].quote.unit, "c48c0014df");
	assert_int_equal(markets[0].quote.decimals, 6);
	assert_int_equal(markets[0].quote.max_qty_dp, 2);
	assert_int_equal(markets[0].price_max_dp, 4);
	wire_markets_free(markets);
	wire_free(doc);
}

static void a_market_config_without_one_readable_pair_is_refused(void **unused)
{
	static const char *const bodies[] = {
		"{\"trading_pairs\":[{\"symbol\":\"ADAUSDM\"}]}",
		"{\"trading_pairs\":[{\"symbol\":\"A\"},{\"symbol\":\"B\"}]}",
		"{\"trading_pairs\":{}}",
		"{}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_market *markets;
		size_t count;
		struct err err;

		assert_false(wire_markets_read(doc, &markets, &count, &err));
		wire_free(doc);
	}
}

static void candles_and_prices_lose_only_the_noise_of_binary_fractions(void **unused)
{
	struct wire_doc *doc =
		parse("[{\"t\":1766000000,\"s\":\"ADAUSDM\",\"o\":0.75,\"h\":0.8,\"l\":0.7,"
		      "\"c\":0.30000000000000004,\"v\":123456.78900000002},"
		      "{\"time\":1766000300,\"open\":1,\"high\":\"2\",\"low\":1,\"close\":2,"
		      "\"volume\":0}]");
	struct dd_candle *candles;
	struct decimal price;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_candles_read(doc, &candles, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(candles[0].time_s, 1766000000);
	assert_decimal(candles[0].close, "0.3");
	assert_decimal(candles[0].volume, "123456.789");
	assert_int_equal(candles[1].time_s, 1766000300);
	assert_decimal(candles[1].high, "2");
	wire_candles_free(candles);
	wire_free(doc);
	doc = parse("{\"price\":0.75}");
	assert_true(wire_price_read(doc, &price, &err));
	assert_decimal(price, "0.75");
	wire_free(doc);
	doc = parse("{\"price\":null}");
	assert_false(wire_price_read(doc, &price, &err));
	wire_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markets_read_with_units_without_dots),
		cmocka_unit_test(a_market_config_without_one_readable_pair_is_refused),
		cmocka_unit_test(candles_and_prices_lose_only_the_noise_of_binary_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
