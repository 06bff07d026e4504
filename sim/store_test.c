#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/store.h"
#include "sim/testing.h"
#include "sim/wire.h"

struct fixture {
	char folder[64], path[128];
	struct exchange *x;
	struct store *store;
	int64_t advanced_us;
};

static struct exchange *empty_exchange(uint64_t seed)
{
	const struct exchange_config config = { .seed = seed,
						.tx_lifetime_ms = 120000,
						.open_orders_max = 100,
						.match_delay = { 50, 50 } };

	return exchange_create(&config);
}

static bool reopen(struct fixture *f, struct err *err)
{
	store_close(f->store);
	exchange_destroy(f->x);
	f->store = NULL;
	f->x = empty_exchange(7);
	return store_open(f->path, f->x, &f->advanced_us, &f->store, err);
}

static void commit(struct fixture *f)
{
	struct err err;

	assert_true(store_commit(f->store, &err));
}

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err err;

	(void)STR_SET(f->folder, "/tmp/sim_store_XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/data", f->folder);
	f->x = empty_exchange(7);
	if (!store_open(f->path, f->x, &f->advanced_us, &f->store, &err))
		return -1;
	exchange_run(f->x, after_ms(0));
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "bob" : "alice";
		struct account *account = exchange_add_account(f->x, name, name, "secret");

		for (size_t asset = 0; asset < ASSET_COUNT; asset++)
			if (!exchange_credit(f->x, account, &market_assets[asset], 10000000000))
				return -1;
	}
	*state = f;
	return 0;
}

static int take_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	exchange_destroy(f->x);
	unlink(f->path);
	rmdir(f->folder);
	mem_free(f);
	return 0;
}

/* All that clients and tests can see, as one text. */
static char *picture(struct exchange *x)
{
	json_t *all = json_array();
	char *text;

	LIST_EACH (&x->orders, node) {
		json_array_append_new(all,
				      wire_order_record(CONTAINER_OF(node, struct order, node)));
	}
	LIST_EACH (&x->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		json_array_append_new(all, json_string(account->api_key));
		json_array_append_new(all, json_string(account->opkey_hash));
		json_array_append_new(all, json_integer(account->live_orders));
		json_array_append_new(all, wire_balances(account));
	}
	for (size_t i = 0; i < PAIR_COUNT; i++)
		json_array_append_new(all, wire_book(x, &market_pairs[i]));
	LIST_EACH (&x->transfers, node) {
		json_array_append_new(all,
				      wire_transfer(CONTAINER_OF(node, struct transfer, node)));
	}
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static struct order *place(struct exchange *x, const char *account, enum side side,
			   const char *base, const char *price)
{
	struct order *order = NULL;

	assert_int_equal(test_place(x, account, request("ADAUSDM", side, base, price), &order),
			 CODE_DONE);
	return order;
}

static void play(struct exchange *x)
{
	struct intake in = request("IAGUSDM", SIDE_BUY, "100", "0.27");
	struct transfer *transfer = mem_alloc(sizeof(*transfer));
	struct order *order;

	place(x, "alice", SIDE_BUY, "100", "0.7400");
	place(x, "alice", SIDE_BUY, "100", "0.7400");
	order = place(x, "alice", SIDE_BUY, "100", "0.6000");
	place(x, "bob", SIDE_SELL, "100", "0.8000");
	exchange_run(x, after_ms(100));
	place(x, "bob", SIDE_SELL, "130", "0.7400");
	exchange_run(x, after_ms(200));
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_DONE);
	place(x, "bob", SIDE_SELL, "10", "0.7400"); /* still processing */
	assert_int_equal(intake_build(x, exchange_account(x, "alice"), &in, &order), CODE_DONE);
	exchange_new_key(x, exchange_account(x, "bob"));
	list_node_init(&transfer->node);
	transfer->account = exchange_account(x, "alice");
	transfer->units[ASSET_ADA] = 5000000;
	exchange_take_transfer(x, transfer);
}

static void everything_committed_is_there_after_a_kill(void **state)
{
	struct fixture *f = *state;
	char *before, *after;
	struct err err;

	play(f->x);
	store_set_advanced(f->store, 123456);
	commit(f);
	before = picture(f->x);
	for (int i = 0; i < 2; i++) { /* from the log of changes, then from the short form */
		assert_true(reopen(f, &err));
		after = picture(f->x);
		assert_string_equal(before, after);
		free(after);
	}
	assert_int_equal(f->advanced_us, 123456);
	assert_int_equal(f->x->markets[PAIR_ADAUSDM].last_price, 740000000);
	free(before);
}

static void an_exchange_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct order *building, *processing;
	char id[2][UUID_TEXT_LEN];
	struct err err;

	play(f->x);
	building = CONTAINER_OF(f->x->orders.head.prev, struct order, node);
	processing = CONTAINER_OF(f->x->orders.head.prev->prev, struct order, node);
	(void)STR_SET(id[0], building->id);
	(void)STR_SET(id[1], processing->id);
	commit(f);
	assert_true(reopen(f, &err));
	building = exchange_order(f->x, id[0]);
	processing = exchange_order(f->x, id[1]);
	assert_int_equal(building->status, ORDER_BUILDING);
	assert_non_null(building->tx);
	assert_int_equal(processing->status, ORDER_PROCESSING);
	exchange_run(f->x, after_ms(1000));
	assert_int_equal(processing->status, ORDER_CLOSED);
	exchange_run(f->x, after_ms(130000));
	assert_int_equal(building->status, ORDER_FAILED);
	/* and never gives an id twice */
	building = place(f->x, "alice", SIDE_BUY, "100", "0.5");
	assert_int_equal(exchange_account(f->x, "alice")->orders_made, 5);
	assert_string_not_equal(building->id, id[0]);
}

static void what_was_not_committed_never_happened(void **state)
{
	struct fixture *f = *state;
	char *before, *after;
	struct err err;

	play(f->x);
	commit(f);
	before = picture(f->x);
	place(f->x, "alice", SIDE_BUY, "100", "0.5");
	assert_true(reopen(f, &err));
	after = picture(f->x);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static off_t size_of(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 ? about.st_size : -1;
}

static void a_torn_tail_is_left_out_wherever_it_was_torn(void **state)
{
	struct fixture *f = *state;
	char *before, *after;
	off_t good, whole;
	struct err err;

	play(f->x);
	commit(f);
	before = picture(f->x);
	/* Without its newline alone, a commit line is still whole. */
	for (off_t cut = 2; cut < 2000; cut += 37) {
		good = size_of(f->path);
		place(f->x, "alice", SIDE_BUY, "10", "0.5");
		commit(f);
		whole = size_of(f->path);
		if (cut >= whole - good)
			break;
		assert_int_equal(truncate(f->path, whole - cut), 0);
		assert_true(reopen(f, &err));
		after = picture(f->x);
		assert_string_equal(before, after);
		free(after);
	}
	free(before);
}

static void a_file_of_another_seed_is_refused(void **state)
{
	struct fixture *f = *state;
	struct exchange *other = empty_exchange(8);
	struct store *store = NULL;
	int64_t advanced;
	struct err err;

	commit(f);
	assert_false(store_open(f->path, other, &advanced, &store, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	exchange_destroy(other);
}

static void a_damaged_file_is_refused_and_left_alone(void **state)
{
	static const char *const damages[] = {
		"{\"t\":\"nonsense\"}\n",
		"{\"t\":\"order\",\"account\":\"alice\"}\n",
		"{\"t\":\"fill\",\"order\":\"none\"}\n",
		"{\"t\":\"balance\",\"account\":\"nobody\"}\n",
		"{\"t\":\"tx\",\"id\":\"none\",\"tx\":\"00\"}\n",
		"{\"t\":\"commit\",\"format\":99}\n",
	};
	struct fixture *f = *state;
	struct err err;

	commit(f);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		off_t good = size_of(f->path), size;
		FILE *file = fopen(f->path, "ae");

		fputs(damages[i], file);
		fputs("{\"t\":\"commit\",\"format\":1,\"seed\":7}\n", file);
		fclose(file);
		size = size_of(f->path);
		assert_false(reopen(f, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_int_equal(size_of(f->path), size);
		assert_int_equal(truncate(f->path, good), 0);
	}
	assert_true(reopen(f, &err));
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;
	struct store *store = NULL;
	int64_t advanced;
	struct err err;

	assert_false(store_open("/nonexistent/sim.data", f->x, &advanced, &store, &err));
	assert_int_equal(err.code, ERR_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_committed_is_there_after_a_kill),
		TEST(an_exchange_goes_on_where_it_was),
		TEST(what_was_not_committed_never_happened),
		TEST(a_torn_tail_is_left_out_wherever_it_was_torn),
		TEST(a_file_of_another_seed_is_refused),
		TEST(a_damaged_file_is_refused_and_left_alone),
		TEST(a_folder_that_is_not_there_is_told),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
