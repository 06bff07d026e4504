/* hub_text.h - the messages of the local stream, put into words.
 *
 * Each returns a new frame with one reference. out is the caller's place to write in, and is
 * empty again afterwards. Any thread. */
#ifndef SERVER_HUB_TEXT_H
#define SERVER_HUB_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "client/stream.h"
#include "server/json_out.h"

struct channel_view;
struct fill;
struct journal_balance;
struct order;
struct ws_frame;

/* id: -1 for none. market_live: NULL for channels that belong to no market. */
struct ws_frame *hub_text_subscribed(struct json_out *out, int64_t id, const char *channel,
				     uint64_t seq, bool is_recovered, const bool *market_live);
struct ws_frame *hub_text_unsubscribed(struct json_out *out, int64_t id, const char *channel);
struct ws_frame *hub_text_error(struct json_out *out, int64_t id, const struct err *err);
struct ws_frame *hub_text_status(struct json_out *out, const char *channel, bool is_live,
				 struct wall at);
struct ws_frame *hub_text_gap(struct json_out *out, const char *channel, uint64_t seq,
			      uint64_t prev, struct wall at, const char *reason);

struct hub_text_event {
	const char *channel;
	uint64_t seq, prev;
	struct wall at;
	const char *type;
	const char *data; /* JSON */
	size_t data_len;
	bool is_conflated; /* then it says how many were merged away between prev and seq */
};
/* The data is the last member: it stands from data_len + 1 before the payload's end. */
struct ws_frame *hub_text_event(struct json_out *out, const struct hub_text_event *event);

struct hub_text_snapshot {
	int64_t id;
	const char *channel;
	uint64_t seq;
	struct wall at;
	const char *data; /* JSON */
	size_t data_len;
};
struct ws_frame *hub_text_snapshot(struct json_out *out, const struct hub_text_snapshot *snapshot);

/* {"op":"hb","ts":"..","last":{...}} */
void hub_text_hb_begin(struct json_out *out, struct wall at);
void hub_text_hb_add(struct json_out *out, const char *channel, uint64_t seq);
struct ws_frame *hub_text_hb_end(struct json_out *out);

void hub_text_clear(struct json_out *out);

/* ---- data: into out, which the caller has inited --------------------------------------------- */

void hub_text_depth(struct json_out *out, const char *symbol, const struct dd_depth *depth);
void hub_text_price(struct json_out *out, const char *symbol, struct decimal price, struct wall at);
void hub_text_trade(struct json_out *out, const struct dd_trade *trade);
void hub_text_balance(struct json_out *out, const struct journal_balance *balance,
		      struct wall as_of);
#endif
