#include "server/hub_rig.h"

#include "base/map.h"

#define BASE (stage->hub->first_seq)

/* The message as it should be: each # is a number, counted from the channel's first. */
static void assert_reads_from(struct reader *reader, uint64_t base, const char *format,
			      uint64_t first, uint64_t second)
{
	const uint64_t numbers[] = { base + first, base + second };
	char expected[1024];
	size_t len = 0, used = 0;

	for (; *format != '\0'; format++) {
		if (*format != '#')
			expected[len++] = *format;
		else
			len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%llu",
						(unsigned long long)numbers[used++]);
	}
	expected[len] = '\0';
	assert_reads(reader, expected);
}

static struct reader *reader_of(struct stage *stage, const char *channel)
{
	struct reader *reader = reader_join(stage);

	reader_follow(reader, channel);
	return reader;
}

static void tell_price(struct stage *stage, const char *price)
{
	hub_price(stage->hub, "ADAUSDM", rig_dec(price), (struct wall){ 0 });
}

static void tell_prices(struct stage *stage, int count)
{
	for (int i = 0; i < count; i++)
		tell_price(stage, "0.1");
}

static void tell_trade(struct stage *stage, const char *price)
{
	struct dd_trade trade = { .at = { RIG_NOW },
				  .symbol = "ADAUSDM",
				  .side = DD_SELL,
				  .price = rig_dec(price),
				  .base_qty = rig_dec("7") };

	hub_trade(stage->hub, &trade);
}

static void tell_trades(struct stage *stage, int count)
{
	for (int i = 0; i < count; i++)
		tell_trade(stage, "0.1");
}

/* Something of the reader's own that fills its queue. */
static void stuff(struct reader *reader)
{
	static char text[STAGE_QUEUE_MAX];

	memset(text, ' ', sizeof(text));
	hub_peer_send(reader->peer, text, sizeof(text));
}

#define MARKET_SUBSCRIBED(ch, live)                        \
	"{'op':'subscribed','id':1,'ch':'" ch "','seq':#," \
	"'recovered':false,'live':" live "}"
#define RECOVERED(ch)                                      \
	"{'op':'subscribed','id':2,'ch':'" ch "','seq':#," \
	"'recovered':true,'live':false}"
#define MARKET_SNAPSHOT(ch, data) \
	"{'op':'snapshot','id':1,'ch':'" ch "','seq':#,'ts':'T','data':" data "}"
#define PRICE(skipped, price)                                                                  \
	"{'op':'event','ch':'price:ADAUSDM','seq':#,'prev':#,'ts':'T','type':'price.updated'," \
	"'skipped':" skipped ",'data':" PRICE_DATA(price) "}"
#define PRICE_DATA(price) "{'symbol':'ADAUSDM','price':'" price "','exchange_time':null}"
#define TRADE(price)                                                                            \
	"{'op':'event','ch':'trades:ADAUSDM','seq':#,'prev':#,'ts':'T','type':'trade.created'," \
	"'data':" TRADE_DATA(price) "}"
#define TRADE_DATA(price)                                                       \
	"{'symbol':'ADAUSDM','side':'sell','price':'" price "','base_qty':'7'," \
	"'executed_at':'2026-11-22T11:02:05.123456Z'}"
#define GAP(reason) \
	"{'op':'gap','ch':'trades:ADAUSDM','seq':#,'prev':#,'ts':'T','reason':'" reason "'}"

/* ---- all channels -------------------------------------------------------------------------- */

static void a_channel_that_has_nothing_yet_says_so_at_once(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_of(stage, "depth:ADAUSDM");
	reader_follow(reader, "price:ADAUSDM");
	reader_follow(reader, "trades:ADAUSDM");
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("depth:ADAUSDM", "false"), 0, 0);
	assert_reads_from(reader, BASE, MARKET_SNAPSHOT("depth:ADAUSDM", "null"), 0, 0);
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("price:ADAUSDM", "false"), 0, 0);
	assert_reads_from(reader, BASE, MARKET_SNAPSHOT("price:ADAUSDM", "null"), 0, 0);
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("trades:ADAUSDM", "false"), 0, 0);
	assert_reads_from(reader, BASE, MARKET_SNAPSHOT("trades:ADAUSDM", "[]"), 0, 0);
}

static void a_market_is_wanted_from_its_first_reader_to_its_last(void **state)
{
	struct stage *stage = *state;
	struct reader *a, *b;

	stage_open(stage);
	a = reader_of(stage, "depth:ADAUSDM");
	b = reader_of(stage, "depth:ADAUSDM");
	reader_follow(b, "trades:IAGUSDM");
	reader_quit(a, "depth:ADAUSDM");
	assert_string_equal(stage->wants, "+depth:ADAUSDM +trades:IAGUSDM ");
	reader_leave(b);
	assert_string_equal(stage->wants,
			    "+depth:ADAUSDM +trades:IAGUSDM -depth:ADAUSDM -trades:IAGUSDM ");
	stage->wants[0] = '\0';
	reader_follow(a, "price:ADAUSDM");
	hub_close_all(stage->hub, 1001, "restart");
	reader_leave(a);
	assert_string_equal(stage->wants, "+price:ADAUSDM -price:ADAUSDM ");
}

static void readers_are_told_when_a_channel_goes_and_comes(void **state)
{
	struct stage *stage = *state;
	struct reader *reader, *full;

	stage_open(stage);
	hub_set_live(stage->hub, DD_STREAM_PRICE, "ADAUSDM", true);
	reader = reader_of(stage, "price:ADAUSDM");
	full = reader_of(stage, "price:ADAUSDM");
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("price:ADAUSDM", "true"), 0, 0);
	reader_skip(reader, 1);
	stuff(full);
	hub_set_live(stage->hub, DD_STREAM_PRICE, "ADAUSDM", true);
	assert_nothing(reader);
	hub_set_live(stage->hub, DD_STREAM_PRICE, "ADAUSDM", false);
	assert_reads(reader, "{'op':'status','ch':'price:ADAUSDM','live':false,'ts':'T'}");
	tell_price(stage, "0.25");
	reader_skip(full, 3);
	assert_reads(full, "{'op':'status','ch':'price:ADAUSDM','live':false,'ts':'T'}");
	assert_reads_from(full, BASE, PRICE("0", "0.25"), 1, 0);
	assert_reads_from(reader, BASE, PRICE("0", "0.25"), 1, 0);
	assert_nothing(full);
}

static void numbers_go_on_when_readers_come_and_go(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_of(stage, "price:ADAUSDM");
	tell_prices(stage, 3);
	reader_leave(reader);
	tell_price(stage, "0.5");
	reader = reader_of(stage, "price:ADAUSDM");
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("price:ADAUSDM", "false"), 4, 0);
	assert_reads_from(reader, BASE, MARKET_SNAPSHOT("price:ADAUSDM", PRICE_DATA("0.5")), 4, 0);
	tell_price(stage, "0.6");
	assert_reads_from(reader, BASE, PRICE("0", "0.6"), 5, 4);
}

/* ---- conflated ----------------------------------------------------------------------------- */

static void a_book_is_told_best_first_in_strings(void **state)
{
	const struct dd_level bids[] = { { rig_dec("0.25"), rig_dec("10") },
					 { rig_dec("0.24"), rig_dec("5.50") } };
	const struct dd_depth depth = { .at = { RIG_NOW }, .bids = bids, .bid_count = 2 };
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_of(stage, "depth:ADAUSDM");
	reader_skip(reader, 2);
	hub_depth(stage->hub, "ADAUSDM", &depth);
	assert_reads_from(reader, BASE,
			  "{'op':'event','ch':'depth:ADAUSDM','seq':#,'prev':#,'ts':'T',"
			  "'type':'depth.updated','skipped':0,'data':{'symbol':'ADAUSDM',"
			  "'exchange_time':'2026-11-22T11:02:05.123456Z',"
			  "'bids':[['0.25','10'],['0.24','5.50']],'asks':[]}}",
			  1, 0);
}

static void a_burst_that_fits_leaves_as_it_came_and_the_rest_is_merged(void **state)
{
	struct stage *stage = *state;
	struct reader *slow, *fast;
	uint64_t seq = 0;
	size_t got = 0;
	struct hub_status status;

	stage_open(stage);
	slow = reader_of(stage, "price:ADAUSDM");
	fast = reader_of(stage, "price:ADAUSDM");
	reader_skip(fast, 2);
	for (int i = 1; i <= 100; i++) {
		tell_prices(stage, 1);
		assert_reads_from(fast, BASE, PRICE("0", "0.1"), (uint64_t)i, (uint64_t)i - 1);
	}
	assert_true(slow->bytes_most <= STAGE_QUEUE_MAX);
	tell_price(stage, "0.2");
	reader_skip(slow, 2);
	for (seq = BASE; reader_read(slow); got++) {
		assert_int_equal(number_of(slow->text, "prev"), seq);
		seq = number_of(slow->text, "seq");
		assert_int_equal(number_of(slow->text, "skipped"),
				 seq - number_of(slow->text, "prev") - 1);
	}
	assert_int_equal(seq, BASE + 101);
	assert_true(got > 5 && got < 50);
	assert_non_null(strstr(slow->text, "\"price\":\"0.2\""));
	hub_status(stage->hub, &status);
	assert_int_equal(status.skipped, 101 - got);
	tell_price(stage, "0.3");
	assert_reads_from(slow, BASE, PRICE("0", "0.3"), 102, 101);
}

static void merged_messages_are_counted_for_each_reader(void **state)
{
	struct stage *stage = *state;
	struct reader *a, *b;

	stage_open(stage);
	a = reader_of(stage, "price:ADAUSDM");
	b = reader_of(stage, "price:ADAUSDM");
	stuff(a);
	tell_prices(stage, 2);
	stuff(b);
	tell_prices(stage, 3);
	reader_skip(a, 3);
	assert_reads_from(a, BASE, PRICE("4", "0.1"), 5, 0);
	reader_skip(b, 2);
	assert_reads_from(b, BASE, PRICE("0", "0.1"), 1, 0);
	assert_reads_from(b, BASE, PRICE("0", "0.1"), 2, 1);
	reader_skip(b, 1);
	assert_reads_from(b, BASE, PRICE("2", "0.1"), 5, 2);
	assert_nothing(a);
	assert_nothing(b);
}

static void a_price_resumes_with_the_latest_if_there_is_a_later_one(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	tell_prices(stage, 5);
	reader = reader_join(stage);
	reader_resume(reader, "price:ADAUSDM", BASE + 2);
	assert_reads_from(reader, BASE, RECOVERED("price:ADAUSDM"), 5, 0);
	assert_reads_from(reader, BASE, PRICE("2", "0.1"), 5, 2);
	reader_quit(reader, "price:ADAUSDM");
	reader_resume(reader, "price:ADAUSDM", BASE + 5);
	reader_skip(reader, 1);
	assert_reads_from(reader, BASE, RECOVERED("price:ADAUSDM"), 5, 0);
	assert_nothing(reader);
	reader_quit(reader, "price:ADAUSDM");
	reader_resume(reader, "price:ADAUSDM", BASE - 1); /* an earlier daemon's */
	reader_skip(reader, 1);
	reader_skip(reader, 1);
	assert_true(is_op(reader->text, "subscribed"));
	assert_non_null(strstr(reader->text, "\"recovered\":false"));
	reader_skip(reader, 1);
	assert_true(is_op(reader->text, "snapshot"));
}

/* ---- trades -------------------------------------------------------------------------------- */

static void trades_are_told_each_and_a_snapshot_has_the_last_ones(void **state)
{
	struct stage *stage = *state;
	struct reader *early, *late;

	stage_open(stage); /* five are kept */
	early = reader_of(stage, "trades:ADAUSDM");
	reader_skip(early, 2);
	tell_trades(stage, 5);
	hub_trades_gap(stage->hub, "ADAUSDM");
	hub_trades_gap(stage->hub, "ADAUSDM"); /* it goes on */
	tell_trade(stage, "0.2");
	for (uint64_t i = 1; i <= 5; i++)
		assert_reads_from(early, BASE, TRADE("0.1"), i, i - 1);
	assert_reads_from(early, BASE, GAP("upstream"), 6, 5);
	assert_reads_from(early, BASE, TRADE("0.2"), 7, 6);
	tell_trades(stage, 1);
	late = reader_of(stage, "trades:ADAUSDM");
	assert_reads_from(late, BASE, MARKET_SUBSCRIBED("trades:ADAUSDM", "false"), 8, 0);
	assert_reads_from(
		late, BASE,
		MARKET_SNAPSHOT("trades:ADAUSDM",
				"[" TRADE_DATA("0.1") "," TRADE_DATA("0.1") "," TRADE_DATA(
					"0.2") "," TRADE_DATA("0.1") "]"),
		8, 0);
}

static void a_gap_that_nobody_was_told_the_start_of_is_none(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	hub_trades_gap(stage->hub, "ADAUSDM");
	reader = reader_of(stage, "trades:ADAUSDM");
	assert_reads_from(reader, BASE, MARKET_SUBSCRIBED("trades:ADAUSDM", "false"), 0, 0);
	reader_skip(reader, 1);
	hub_trades_gap(stage->hub, "ADAUSDM");
	assert_reads_from(reader, BASE, GAP("upstream"), 1, 0);
}

static void trades_that_are_kept_no_longer_are_announced_as_a_gap(void **state)
{
	struct stage *stage = *state;
	struct reader *slow, *resumed;

	stage_open(stage);
	slow = reader_of(stage, "trades:ADAUSDM");
	stuff(slow);
	tell_trades(stage, 8);
	reader_skip(slow, 3);
	assert_reads_from(slow, BASE, GAP("history"), 3, 0);
	for (uint64_t i = 4; i <= 8; i++)
		assert_reads_from(slow, BASE, TRADE("0.1"), i, i - 1);
	assert_nothing(slow);
	resumed = reader_join(stage);
	reader_resume(resumed, "trades:ADAUSDM", BASE + 6);
	assert_reads_from(resumed, BASE, RECOVERED("trades:ADAUSDM"), 8, 0);
	assert_reads_from(resumed, BASE, TRADE("0.1"), 7, 6);
	assert_reads_from(resumed, BASE, TRADE("0.1"), 8, 7);
	reader_quit(resumed, "trades:ADAUSDM");
	reader_resume(resumed, "trades:ADAUSDM", BASE - 7); /* an earlier daemon's */
	reader_skip(resumed, 1);
	assert_reads_from(resumed, BASE, RECOVERED("trades:ADAUSDM"), 8, 0);
	assert_reads_from(resumed, BASE, GAP("history"), 3, (uint64_t)-7);
	assert_reads_from(resumed, BASE, TRADE("0.1"), 4, 3);
	reader_skip(resumed, 4);
	tell_trade(stage, "0.3");
	assert_reads_from(resumed, BASE, TRADE("0.3"), 9, 8);
	assert_reads_from(slow, BASE, TRADE("0.3"), 9, 8);
}

static void a_resumption_before_the_first_trade_of_this_daemon_begins_with_a_gap(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_join(stage);
	reader_resume(reader, "trades:ADAUSDM", 5);
	assert_reads_from(reader, BASE, RECOVERED("trades:ADAUSDM"), 0, 0);
	assert_reads_from(reader, BASE, GAP("history"), 0, 5 - BASE);
	tell_trade(stage, "0.1");
	assert_reads_from(reader, BASE, TRADE("0.1"), 1, 0);
}

/* ---- any order of things ------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#define CROWD 12

struct chain {
	struct reader *reader;
	uint64_t trades, price; /* the last numbers read */
};

static void read_one(struct chain *chain)
{
	char channel[HUB_CHANNEL_LEN];
	uint64_t *last;

	if (!reader_read(chain->reader) || !strstr(chain->reader->text, "\"seq\":"))
		return;
	channel_of(chain->reader->text, channel);
	last = strncmp(channel, "trades", 6) == 0 ? &chain->trades : &chain->price;
	if (is_op(chain->reader->text, "subscribed"))
		return;
	if (!is_op(chain->reader->text, "snapshot"))
		assert_int_equal(number_of(chain->reader->text, "prev"), *last);
	*last = number_of(chain->reader->text, "seq");
}

static void happen(struct stage *stage, uint64_t random)
{
	switch (random % 8) {
	case 0:
		hub_set_live(stage->hub, DD_STREAM_TRADES, "ADAUSDM", random & 64);
		break;
	case 1:
		hub_trades_gap(stage->hub, "ADAUSDM");
		break;
	case 2:
	case 3:
	case 4:
		tell_trades(stage, (int)(random >> 8) & 7);
		break;
	default:
		tell_prices(stage, (int)(random >> 8) & 7);
	}
}

static uint64_t newest(const struct stage *stage, const char *channel)
{
	const struct hub_market *market = map_get(stage->hub->markets, channel);

	return market->seq;
}

static void no_chain_breaks_however_fast_or_slow_one_reads(void **state)
{
	struct stage *stage = *state;
	struct chain chains[CROWD] = { { NULL } };
	uint64_t seed = 42;

	stage_open(stage);
	for (size_t i = 0; i < CROWD; i++) {
		chains[i].reader = reader_of(stage, "trades:ADAUSDM");
		reader_follow(chains[i].reader, "price:ADAUSDM");
	}
	for (int step = 0; step < 5000; step++) {
		uint64_t random = next_random(&seed);
		size_t who = (random >> 32) % CROWD;

		happen(stage, random);
		for (size_t i = 0; i < who; i++) /* the later ones read less */
			read_one(&chains[i]);
		if (step % 200 == 0)
			stuff(chains[who].reader);
	}
	for (size_t i = 0; i < CROWD; i++) {
		while (chains[i].reader->count > 0)
			read_one(&chains[i]);
		assert_int_equal(chains[i].trades, newest(stage, "trades:ADAUSDM"));
		assert_int_equal(chains[i].price, newest(stage, "price:ADAUSDM"));
		assert_true(chains[i].reader->bytes_most <= 3 * STAGE_QUEUE_MAX); /* stuffed */
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		T(a_channel_that_has_nothing_yet_says_so_at_once),
		T(a_market_is_wanted_from_its_first_reader_to_its_last),
		T(readers_are_told_when_a_channel_goes_and_comes),
		T(numbers_go_on_when_readers_come_and_go),
		T(a_book_is_told_best_first_in_strings),
		T(a_burst_that_fits_leaves_as_it_came_and_the_rest_is_merged),
		T(merged_messages_are_counted_for_each_reader),
		T(a_price_resumes_with_the_latest_if_there_is_a_later_one),
		T(trades_are_told_each_and_a_snapshot_has_the_last_ones),
		T(a_gap_that_nobody_was_told_the_start_of_is_none),
		T(trades_that_are_kept_no_longer_are_announced_as_a_gap),
		T(a_resumption_before_the_first_trade_of_this_daemon_begins_with_a_gap),
		T(no_chain_breaks_however_fast_or_slow_one_reads),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
