#include "server/tape.h"

#include <string.h>

#include "base/mem.h"

#define REMEMBERED_MIN 512 /* several times the backlog of a connection */

struct tape {
	struct dd_trade *trades; /* by time, oldest first */
	size_t count, room, shown;
	bool has_dropped; /* what is older than the oldest may have been here */
	bool has_begun;   /* it was told something, if only that there is nothing */
};

struct tape *tape_create(size_t kept)
{
	struct tape *tape = mem_alloc(sizeof(*tape));

	tape->shown = kept;
	tape->room = kept < REMEMBERED_MIN ? REMEMBERED_MIN : kept;
	tape->trades = mem_array(tape->room, sizeof(*tape->trades));
	return tape;
}

void tape_destroy(struct tape *tape)
{
	if (!tape)
		return;
	mem_free(tape->trades);
	mem_free(tape);
}

static bool is_equal(const struct dd_trade *a, const struct dd_trade *b)
{
	return a->at.us == b->at.us && a->side == b->side && decimal_cmp(a->price, b->price) == 0 &&
	       decimal_cmp(a->base_qty, b->base_qty) == 0;
}

/* How many of the tape are not newer than this time. */
static size_t place_of(const struct tape *tape, struct wall at)
{
	size_t low = 0, high = tape->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tape->trades[middle].at.us <= at.us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t count_known(const struct tape *tape, const struct dd_trade *trade)
{
	size_t known = 0;

	for (size_t i = place_of(tape, trade->at);
	     i > 0 && tape->trades[i - 1].at.us == trade->at.us; i--)
		known += is_equal(&tape->trades[i - 1], trade);
	return known;
}

static size_t count_before(const struct dd_trade *trades, size_t at)
{
	size_t before = 0;

	for (size_t i = at; i > 0 && trades[i - 1].at.us == trades[at].at.us; i--)
		before += is_equal(&trades[i - 1], &trades[at]);
	return before;
}

static bool is_forgotten(const struct tape *tape, const struct dd_trade *trade)
{
	return tape->has_dropped && trade->at.us < tape->trades[0].at.us;
}

static void insert(struct tape *tape, const struct dd_trade *trade)
{
	size_t at;

	if (tape->count == tape->room) {
		tape->count--;
		memmove(tape->trades, tape->trades + 1, tape->count * sizeof(*trade));
		tape->has_dropped = true;
	}
	at = place_of(tape, trade->at);
	memmove(tape->trades + at + 1, tape->trades + at, (tape->count - at) * sizeof(*trade));
	tape->trades[at] = *trade;
	tape->count++;
}

bool tape_follows(const struct tape *tape, const struct dd_trade *trades, size_t count)
{
	bool is_known = !tape->has_begun || tape->count + count == 0;

	for (size_t i = 0; !is_known && i < count; i++)
		is_known = is_forgotten(tape, &trades[i]) || count_known(tape, &trades[i]) > 0;
	return is_known;
}

void tape_take(struct tape *tape, const struct dd_trade *trades, size_t count,
	       void (*fn)(void *arg, const struct dd_trade *trade), void *arg)
{
	tape->has_begun = true;
	for (size_t i = 0; i < count; i++) {
		/* Equal ones of this message are on the tape by now, too: the first k of them were
		 * either known or have just been added, so more than k means known. */
		if (is_forgotten(tape, &trades[i]) ||
		    count_known(tape, &trades[i]) > count_before(trades, i))
			continue;
		insert(tape, &trades[i]);
		fn(arg, &trades[i]);
	}
}

const struct dd_trade *tape_trades(const struct tape *tape, size_t *count)
{
	*count = tape->count < tape->shown ? tape->count : tape->shown;
	return tape->trades + (tape->count - *count);
}
