#include "server/upstream.h"

#include <string.h>

#include "server/backfill.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/reconcile.h"
#include "server/streams.h"
#include "server/venue.h"

#define STEADY_MS 30000 /* a connection that held so long starts the row of delays anew */
#define BACKLOG   50    /* of trades; the exchange's own default is not known */

static void create_sockets(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct dd_streams_config streams = { .url = config->stream_url,
					     .connect_ms = config->connect_timeout_ms,
					     .ping_ms = config->stream_ping_ms,
					     .pong_ms = config->stream_pong_ms,
					     .retry_min_ms = config->stream_retry_min_ms,
					     .retry_max_ms = config->stream_retry_max_ms,
					     .steady_ms = STEADY_MS,
					     .backlog = BACKLOG };

	daemon->exchange_streams =
		dd_streams_create(daemon->loop, daemon->ws, &streams, config->api_key);
}

static void note_account(void *arg, const struct streams_line *line)
{
	struct reconcile_stream *stream = arg;

	if (strcmp(line->name, dd_stream_kind_word(DD_STREAM_ACCOUNT)) != 0)
		return;
	stream->is_live = !line->is_stopped && line->status.state == DD_STREAM_LIVE;
	stream->reconnects = line->status.reconnects;
}

static void account_stream(void *arg, struct reconcile_stream *stream)
{
	const struct daemon *daemon = arg;

	memset(stream, 0, sizeof(*stream));
	if (daemon->streams)
		streams_each(daemon->streams, note_account, stream);
}

static void create_backfill(struct daemon *daemon)
{
	struct reconcile_config reconcile = {
		.interval_ms = daemon->config->reconcile_interval_ms,
		.poll_ms = daemon->config->poll_ms,
		.give_up_ms = daemon->config->settle_give_up_ms,
		.stream = account_stream,
	};
	struct backfill_parts parts = { .exchange = daemon->exchange,
					.scheduler = daemon->scheduler,
					.orders = daemon->orders,
					.venue = daemon->venue,
					.market = daemon->market,
					.check = daemon->check,
					.journal = daemon->journal };

	daemon->backfill = backfill_create(daemon->loop, &parts);
	reconcile.arg = daemon;
	daemon->reconcile = reconcile_create(daemon->loop, &reconcile, &parts, daemon->backfill);
}

static void key_swapped(void *arg, const struct secret *api_key)
{
	const struct daemon *daemon = arg;

	if (daemon->exchange_streams)
		dd_streams_set_api_key(daemon->exchange_streams, api_key);
}

void upstream_create(struct daemon *daemon)
{
	struct streams_config config = { .symbols = daemon->config->stream_symbols,
					 .linger_ms = daemon->config->stream_linger_ms };
	struct streams_parts parts = { .check = daemon->check,
				       .hub = daemon->hub,
				       .journal = daemon->journal,
				       .market = daemon->market,
				       .orders = daemon->orders };

	create_sockets(daemon);
	create_backfill(daemon);
	parts.exchange = daemon->exchange_streams;
	parts.backfill = daemon->backfill;
	daemon->streams = streams_create(daemon->loop, &config, &parts);
	venue_on_swap(daemon->venue, key_swapped, daemon);
}

bool upstream_start(struct daemon *daemon, struct err *err)
{
	if (!backfill_start(daemon->backfill, err))
		return false;
	streams_start(daemon->streams);
	reconcile_start(daemon->reconcile);
	return true;
}

void upstream_want(struct daemon *daemon, enum dd_stream_kind kind, const char *symbol,
		   bool is_wanted)
{
	if (daemon->streams)
		streams_want(daemon->streams, kind, symbol, is_wanted);
}

void upstream_stop(struct daemon *daemon)
{
	reconcile_stop(daemon->reconcile);
	streams_destroy(daemon->streams);
	daemon->streams = NULL;
	dd_streams_destroy(daemon->exchange_streams);
	daemon->exchange_streams = NULL;
}

void upstream_destroy(struct daemon *daemon)
{
	reconcile_destroy(daemon->reconcile);
	daemon->reconcile = NULL;
	backfill_destroy(daemon->backfill);
	daemon->backfill = NULL;
}
