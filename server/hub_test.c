#include "server/hub_rig.h"

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		T(each_token_may_follow_what_its_scopes_are_for),
		T(each_view_has_a_chain_of_its_own),
		T(an_event_is_put_into_words_once_for_all_of_a_view),
		T(subscriptions_are_refused_by_rule),
		T(who_takes_nothing_for_too_long_is_closed_with_its_last_numbers),
		T(who_asks_for_more_answers_than_it_reads_is_closed),
		T(a_heartbeat_tells_what_was_queued_last_on_each_channel),
		T(a_token_that_expires_closes_its_connections),
		T(the_timer_visits_each_peer),
		T(those_of_one_token_are_closed_alone_and_all_together),
		T(one_may_unsubscribe_and_subscribe_again_in_one_go),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
