/* Whatever happens in whatever order, each reader gets each event of its view once, in order. */
#include "server/hub_rig.h"

#define SEEDS      6
#define STEPS      250
#define ORDERS_MAX 24

static const enum channel channels[] = { CHANNEL_ORDERS, CHANNEL_FILLS, CHANNEL_SYSTEM };
static const char *const tokens[] = { "tok_a", "tok_b" };
static const char *const symbols[] = { "ADAUSDM", "IAGUSDM" };

/* Those who read. A token of its own: only what is the token's, unless it is "". */
static const struct kind {
	uint32_t scopes;
	const char *token_id, *own, *symbols;
	unsigned speed; /* messages at a time, at most */
} kinds[] = {
	{ AUTH_OPS | AUTH_READ, "tok_ops", "", "", 50 },
	{ AUTH_OPS | AUTH_READ, "tok_ops", "", "", 3 },
	{ AUTH_READ, "tok_a", "", "", 1 },
	{ AUTH_READ, "tok_b", "", "ADAUSDM,IAGUSDM", 2 },
	{ AUTH_READ | AUTH_TRADE, "tok_a", "tok_a", "", 2 },
	{ AUTH_READ | AUTH_TRADE, "tok_b", "tok_b", "", 1 },
	{ AUTH_READ | AUTH_TRADE, "tok_a", "tok_a", "IAGUSDM", 2 },
	{ AUTH_READ, "tok_c", "", "ADAUSDM", 1 },
};

struct got {
	uint64_t seq, digest;
};

/* What one reader has of one channel, over all its connections. */
struct chain {
	bool has_begun;
	uint64_t start, position;
	char *snapshot; /* NULL: it began without */
	struct got *links;
	size_t count;
};

struct life {
	const struct kind *kind;
	struct reader *reader; /* NULL: away */
	struct chain chains[ARRAY_LEN(channels)];
};

struct world {
	struct stage *stage;
	uint64_t seed;
	struct life lives[ARRAY_LEN(kinds)];
	struct order orders[ORDERS_MAX];
	size_t order_count;
	unsigned ids;
};

static unsigned pick(struct world *world, unsigned bound)
{
	world->seed ^= world->seed << 13;
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return (unsigned)((world->seed >> 20) % bound);
}

static uint64_t digest_of(const char *text, size_t len)
{
	uint64_t digest = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (unsigned char)text[i]) * 1099511628211u;
	return digest;
}

/* ---- reading ------------------------------------------------------------------------------- */

static struct chain *chain_of(struct life *life, const char *text)
{
	char name[HUB_CHANNEL_LEN];

	channel_of(text, name);
	for (size_t i = 0; i < ARRAY_LEN(channels); i++)
		if (strcmp(name, channel_word(channels[i])) == 0)
			return &life->chains[i];
	fail_msg("nobody follows %s", name);
	return NULL;
}

static const char *data_of(const char *text, size_t *len)
{
	const char *data = strstr(text, "\"data\":") + strlen("\"data\":");

	*len = strlen(data) - 1;
	return data;
}

static void take_snapshot(struct chain *chain, const char *text)
{
	size_t len;
	const char *data = data_of(text, &len);

	assert_false(chain->has_begun);
	chain->has_begun = true;
	chain->snapshot = mem_strndup(data, len);
	chain->start = chain->position = number_of(text, "seq");
}

static void take_event(struct chain *chain, const char *text)
{
	size_t len;
	const char *data = data_of(text, &len);

	assert_true(chain->has_begun);
	if (number_of(text, "prev") != chain->position)
		fail_msg("after %llu: %s", (unsigned long long)chain->position, text);
	chain->position = number_of(text, "seq");
	if ((chain->count & (chain->count - 1)) == 0)
		chain->links = mem_grow(chain->links,
					(chain->count ? 2 * chain->count : 1) * sizeof(struct got));
	chain->links[chain->count++] = (struct got){ chain->position, digest_of(data, len) };
}

static void life_read(struct life *life, unsigned count)
{
	const char *text;

	while (life->reader && count-- > 0 && (text = reader_read(life->reader))) {
		assert_int_equal(life->reader->close_code, 0);
		if (is_op(text, "snapshot"))
			take_snapshot(chain_of(life, text), text);
		else if (is_op(text, "event"))
			take_event(chain_of(life, text), text);
		else
			assert_true(is_op(text, "subscribed") || is_op(text, "unsubscribed"));
	}
}

static void life_follow(struct life *life, size_t which)
{
	const struct chain *chain = &life->chains[which];

	if (chain->has_begun)
		reader_resume(life->reader, channel_word(channels[which]), chain->position);
	else
		reader_follow(life->reader, channel_word(channels[which]));
}

static void life_join(struct world *world, struct life *life)
{
	struct journal_token token = token_with(life->kind->token_id, life->kind->scopes);

	STR_SET(token.symbols, life->kind->symbols);
	life->reader = reader_of_token(world->stage, &token);
	for (size_t i = 0; i < ARRAY_LEN(channels); i++)
		life_follow(life, i);
}

/* What was queued is lost with the connection. */
static void life_leave(struct life *life)
{
	if (life->reader)
		reader_leave(life->reader);
	life->reader = NULL;
}

/* What is queued behind is of the subscription that ends: the new one begins after it. */
static void life_follow_anew(struct world *world, struct life *life)
{
	size_t which = pick(world, ARRAY_LEN(channels));

	life_read(life, READER_FRAMES);
	if (life->reader->count > 0)
		return;
	reader_quit(life->reader, channel_word(channels[which]));
	life_follow(life, which);
}

/* ---- events -------------------------------------------------------------------------------- */

static void put_order(struct world *world, struct order *order, enum journal_kind kind)
{
	struct journal_write *write;

	order->facts.updated_at.us++;
	write = rig_order_write(order, "ack");
	event_order(write, order);
	rig_append(world->stage->rig, "order", kind, write);
}

static void make_order(struct world *world)
{
	struct order *order = &world->orders[world->order_count];
	char id[16];

	if (world->order_count == ORDERS_MAX)
		return;
	snprintf(id, sizeof(id), "%08u", world->ids++);
	*order = rig_order(id);
	STR_SET(order->terms.token_id, tokens[pick(world, 2)]);
	STR_SET(order->terms.symbol, symbols[pick(world, 2)]);
	order->facts.state = ORDER_OPEN;
	world->order_count++;
	put_order(world, order, JOURNAL_INTENT);
}

/* Refused by the database: the token has used this client_order_id. Nothing of it is told. */
static void make_conflict(struct world *world)
{
	struct order order;

	if (world->order_count == 0)
		return;
	order = world->orders[pick(world, (unsigned)world->order_count)];
	snprintf(order.terms.order_id, sizeof(order.terms.order_id), "ord_twin%u", world->ids++);
	put_order(world, &order, JOURNAL_INTENT);
}

static void change_order(struct world *world)
{
	static const enum order_state states[] = { ORDER_OPEN, ORDER_PARTIALLY_FILLED, ORDER_FILLED,
						   ORDER_CANCELLED };
	struct order *order = &world->orders[pick(world, ORDERS_MAX)];

	if (order >= world->orders + world->order_count)
		return;
	order->facts.state = states[pick(world, ARRAY_LEN(states))];
	put_order(world, order, JOURNAL_FACT);
}

/* Now and then one that is booked already, which is not told again. */
static void make_fill(struct world *world)
{
	struct journal_write *write;
	struct fill fill;
	char id[16];

	if (world->order_count == 0)
		return;
	if (pick(world, 4))
		world->ids++;
	snprintf(id, sizeof(id), "e%u", world->ids);
	fill = rig_fill(&world->orders[pick(world, (unsigned)world->order_count)], id);
	write = journal_write_create();
	journal_write_fill(write, &fill);
	event_fill(write, &fill);
	rig_append(world->stage->rig, "fill", JOURNAL_FACT, write);
}

static void tell_system(struct world *world)
{
	stage_append(world->stage, CHANNEL_SYSTEM, pick(world, 2) ? "" : tokens[pick(world, 2)],
		     pick(world, 2) ? "" : symbols[pick(world, 2)], "{\"text\":\"something\"}");
}

static void happen(struct world *world)
{
	switch (pick(world, 8)) {
	case 0:
	case 1:
		make_order(world);
		break;
	case 2:
		make_conflict(world);
		break;
	case 3:
	case 4:
		make_fill(world);
		break;
	case 5:
		tell_system(world);
		break;
	default:
		change_order(world);
	}
}

/* ---- the truth ----------------------------------------------------------------------------- */

struct truth {
	uint64_t seq;
	char token_id[TOKEN_ID_LEN], symbol[ORDER_SYMBOL_LEN];
	char order_id[ORDER_ID_LEN];
	bool is_final;
	char *data;
};

static size_t load_truth(struct world *world, enum channel channel, struct truth *rows, size_t room)
{
	sqlite3 *db = rig_connect(world->stage->rig);
	sqlite3_stmt *stmt;
	bool has_row;
	size_t count = 0;
	struct err err;

	assert_true(sql_prepare(db,
				"SELECT seq, token_id, symbol, data FROM channel_events "
				"WHERE channel = :channel ORDER BY seq",
				false, &stmt, &err));
	sql_bind_int(stmt, ":channel", channel);
	while (sql_next(stmt, &has_row, &err) && has_row) {
		struct sql_cursor row = sql_cursor(stmt);
		struct truth *truth = &rows[count++];
		const char *id;

		assert_true(count <= room);
		truth->seq = (uint64_t)sql_get_int(&row);
		sql_get_text(&row, truth->token_id, sizeof(truth->token_id));
		sql_get_text(&row, truth->symbol, sizeof(truth->symbol));
		truth->data = sql_take_text(&row);
		id = strstr(truth->data, "\"order_id\":\"");
		if (id)
			snprintf(truth->order_id, sizeof(truth->order_id), "%.*s",
				 (int)strcspn(id + 12, "\""), id + 12);
		truth->is_final = strstr(truth->data, "\"state\":\"filled\"") ||
				  strstr(truth->data, "\"state\":\"cancelled\"");
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return count;
}

static bool is_seen(const struct kind *kind, enum channel channel, const struct truth *truth)
{
	bool is_nobodys = channel == CHANNEL_SYSTEM && truth->token_id[0] == '\0';

	if (kind->own[0] && !is_nobodys && strcmp(kind->own, truth->token_id) != 0)
		return false;
	return !kind->symbols[0] || !truth->symbol[0] || strstr(kind->symbols, truth->symbol);
}

static void check_links(const struct life *life, size_t which, const struct truth *rows,
			size_t count)
{
	const struct chain *chain = &life->chains[which];
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].seq <= chain->start || !is_seen(life->kind, channels[which], &rows[i]))
			continue;
		assert_true(at < chain->count);
		if (chain->links[at].seq != rows[i].seq)
			fail_msg("reader %zu of %s got %llu instead of %llu of %s %s",
				 (size_t)(life->kind - kinds), channel_word(channels[which]),
				 (unsigned long long)chain->links[at].seq,
				 (unsigned long long)rows[i].seq, rows[i].token_id, rows[i].symbol);
		assert_true(chain->links[at].digest ==
			    digest_of(rows[i].data, strlen(rows[i].data)));
		at++;
	}
	assert_int_equal(at, chain->count);
}

static bool is_superseded(const struct truth *rows, size_t at, size_t count, uint64_t seq)
{
	for (size_t i = at + 1; i < count && rows[i].seq <= seq; i++)
		if (strcmp(rows[i].order_id, rows[at].order_id) == 0)
			return true;
	return false;
}

/* A snapshot of orders is, word for word, what the events up to its number add up to. */
static void check_snapshot(const struct life *life, const struct chain *chain,
			   const struct truth *rows, size_t count)
{
	const char *rest = chain->snapshot;
	size_t open = 0, shown = 0;

	for (size_t i = 0; i < count && rows[i].seq <= chain->start; i++) {
		const char *found;

		if (rows[i].is_final || !is_seen(life->kind, CHANNEL_ORDERS, &rows[i]) ||
		    is_superseded(rows, i, count, chain->start))
			continue;
		open++;
		found = strstr(chain->snapshot, rows[i].data);
		if (!found)
			fail_msg("not in the snapshot of %llu: %s",
				 (unsigned long long)chain->start, rows[i].data);
	}
	while ((rest = strstr(rest, "\"order_id\":"))) {
		shown++;
		rest++;
	}
	assert_int_equal(shown, open);
}

static void check_all(struct world *world)
{
	size_t room = 20000;
	struct truth *rows = mem_array(room, sizeof(*rows));

	for (size_t which = 0; which < ARRAY_LEN(channels); which++) {
		size_t count = load_truth(world, channels[which], rows, room);

		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			const struct life *life = &world->lives[i];

			check_links(life, which, rows, count);
			if (which == 0 && life->chains[0].snapshot)
				check_snapshot(life, &life->chains[0], rows, count);
		}
		for (size_t i = 0; i < count; i++)
			mem_free(rows[i].data);
	}
	mem_free(rows);
}

/* ---- the story ----------------------------------------------------------------------------- */

static void world_begin(struct world *world, struct stage *stage, uint64_t seed)
{
	unsigned ids = world->ids;

	*world = (struct world){ .stage = stage, .seed = seed * 0x9e3779b97f4a7c15u, .ids = ids };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct life *life = &world->lives[i];

		life->kind = &kinds[i];
		for (size_t which = 0; which < ARRAY_LEN(channels); which++)
			life->chains[which].has_begun = pick(world, 3) == 0; /* from the start */
	}
}

static void world_end(struct world *world)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		life_leave(&world->lives[i]);
		for (size_t which = 0; which < ARRAY_LEN(channels); which++) {
			mem_free(world->lives[i].chains[which].links);
			mem_free(world->lives[i].chains[which].snapshot);
		}
	}
}

static void restart(struct world *world)
{
	struct stage *stage = world->stage;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		life_leave(&world->lives[i]);
	stage_close_hub(stage);
	rig_wait(stage->rig);
	rig_close(stage->rig);
	rig_open(stage->rig);
	stage_open_hub(stage);
}

static void step(struct world *world)
{
	struct life *life = &world->lives[pick(world, ARRAY_LEN(kinds))];
	unsigned what = pick(world, 100);

	for (unsigned n = pick(world, 4); n > 0; n--)
		happen(world);
	if (what < 12)
		life_leave(life);
	else if (what < 20 && life->reader)
		life_follow_anew(world, life);
	else if (what < 21)
		restart(world);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		life_read(&world->lives[i], pick(world, world->lives[i].kind->speed + 1));
	if (what >= 50 && !life->reader)
		life_join(world, life);
	if (what < 30) /* else all of it is still on its way */
		rig_find_orders(world->stage->rig, (struct journal_order_query){ .limit = 1 });
	if (world->stage->rig->waiting > 100)
		stage_settle(world->stage);
}

static bool all_is_read(struct world *world)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (world->lives[i].reader->count > 0)
			return false;
	return world->stage->hub->catching_up == 0;
}

static void read_all(struct world *world)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!world->lives[i].reader)
			life_join(world, &world->lives[i]);
	do {
		stage_settle(world->stage);
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			life_read(&world->lives[i], READER_FRAMES);
	} while (!all_is_read(world));
}

static void each_reader_gets_its_view_without_a_hole_or_a_double(void **state)
{
	static struct world world;
	struct stage *stage = *state;

	stage_open(stage);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		world_begin(&world, stage, seed);
		for (int i = 0; i < STEPS; i++)
			step(&world);
		read_all(&world);
		check_all(&world);
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_reader_gets_its_view_without_a_hole_or_a_double, stage_setup,
			stage_teardown),
	};

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
