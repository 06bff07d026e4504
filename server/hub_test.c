#include "server/hub_rig.h"

#define EVENT(ch, seq, prev, data)                                 \
	"{'op':'event','ch':'" ch "','seq':" #seq ",'prev':" #prev \
	",'ts':'T','type':'test.happened','data':" data "}"
#define SUBSCRIBED(id, ch, seq, recovered) \
	"{'op':'subscribed','id':" #id ",'ch':'" ch "','seq':" #seq ",'recovered':" #recovered "}"
#define SNAPSHOT(ch, seq, data) \
	"{'op':'snapshot','id':1,'ch':'" ch "','seq':" #seq ",'ts':'T','data':" data "}"

/* ---- beginning ---------------------------------------------------------------------------- */

static void who_has_no_position_gets_a_snapshot_and_what_follows_it(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{\"n\":1}");
	reader = reader_join(stage);
	reader_follow(reader, "fills");
	stage_settle(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_b", "{\"n\":2}");
	stage_tell(stage, CHANNEL_ORDERS, "tok_b", "{\"n\":3}");
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{\"n\":4}");
	assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
	assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
	assert_reads(reader, EVENT("fills", 2, 1, "{'n':2}"));
	assert_reads(reader, EVENT("fills", 4, 2, "{'n':4}"));
	assert_nothing(reader);
}

static void what_is_told_while_the_first_answer_is_on_its_way_is_in_it_and_not_doubled(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_join(stage);
	stage_append(stage, CHANNEL_FILLS, "tok_a", "", "{\"n\":1}");
	reader_follow(reader, "fills");
	stage_append(stage, CHANNEL_FILLS, "tok_a", "", "{\"n\":2}");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
	assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
	assert_reads(reader, EVENT("fills", 2, 1, "{'n':2}"));
	assert_nothing(reader);
}

static void who_resumes_gets_what_was_missed_byte_for_byte_as_others_got_it(void **state)
{
	struct stage *stage = *state;
	struct reader *here, *away;
	char text[256];

	stage_open(stage);
	here = reader_join(stage);
	reader_follow(here, "orders");
	stage_settle(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 25); /* of pages of 10 */
	reader_skip(here, 2);
	away = reader_join(stage);
	reader_resume(away, "orders", 3);
	stage_settle(stage);
	assert_reads(away, SUBSCRIBED(2, "orders", 25, true));
	reader_skip(here, 3);
	for (int i = 3; i < 25; i++) {
		reader_skip(here, 1);
		STR_SET(text, here->text);
		reader_skip(away, 1);
		stage_settle(stage);
		assert_string_equal(away->text, text);
	}
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	assert_reads(away, EVENT("orders", 26, 25, "{}"));
}

static void who_missed_nothing_is_told_so_at_once(void **state)
{
	struct stage *stage = *state;
	struct reader *first, *second;

	stage_open(stage);
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	first = reader_join(stage);
	second = reader_join(stage);
	reader_resume(first, "orders", 1);
	stage_settle(stage);
	reader_resume(second, "orders", 1); /* the view is known by now */
	assert_reads(first, SUBSCRIBED(2, "orders", 1, true));
	assert_reads(second, SUBSCRIBED(2, "orders", 1, true));
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	assert_reads(first, EVENT("orders", 2, 1, "{}"));
	assert_reads(second, EVENT("orders", 2, 1, "{}"));
}

static void a_position_that_means_nothing_here_gets_a_snapshot(void **state)
{
	const struct {
		const char *epoch; /* NULL: this journal's */
		uint64_t seq;
		bool follow_first; /* the view is known already */
	} rows[] = { { "0123", 1, false }, { "", 1, false },       { NULL, 3, false },
		     { NULL, 3, true },    { NULL, ~0ull, false }, { NULL, ~0ull, true } };
	struct stage *stage = *state;

	stage_open(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hub_wish wish = { .id = 1, .channel = "fills", .has_after = true };
		struct reader *other = reader_join(stage), *reader = reader_join(stage);
		struct err err;

		if (rows[i].follow_first)
			reader_follow(other, "fills");
		stage_settle(stage);
		STR_SET(wish.epoch,
			rows[i].epoch ? rows[i].epoch : journal_epoch(stage->rig->journal));
		wish.seq = rows[i].seq;
		assert_true(reader_wish(reader, &wish, &err));
		stage_settle(stage);
		assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
		assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
		reader_leave(reader);
		reader_leave(other);
	}
}

static void a_position_older_than_what_is_kept_is_refused_with_4410(void **state)
{
	struct stage *stage = *state;
	struct reader *late, *fresh;

	stage->rig->events_kept = 5;
	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 5000);
	late = reader_join(stage);
	reader_resume(late, "orders", 1);
	fresh = reader_join(stage);
	reader_resume(fresh, "orders", 4999);
	stage_settle(stage);
	assert_non_null(reader_read(late));
	assert_true(is_op(late->text, "error"));
	assert_non_null(strstr(late->text, "\"id\":2,\"code\":\"invalid-parameter\""));
	assert_nothing(late);
	assert_int_equal(late->close_code, HUB_CLOSE_POSITION);
	assert_reads(fresh, SUBSCRIBED(2, "orders", 5000, true));
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static void put_order(struct stage *stage, const char *id, const char *token_id, const char *symbol,
		      enum order_state order_state)
{
	struct order order = rig_order(id);
	struct journal_write *write;

	STR_SET(order.terms.token_id, token_id);
	STR_SET(order.terms.symbol, symbol);
	order.facts.state = order_state;
	write = rig_order_write(&order, "ack");
	event_order(write, &order);
	rig_append(stage->rig, "order", JOURNAL_INTENT, write);
	stage_settle(stage);
}

/* "2 1 ": the ids in a snapshot of orders, or of fills. */
static const char *ids_in(const char *text, const char *member)
{
	static char ids[4096];
	char name[32];
	size_t len = 0;

	snprintf(name, sizeof(name), "\"%s\":\"", member);
	ids[0] = '\0';
	while ((text = strstr(text, name))) {
		text += strlen(name);
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%.*s ",
					(int)strcspn(text, "\""), text);
	}
	return ids;
}

static void a_snapshot_of_orders_has_those_that_are_not_final_and_in_view(void **state)
{
	const struct {
		uint32_t scopes;
		const char *symbols;
		const char *expected;
	} rows[] = {
		{ AUTH_READ, "", "ord_4 ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "", "ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "IAGUSDM", "ord_3 " },
		{ AUTH_READ, "ADAUSDM,IAGUSDM", "ord_4 ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "NIGHTUSDM,HOSKYUSDM", "" },
	};
	struct stage *stage = *state;

	stage_open(stage);
	put_order(stage, "1", "tok_a", "ADAUSDM", ORDER_OPEN);
	put_order(stage, "2", "tok_a", "ADAUSDM", ORDER_FILLED);
	put_order(stage, "3", "tok_a", "IAGUSDM", ORDER_UNKNOWN);
	put_order(stage, "4", "tok_b", "ADAUSDM", ORDER_OPEN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_token token = token_with("tok_a", rows[i].scopes);
		struct reader *reader;

		STR_SET(token.symbols, rows[i].symbols);
		reader = reader_of_token(stage, &token);
		reader_follow(reader, "orders");
		stage_settle(stage);
		reader_skip(reader, 2);
		assert_true(is_op(reader->text, "snapshot"));
		assert_string_equal(ids_in(reader->text, "order_id"), rows[i].expected);
	}
}

static void a_snapshot_of_fills_has_the_last_hundred_oldest_first(void **state)
{
	struct order order = rig_order("1");
	struct stage *stage = *state;
	struct reader *reader;
	char expected[4096];
	size_t len = 0;

	stage_open(stage);
	rig_put_order(stage->rig, &order);
	for (int i = 0; i < 120; i++) {
		struct journal_write *write = journal_write_create();
		struct fill fill;
		char id[16];

		snprintf(id, sizeof(id), "e%d", i);
		fill = rig_fill(&order, id);
		journal_write_fill(write, &fill);
		event_fill(write, &fill);
		rig_append(stage->rig, "fill", JOURNAL_FACT, write);
		if (i >= 20)
			len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s ", id);
	}
	reader = reader_join(stage);
	reader_follow(reader, "fills");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "fills", 120, false));
	reader_skip(reader, 1);
	assert_string_equal(ids_in(reader->text, "execution_id"), expected);
}

static void snapshots_of_balances_and_system_say_what_is(void **state)
{
	const struct journal_balance balance = {
		.asset = "ADA", .unit = "lovelace", .free = rig_dec("10.50"), .locked = rig_dec("0")
	};
	struct journal_write *write = journal_write_create();
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	journal_write_balances(write, &balance, 1, (struct wall){ RIG_NOW });
	event_balance(write, &balance, (struct wall){ RIG_NOW });
	rig_append(stage->rig, "balance", JOURNAL_FACT, write);
	reader = reader_join(stage);
	reader_follow(reader, "balances");
	stage_settle(stage);
	reader_follow(reader, "system");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "balances", 1, false));
	assert_reads(reader, SNAPSHOT("balances", 1,
				      "[{'asset':'ADA','unit':'lovelace','free':'10.50',"
				      "'locked':'0','as_of':'2026-11-22T11:02:05.123456Z'}]"));
	assert_reads(reader, SUBSCRIBED(1, "system", 0, false));
	assert_reads(reader, SNAPSHOT("system", 0, "{'status':'ok'}"));
}

static void many_who_come_at_once_share_one_snapshot(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[20];

	stage_open(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = reader_join(stage);
		reader_follow(readers[i], "orders");
		assert_true(stage->hub->feeding <= 1);
	}
	stage_settle(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_int_equal(readers[i]->count, 2);
	for (size_t i = 1; i < ARRAY_LEN(readers); i++)
		assert_ptr_equal(readers[i]->frames[1], readers[0]->frames[1]);
}

/* ---- who sees what ------------------------------------------------------------------------ */

static void each_token_may_follow_what_its_scopes_are_for(void **state)
{
	const struct {
		uint32_t scopes;
		const char *symbols, *channel;
		enum hub_owner owner;
		enum err_code code;
	} rows[] = {
		{ AUTH_READ, "", "orders", HUB_OWNER_DEFAULT, ERR_NONE },
		{ AUTH_READ, "", "orders", HUB_OWNER_ANY, ERR_NONE },
		{ AUTH_READ, "", "orders", HUB_OWNER_OWN, ERR_NONE },
		{ AUTH_ADMIN, "", "system", HUB_OWNER_ANY, ERR_NONE },
		{ AUTH_ADMIN, "", "depth:ADAUSDM", HUB_OWNER_DEFAULT, ERR_NONE },
		{ AUTH_READ | AUTH_TRADE, "", "fills", HUB_OWNER_OWN, ERR_NONE },
		{ AUTH_READ | AUTH_TRADE, "", "fills", HUB_OWNER_ANY, ERR_SCOPE },
		{ AUTH_READ | AUTH_TRADE | AUTH_OPS, "", "fills", HUB_OWNER_ANY, ERR_NONE },
		{ AUTH_MARKET, "", "orders", HUB_OWNER_DEFAULT, ERR_SCOPE },
		{ AUTH_MARKET, "", "balances", HUB_OWNER_DEFAULT, ERR_SCOPE },
		{ AUTH_MARKET, "", "trades:ADAUSDM", HUB_OWNER_DEFAULT, ERR_NONE },
		{ AUTH_MARKET, "ADAUSDM", "price:ADAUSDM", HUB_OWNER_DEFAULT, ERR_NONE },
		{ AUTH_MARKET, "IAGUSDM", "price:ADAUSDM", HUB_OWNER_DEFAULT, ERR_SCOPE },
		{ AUTH_READ, "", "depth:ADAUSDM", HUB_OWNER_DEFAULT, ERR_SCOPE },
		{ AUTH_ADMIN, "", "depth:NONEUSDM", HUB_OWNER_DEFAULT, ERR_INVALID },
		{ AUTH_ADMIN, "", "depth:", HUB_OWNER_DEFAULT, ERR_INVALID },
		{ AUTH_ADMIN, "", "depth:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", HUB_OWNER_DEFAULT,
		  ERR_INVALID },
		{ AUTH_ADMIN, "", "account:ADAUSDM", HUB_OWNER_DEFAULT, ERR_INVALID },
		{ AUTH_ADMIN, "", "depth", HUB_OWNER_DEFAULT, ERR_INVALID },
		{ AUTH_ADMIN, "", "Orders", HUB_OWNER_DEFAULT, ERR_INVALID },
		{ AUTH_ADMIN, "", "", HUB_OWNER_DEFAULT, ERR_INVALID },
	};
	struct stage *stage = *state;

	stage_open(stage);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_token token = token_with("tok_a", rows[i].scopes);
		struct hub_wish wish = { .id = -1, .owner = rows[i].owner };
		struct err err = { .code = ERR_NONE };

		STR_SET(token.symbols, rows[i].symbols);
		STR_SET(wish.channel, rows[i].channel);
		if (hub_may_subscribe(stage->hub, &token, &wish, &err) !=
			    (rows[i].code == ERR_NONE) ||
		    err.code != rows[i].code)
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void each_view_has_a_chain_of_its_own(void **state)
{
	struct journal_token token = token_with("tok_a", AUTH_READ | AUTH_TRADE);
	struct stage *stage = *state;
	struct reader *all, *own, *one_symbol;

	stage_open(stage);
	all = reader_join(stage);
	own = reader_of_token(stage, &token);
	STR_SET(token.symbols, "IAGUSDM");
	one_symbol = reader_of_token(stage, &token);
	reader_resume(all, "orders", 0);
	reader_resume(own, "orders", 0);
	reader_resume(one_symbol, "orders", 0);
	stage_settle(stage);
	stage_append(stage, CHANNEL_ORDERS, "tok_a", "ADAUSDM", "{}");
	stage_append(stage, CHANNEL_ORDERS, "tok_b", "IAGUSDM", "{}");
	stage_append(stage, CHANNEL_ORDERS, "tok_a", "IAGUSDM", "{}");
	stage_append(stage, CHANNEL_ORDERS, "tok_a", "ADAUSDM", "{}");
	stage_append(stage, CHANNEL_ORDERS, "", "ADAUSDM", "{}"); /* a stranger's */
	stage_settle(stage);
	reader_skip(all, 1);
	assert_reads(all, EVENT("orders", 1, 0, "{}"));
	assert_reads(all, EVENT("orders", 2, 1, "{}"));
	assert_reads(all, EVENT("orders", 3, 2, "{}"));
	assert_reads(all, EVENT("orders", 4, 3, "{}"));
	assert_reads(all, EVENT("orders", 5, 4, "{}"));
	reader_skip(own, 1);
	assert_reads(own, EVENT("orders", 1, 0, "{}"));
	assert_reads(own, EVENT("orders", 3, 1, "{}"));
	assert_reads(own, EVENT("orders", 4, 3, "{}"));
	assert_nothing(own);
	reader_skip(one_symbol, 1);
	assert_reads(one_symbol, EVENT("orders", 3, 0, "{}"));
	assert_nothing(one_symbol);
}

static void an_event_is_put_into_words_once_for_all_of_a_view(void **state)
{
	struct stage *stage = *state;
	struct reader *a, *b;

	stage_open(stage);
	a = reader_join(stage);
	b = reader_join(stage);
	reader_resume(a, "system", 0);
	reader_resume(b, "system", 0);
	stage_settle(stage);
	reader_skip(a, 1);
	reader_skip(b, 1);
	stage_tell(stage, CHANNEL_SYSTEM, "", "{}");
	assert_int_equal(a->count, 1);
	assert_ptr_equal(a->frames[a->first], b->frames[b->first]);
}

static void subscriptions_are_refused_by_rule(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;
	struct hub_wish wish = { .id = 1, .channel = "orders" };
	struct err err;

	stage_open(stage); /* of four at most */
	reader = reader_join(stage);
	reader_follow(reader, "orders");
	assert_false(reader_wish(reader, &wish, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(hub_unsubscribe(reader->peer, 1, "fills", &err));
	assert_int_equal(err.code, ERR_INVALID);
	reader_follow(reader, "fills");
	reader_follow(reader, "depth:ADAUSDM");
	reader_follow(reader, "price:ADAUSDM");
	STR_SET(wish.channel, "system");
	assert_false(reader_wish(reader, &wish, &err));
	assert_int_equal(err.code, ERR_INVALID);
	reader_quit(reader, "fills");
	assert_true(reader_wish(reader, &wish, &err));
}

/* ---- slow and gone ------------------------------------------------------------------------- */

static void who_falls_behind_costs_bounded_memory_and_goes_on_from_the_journal(void **state)
{
	struct stage *stage = *state;
	struct reader *slow, *fast;
	uint64_t seq = 0;

	stage_open(stage);
	slow = reader_join(stage);
	fast = reader_join(stage);
	reader_resume(slow, "orders", 0);
	reader_resume(fast, "orders", 0);
	stage_settle(stage);
	reader_skip(fast, 1);
	for (int i = 0; i < 300; i++) {
		stage_tell_many(stage, CHANNEL_ORDERS, 1);
		reader_skip(fast, 1);
		assert_int_equal(number_of(fast->text, "seq"), i + 1);
	}
	assert_true(slow->bytes_most <= STAGE_QUEUE_MAX);
	assert_true(slow->count < 100);
	reader_skip(slow, 1);
	while (seq < 300) {
		if (!reader_read(slow)) {
			stage_settle(stage);
			continue;
		}
		assert_int_equal(number_of(slow->text, "prev"), seq);
		seq = number_of(slow->text, "seq");
	}
	stage_settle(stage);
	assert_int_equal(stage->hub->catching_up, 0);
	assert_true(slow->bytes_most <= STAGE_QUEUE_MAX);
}

static void a_message_larger_than_the_bound_passes_an_empty_queue(void **state)
{
	static char data[STAGE_QUEUE_MAX + 100];
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	snprintf(data, sizeof(data), "{\"n\":\"%0*d\"}", STAGE_QUEUE_MAX, 0);
	reader = reader_join(stage);
	reader_resume(reader, "orders", 0);
	stage_settle(stage);
	reader_skip(reader, 1);
	for (int i = 0; i < 3; i++)
		stage_tell(stage, CHANNEL_ORDERS, "", data);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(reader->count, 1);
		reader_skip(reader, 1);
		assert_int_equal(number_of(reader->text, "seq"), i + 1);
		stage_settle(stage);
	}
}

static void catching_up_takes_turns_and_few_at_a_time(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[6], *live;

	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 200);
	live = reader_join(stage);
	reader_resume(live, "orders", 200);
	stage_settle(stage);
	reader_skip(live, 1);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = reader_join(stage);
		reader_resume(readers[i], "orders", 0);
	}
	assert_int_equal(stage->hub->feeding, 2);
	assert_int_equal(stage->hub->catching_up, 6);
	/* Appended behind two pages, not behind all of them. */
	stage_append(stage, CHANNEL_ORDERS, "", "", "{}");
	rig_wait(stage->rig);
	assert_reads(live, EVENT("orders", 201, 200, "{}"));
	assert_true(stage->hub->catching_up > 0);
	assert_true(stage->hub->feeding <= 2);
	stage_settle(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_true(readers[i]->count > 10); /* a page and its head */
}

static void visit_all(struct stage *stage, int64_t ms, struct wall today)
{
	const struct mono start = { 1 };

	LIST_EACH_SAFE (&stage->readers, node)
		hub_watch_visit(CONTAINER_OF(node, struct reader, node)->peer,
				mono_after_ms(start, ms), today);
}

static void who_takes_nothing_for_too_long_is_closed_with_its_last_numbers(void **state)
{
	const struct wall today = { RIG_NOW };
	struct stage *stage = *state;
	struct reader *stuck, *reading, *idle;

	stage_open(stage); /* slow: 8 s */
	stuck = reader_join(stage);
	reading = reader_join(stage);
	idle = reader_join(stage);
	timer_stop(stage->hub->watch); /* the visits below are the only ones */
	reader_resume(stuck, "orders", 0);
	reader_resume(stuck, "fills", 0);
	reader_follow(reading, "orders");
	stage_settle(stage);
	stage_tell(stage, CHANNEL_ORDERS, "", "{}");
	stage_tell(stage, CHANNEL_FILLS, "", "{}");
	visit_all(stage, 0, today);
	reader_skip(reading, 1);
	visit_all(stage, 7999, today);
	assert_int_equal(stuck->close_code, 0);
	visit_all(stage, 8000, today);
	assert_int_equal(stuck->close_code, HUB_CLOSE_SLOW);
	assert_string_equal(stuck->reason, "orders=1 fills=2");
	assert_int_equal(reading->close_code, 0);
	reader_skip(reading, 1);
	visit_all(stage, 9000, today); /* it made progress, so its time begins anew */
	visit_all(stage, 16000, today);
	assert_int_equal(reading->close_code, 0);
	assert_int_equal(idle->close_code, 0);
	stage_tell(stage, CHANNEL_ORDERS, "", "{}"); /* to nobody who is closing */
}

static void who_asks_for_more_answers_than_it_reads_is_closed(void **state)
{
	static const char pong[] = "{\"op\":\"pong\"}";
	const struct hub_wish depth = { .id = 1, .channel = "depth:ADAUSDM" };
	struct stage *stage = *state;
	struct reader *idle, *reading;
	struct err err;
	int rounds = 0;

	stage_open(stage);
	idle = reader_join(stage);
	reading = reader_join(stage);
	while (hub_subscribe(idle->peer, &depth, &err) &&
	       hub_unsubscribe(idle->peer, 1, depth.channel, &err)) {
		hub_peer_send(idle->peer, pong, strlen(pong));
		if (++rounds % 100 == 0)
			reader_skip(idle, 1); /* a little now and then */
		assert_true(rounds < 1000);
	}
	assert_int_equal(idle->close_code, HUB_CLOSE_SLOW);
	for (int asked = 0; asked < 3000; asked++) {
		hub_peer_send(reading->peer, pong, strlen(pong));
		while (asked % 500 == 0 && reading->count > 0)
			reader_skip(reading, 1);
	}
	assert_int_equal(reading->close_code, 0);
}

static void a_heartbeat_tells_what_was_queued_last_on_each_channel(void **state)
{
	const struct wall today = { RIG_NOW };
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage); /* visits of a second, a heartbeat every sixteen */
	stage_tell(stage, CHANNEL_ORDERS, "", "{}");
	reader = reader_join(stage);
	timer_stop(stage->hub->watch);
	reader_resume(reader, "orders", 0);
	reader_resume(reader, "system", 0);
	stage_settle(stage);
	reader_resume(reader, "fills", 0); /* asked for, not answered */
	reader_skip(reader, 3);
	for (int second = 1; second < 16; second++)
		visit_all(stage, second * 1000, today);
	assert_nothing(reader);
	visit_all(stage, 16000, today);
	assert_reads(reader, "{'op':'hb','ts':'T','last':{'orders':1,'system':0}}");
}

static void a_token_that_expires_closes_its_connections(void **state)
{
	struct journal_token token = token_with("tok_a", AUTH_READ);
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	token.expires_at.us = RIG_NOW + 5;
	reader = reader_of_token(stage, &token);
	visit_all(stage, 1, (struct wall){ RIG_NOW + 4 });
	assert_int_equal(reader->close_code, 0);
	visit_all(stage, 2, (struct wall){ RIG_NOW + 5 });
	assert_int_equal(reader->close_code, HUB_CLOSE_AUTH);
}

static void the_timer_visits_each_peer(void **state)
{
	struct journal_token token = token_with("tok_a", AUTH_READ);
	struct stage *stage = *state;
	struct reader *readers[70];
	size_t closed = 0;

	stage_open(stage);
	stage_close_hub(stage);
	stage->config.heartbeat_ms = 100;
	stage_open_hub(stage);
	token.expires_at.us = 1;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		readers[i] = reader_of_token(stage, &token);
	timer_start(stage->rig->patience, RIG_PATIENCE_MS);
	for (closed = 0; closed < ARRAY_LEN(readers);) {
		stage->rig->is_asking = true;
		journal_find_events(stage->rig->journal, "x", 0, 1, rig_take_events, stage->rig);
		loop_run(stage->rig->loop);
		for (closed = 0; closed < ARRAY_LEN(readers) && readers[closed]->close_code;)
			closed++;
	}
	timer_stop(stage->rig->patience);
}

static void those_of_one_token_are_closed_alone_and_all_together(void **state)
{
	const struct journal_token token = token_with("tok_a", AUTH_READ);
	struct stage *stage = *state;
	struct reader *a, *b;
	struct hub_status status;

	stage_open(stage);
	a = reader_of_token(stage, &token);
	b = reader_join(stage);
	reader_follow(a, "orders");
	hub_close_token(stage->hub, "tok_a", HUB_CLOSE_AUTH, "revoked");
	assert_int_equal(a->close_code, HUB_CLOSE_AUTH);
	assert_int_equal(b->close_code, 0);
	hub_status(stage->hub, &status);
	assert_int_equal(status.peers, 2);
	assert_int_equal(status.subscriptions, 0);
	hub_peer_send(a->peer, "{}", 2); /* too late */
	hub_close_all(stage->hub, 1001, "restart");
	assert_int_equal(a->close_code, HUB_CLOSE_AUTH);
	assert_int_equal(b->close_code, 1001);
	stage_settle(stage);
	assert_nothing(a);
}

static void leaving_with_answers_on_their_way_is_safe(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 30);
	for (int i = 0; i < 4; i++) {
		reader = reader_join(stage);
		reader_resume(reader, "orders", 0);
		reader_follow(reader, "fills");
		reader_follow(reader_join(stage), "system");
		if (i % 2)
			stage_settle(stage);
		reader_leave(reader);
	}
	stage_settle(stage);
	reader = reader_join(stage);
	reader_resume(reader, "orders", 29);
	reader_follow(reader, "balances");
	stage_close_hub(stage); /* the answers find nobody */
	rig_find_orders(stage->rig, (struct journal_order_query){ .limit = 1 });
	stage_open_hub(stage);
}

static void one_may_unsubscribe_and_subscribe_again_in_one_go(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	stage_tell(stage, CHANNEL_FILLS, "", "{}");
	reader = reader_join(stage);
	reader_follow(reader, "fills");
	reader_quit(reader, "fills");
	reader_resume(reader, "fills", 0);
	stage_settle(stage);
	assert_reads(reader, "{'op':'unsubscribed','id':9,'ch':'fills'}");
	assert_reads(reader, SUBSCRIBED(2, "fills", 1, true));
	assert_reads(reader, EVENT("fills", 1, 0, "{}"));
	stage_settle(stage);
	reader_quit(reader, "fills");
	reader_follow(reader, "fills");
	stage_settle(stage);
	assert_reads(reader, "{'op':'unsubscribed','id':9,'ch':'fills'}");
	assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
	reader_skip(reader, 1);
	assert_nothing(reader);
}

static void a_snapshot_is_not_put_on_top_of_a_long_queue(void **state)
{
	static char text[STAGE_QUEUE_MAX];
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	memset(text, ' ', sizeof(text));
	reader = reader_join(stage);
	hub_peer_send(reader->peer, text, sizeof(text));
	reader_follow(reader, "orders");
	reader_follow(reader, "trades:ADAUSDM");
	stage_settle(stage);
	assert_int_equal(reader->count, 1);
	reader_skip(reader, 1);
	stage_settle(stage);
	assert_int_equal(reader->count, 4);
}

static void a_journal_that_cannot_be_read_closes_who_needs_it(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[3];
	sqlite3 *db;

	stage_open(stage);
	stage_tell(stage, CHANNEL_ORDERS, "", "{}");
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		readers[i] = reader_join(stage);
	reader_follow(readers[0], "orders");
	stage_settle(stage);
	db = rig_connect(stage->rig);
	rig_exec(db, "ALTER TABLE channel_events RENAME TO elsewhere");
	reader_resume(readers[1], "orders", 0);
	reader_follow(readers[1], "fills");
	reader_follow(readers[2], "system");
	stage_settle(stage);
	rig_exec(db, "ALTER TABLE elsewhere RENAME TO channel_events");
	sqlite3_close(db);
	assert_int_equal(readers[0]->close_code, 0); /* live, and needs nothing */
	assert_int_equal(readers[1]->close_code, HUB_CLOSE_INTERNAL);
	assert_int_equal(readers[2]->close_code, HUB_CLOSE_INTERNAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		T(who_has_no_position_gets_a_snapshot_and_what_follows_it),
		T(what_is_told_while_the_first_answer_is_on_its_way_is_in_it_and_not_doubled),
		T(who_resumes_gets_what_was_missed_byte_for_byte_as_others_got_it),
		T(who_missed_nothing_is_told_so_at_once),
		T(a_position_that_means_nothing_here_gets_a_snapshot),
		T(a_position_older_than_what_is_kept_is_refused_with_4410),
		T(a_snapshot_of_orders_has_those_that_are_not_final_and_in_view),
		T(a_snapshot_of_fills_has_the_last_hundred_oldest_first),
		T(snapshots_of_balances_and_system_say_what_is),
		T(many_who_come_at_once_share_one_snapshot),
		T(each_token_may_follow_what_its_scopes_are_for),
		T(each_view_has_a_chain_of_its_own),
		T(an_event_is_put_into_words_once_for_all_of_a_view),
		T(subscriptions_are_refused_by_rule),
		T(who_falls_behind_costs_bounded_memory_and_goes_on_from_the_journal),
		T(a_message_larger_than_the_bound_passes_an_empty_queue),
		T(catching_up_takes_turns_and_few_at_a_time),
		T(who_takes_nothing_for_too_long_is_closed_with_its_last_numbers),
		T(who_asks_for_more_answers_than_it_reads_is_closed),
		T(a_heartbeat_tells_what_was_queued_last_on_each_channel),
		T(a_token_that_expires_closes_its_connections),
		T(the_timer_visits_each_peer),
		T(those_of_one_token_are_closed_alone_and_all_together),
		T(leaving_with_answers_on_their_way_is_safe),
		T(one_may_unsubscribe_and_subscribe_again_in_one_go),
		T(a_snapshot_is_not_put_on_top_of_a_long_queue),
		T(a_journal_that_cannot_be_read_closes_who_needs_it),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
