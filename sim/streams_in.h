/* streams_in.h - what streams.c and stream_news.c share: the sockets, and how they are told.
 *
 * streams.c has the sockets, their coming, going and trouble; stream_news.c what they are told of
 * the exchange. For those two only. */
#ifndef SIM_STREAMS_IN_H
#define SIM_STREAMS_IN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/pace.h"
#include "sim/sim.h"
#include "sim/stream_line.h"
#include "sim/stream_name.h"

struct buf;
struct storm;
struct stream_door;
struct streams;
struct ws_peer;

#define STORMS_MAX   8
#define TRADES_FIRST 50 /* unless the handshake says how many */

struct stream_socket {
	struct list_node node; /* streams->sockets, from the handshake on */
	struct streams *streams;
	uint64_t id, record_seq;
	struct stream_name name;
	char text[STREAM_NAME_LEN];
	const struct account *account; /* NULL: came without key */
	struct ws_peer *peer;          /* NULL before it is open */
	struct stream_line line;
	struct wall since;
	size_t first_trades;
	unsigned changed; /* balances to be told: bit n is enum asset_id n */
	bool is_muted, is_ending, is_dropping;
};

struct streams {
	struct sim *sim;
	struct stream_door *door;
	struct list sockets;
	struct timer *timer;
	struct pace depths[PAIR_COUNT];
	const struct order *partly; /* a maker's fill was booked, and its order not told yet */
	struct mono next_ping, next_draw;
	uint64_t sockets_made, draws;
	bool was_locked;
	struct storm_slot {
		struct streams *streams;
		struct storm *storm;
		struct stream_name name;
	} storms[STORMS_MAX];
};

bool streams_have(const struct streams *streams, enum fault_switch which);
void streams_poke(struct streams *streams); /* something waits to be told */

void stream_news_on_event(void *arg, const struct exchange_event *event); /* arg: struct streams */
void stream_news_first(struct stream_socket *socket); /* what it is told once it is open */
void stream_news_flush(struct streams *streams, struct mono now); /* what waited to be told */
struct mono stream_news_due(const struct streams *streams); /* when the next has waited enough */
/* account NULL: whoever listens to name. */
void stream_news_say(struct streams *streams, const struct stream_name *name,
		     const struct account *account, const struct buf *message);
#endif
