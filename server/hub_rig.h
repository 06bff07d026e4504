/* hub_rig.h - what the tests of the hub share: a real journal, a hub, and readers whose sinks hold
 * what is sent until the test lets them read. Tests only. */
#ifndef SERVER_HUB_RIG_H
#define SERVER_HUB_RIG_H
#include "server/journal_rig.h"

#include "base/list.h"
#include "base/log.h"
#include "net/ws.h"
#include "server/auth.h"
#include "server/event.h"
#include "server/hub_parts.h"

#define STAGE_QUEUE_MAX 4096 /* bytes for each reader */
#define READER_FRAMES   4096 /* that fit into a sink */

struct stage {
	struct rig *rig;
	struct hub *hub;
	struct hub_config config;
	struct list readers;
	char wants[256]; /* "+depth:ADAUSDM -depth:ADAUSDM " */
	bool is_behind;
};

/* An app at the other end of a connection. */
struct reader {
	struct list_node node;
	struct stage *stage;
	struct hub_peer *peer;
	struct ws_frame *frames[READER_FRAMES]; /* queued: a ring */
	size_t first, count, bytes, bytes_most;
	uint64_t sent;
	int close_code;
	char reason[128];
	char text[65536]; /* the message read last */
};

/* What a reader is sent, as assert_reads() has it. */
#define EVENT(ch, seq, prev, data)                                 \
	"{'op':'event','ch':'" ch "','seq':" #seq ",'prev':" #prev \
	",'ts':'T','type':'test.happened','data':" data "}"
#define SUBSCRIBED(id, ch, seq, recovered) \
	"{'op':'subscribed','id':" #id ",'ch':'" ch "','seq':" #seq ",'recovered':" #recovered "}"
#define SNAPSHOT(ch, seq, data) \
	"{'op':'snapshot','id':1,'ch':'" ch "','seq':" #seq ",'ts':'T','data':" data "}"

/* ---- the stage ---------------------------------------------------------------------------- */

static inline bool stage_is_symbol(void *arg, const char *symbol)
{
	(void)arg;
	return strcmp(symbol, "ADAUSDM") == 0 || strcmp(symbol, "IAGUSDM") == 0;
}

static inline void stage_want(void *arg, enum dd_stream_kind kind, const char *symbol,
			      bool is_wanted)
{
	struct stage *stage = arg;
	size_t len = strlen(stage->wants);

	snprintf(stage->wants + len, sizeof(stage->wants) - len, "%c%s:%s ", is_wanted ? '+' : '-',
		 dd_stream_kind_word(kind), symbol);
}

static inline void stage_system_state(void *arg, struct json_out *out)
{
	(void)arg;
	json_out_str(out, "status", "ok");
}

static inline bool stage_is_behind(void *arg)
{
	const struct stage *stage = arg;

	return stage->is_behind;
}

static inline void stage_open_hub(struct stage *stage)
{
	const struct hub_outside outside = { stage_is_symbol, stage_want, stage_system_state,
					     stage_is_behind, stage };

	stage->hub = hub_create(stage->rig->loop, &stage->config, stage->rig->journal, &outside);
}

static inline void stage_open(struct stage *stage)
{
	stage->config = (struct hub_config){ .queue_max_bytes = STAGE_QUEUE_MAX,
					     .slow_ms = 8000,
					     .heartbeat_ms = 16000,
					     .subscriptions_max = 4,
					     .trades_kept = 5,
					     .page = 10,
					     .give_way_ms = 10 };
	rig_open(stage->rig);
	stage_open_hub(stage);
}

static inline int stage_setup(void **state)
{
	struct stage *stage = mem_alloc(sizeof(*stage));
	void *rig;

	if (rig_setup(&rig) != 0)
		return -1;
	stage->rig = rig;
	list_init(&stage->readers);
	*state = stage;
	return 0;
}

/* Until every write is acknowledged and whatever the hub asked is answered. */
static inline void stage_settle(struct stage *stage)
{
	rig_wait(stage->rig);
	do
		rig_find_orders(stage->rig, (struct journal_order_query){ .limit = 1 });
	while (!list_is_empty(&stage->hub->questions));
	stage->rig->count = 0; /* answers are not looked at again */
}

static inline void reader_leave(struct reader *reader);

static inline void stage_close_hub(struct stage *stage)
{
	struct list_node *node;

	while ((node = list_first(&stage->readers)))
		reader_leave(CONTAINER_OF(node, struct reader, node));
	hub_destroy(stage->hub);
	stage->hub = NULL;
}

static inline int stage_teardown(void **state)
{
	struct stage *stage = *state;
	void *rig = stage->rig;

	stage_close_hub(stage);
	mem_free(stage);
	return rig_teardown(&rig);
}

/* ---- sinks -------------------------------------------------------------------------------- */

/* The number behind a member's name; what comes first in a message is not in its data. */
static inline uint64_t number_of(const char *text, const char *name)
{
	char member[32];
	const char *at;

	snprintf(member, sizeof(member), "\"%s\":", name);
	at = strstr(text, member);
	if (!at)
		fail_msg("no %s in %s", name, text);
	return strtoull(at + strlen(member), NULL, 10);
}

static inline bool is_op(const char *text, const char *op)
{
	char head[32];

	snprintf(head, sizeof(head), "{\"op\":\"%s\",", op);
	return strncmp(text, head, strlen(head)) == 0;
}

static inline void channel_of(const char *text, char channel[HUB_CHANNEL_LEN])
{
	const char *at = strstr(text, "\"ch\":\"");

	if (!at)
		fail_msg("no channel in %s", text);
	at += strlen("\"ch\":\"");
	snprintf(channel, HUB_CHANNEL_LEN, "%.*s", (int)strcspn(at, "\""), at);
}

/* Server-sent events carry their reader's position, which must count what is being sent. */
static inline void check_position(const struct reader *reader, const char *text)
{
	char channel[HUB_CHANNEL_LEN];
	uint64_t seq = 0;

	if (!is_op(text, "event") && !is_op(text, "snapshot") && !is_op(text, "gap"))
		return;
	channel_of(text, channel);
	assert_true(hub_peer_position(reader->peer, channel, &seq));
	assert_int_equal(seq, number_of(text, "seq"));
}

static inline void reader_send(void *arg, struct ws_frame *frame)
{
	struct reader *reader = arg;
	size_t len;

	assert_int_equal(reader->close_code, 0);
	assert_true(reader->count < READER_FRAMES);
	check_position(reader, ws_frame_payload(frame, &len));
	reader->frames[(reader->first + reader->count++) % READER_FRAMES] = ws_frame_ref(frame);
	reader->bytes += ws_frame_size(frame);
	if (reader->bytes > reader->bytes_most)
		reader->bytes_most = reader->bytes;
}

static inline size_t reader_queued(void *arg)
{
	return ((struct reader *)arg)->bytes;
}

static inline uint64_t reader_sent(void *arg)
{
	return ((struct reader *)arg)->sent;
}

static inline void reader_closed(void *arg, int code, const char *reason)
{
	struct reader *reader = arg;

	assert_int_equal(reader->close_code, 0);
	reader->close_code = code;
	STR_SET(reader->reason, reason);
}

/* ---- readers ------------------------------------------------------------------------------ */

static inline struct journal_token token_with(const char *token_id, uint32_t scopes)
{
	struct journal_token token = { .scopes = scopes };

	STR_SET(token.token_id, token_id);
	return token;
}

static inline struct reader *reader_of_token(struct stage *stage, const struct journal_token *token)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	const struct hub_sink sink = { reader_send, reader_queued, reader_sent, reader_closed,
				       reader };

	reader->stage = stage;
	list_push_back(&stage->readers, &reader->node);
	reader->peer = hub_peer_create(stage->hub, &sink, token);
	return reader;
}

static inline struct reader *reader_join(struct stage *stage)
{
	const struct journal_token token =
		token_with("tok_all", AUTH_OPS | AUTH_READ | AUTH_MARKET);

	return reader_of_token(stage, &token);
}

static inline void reader_leave(struct reader *reader)
{
	hub_peer_destroy(reader->peer);
	while (reader->count > 0) {
		ws_frame_unref(reader->frames[reader->first]);
		reader->first = (reader->first + 1) % READER_FRAMES;
		reader->count--;
	}
	list_remove(&reader->node);
	mem_free(reader);
}

static inline bool reader_wish(struct reader *reader, const struct hub_wish *wish, struct err *err)
{
	return hub_subscribe(reader->peer, wish, err);
}

/* Without a position. */
static inline void reader_follow(struct reader *reader, const char *channel)
{
	struct hub_wish wish = { .id = 1 };
	struct err err;

	STR_SET(wish.channel, channel);
	if (!reader_wish(reader, &wish, &err))
		fail_msg("%s", err.text);
}

static inline void reader_resume(struct reader *reader, const char *channel, uint64_t seq)
{
	struct hub_wish wish = { .id = 2, .has_after = true, .seq = seq };
	struct err err;

	STR_SET(wish.channel, channel);
	STR_SET(wish.epoch, journal_epoch(reader->stage->rig->journal));
	if (!reader_wish(reader, &wish, &err))
		fail_msg("%s", err.text);
}

static inline void reader_quit(struct reader *reader, const char *channel)
{
	struct err err;

	if (!hub_unsubscribe(reader->peer, 9, channel, &err))
		fail_msg("%s", err.text);
}

/* The next message of those queued; NULL: none. */
static inline const char *reader_read(struct reader *reader)
{
	struct ws_frame *frame;
	size_t len;

	if (reader->count == 0)
		return NULL;
	frame = reader->frames[reader->first];
	reader->first = (reader->first + 1) % READER_FRAMES;
	reader->count--;
	reader->bytes -= ws_frame_size(frame);
	reader->sent += ws_frame_size(frame);
	if (!STR_SET(reader->text, ws_frame_payload(frame, &len)))
		fail_msg("a message of %zu bytes", len);
	ws_frame_unref(frame);
	if (reader->count == 0 && !reader->close_code)
		hub_peer_drained(reader->peer);
	return reader->text;
}

/* Double quotes as single ones, and each time of ours as T. */
static inline void make_plain(char *text)
{
	static const char ts[] = "'ts':'";
	char *at;

	for (at = text; *at != '\0'; at++)
		if (*at == '"')
			*at = '\'';
	at = strstr(text, ts);
	if (!at)
		return;
	at += strlen(ts);
	*at++ = 'T';
	memmove(at, at + WALL_TEXT_LEN - 2, strlen(at + WALL_TEXT_LEN - 2) + 1);
}

static inline void assert_reads(struct reader *reader, const char *expected)
{
	if (!reader_read(reader))
		fail_msg("nothing to read; expected %s", expected);
	make_plain(reader->text);
	assert_string_equal(reader->text, expected);
}

static inline void assert_nothing(struct reader *reader)
{
	const char *text = reader_read(reader);

	if (text)
		fail_msg("unexpected: %s", text);
}

static inline void reader_skip(struct reader *reader, size_t count)
{
	while (count-- > 0)
		assert_non_null(reader_read(reader));
}

/* ---- what happens ------------------------------------------------------------------------- */

/* An event of a channel, appended but not yet durable. */
static inline void stage_append(struct stage *stage, enum channel channel, const char *token_id,
				const char *symbol, const char *data)
{
	struct journal_write *write = journal_write_create();
	struct channel_event event = { .channel = channel, .type = "test.happened", .data = data };

	STR_SET(event.token_id, token_id);
	STR_SET(event.symbol, symbol);
	event.at.us = RIG_NOW;
	journal_write_event(write, &event, false);
	rig_append(stage->rig, "event", JOURNAL_FACT, write);
}

/* The same, told. */
static inline void stage_tell(struct stage *stage, enum channel channel, const char *token_id,
			      const char *data)
{
	stage_append(stage, channel, token_id, "ADAUSDM", data);
	stage_settle(stage);
}

static inline void stage_tell_many(struct stage *stage, enum channel channel, int count)
{
	for (int i = 0; i < count; i++) {
		char data[96];

		snprintf(data, sizeof(data), "{\"n\":%d,\"filling\":\"%060d\"}", i, 0);
		stage_append(stage, channel, "tok_a", "ADAUSDM", data);
		if (i % 100 == 99)
			stage_settle(stage);
	}
	stage_settle(stage);
}
#endif
