#include "client/limiter.h"

#include <assert.h>
#include <string.h>

#define TOKEN_U 1000000

void bucket_init(struct bucket *bucket, int64_t capacity, int64_t refill_m, struct mono now)
{
	assert(capacity > 0 && refill_m > 0);
	bucket->capacity_u = capacity * TOKEN_U;
	bucket->tokens_u = bucket->capacity_u;
	bucket->spare_n = 0;
	bucket->refill_m = refill_m;
	bucket->filled = now;
}

static void bucket_fill(struct bucket *bucket, struct mono now)
{
	int64_t passed_us = mono_diff_us(now, bucket->filled);
	int64_t gained_n;

	if (passed_us <= 0)
		return;
	/* One token per second is one millionth per microsecond. An hour fills any bucket, and
	 * keeps the product within 64 bits. */
	if (passed_us > INT64_C(3600) * 1000000)
		passed_us = INT64_C(3600) * 1000000;
	/* What many short looks each gain below a millionth adds up: it is kept. */
	gained_n = passed_us * bucket->refill_m + bucket->spare_n;
	bucket->tokens_u += gained_n / 1000;
	bucket->spare_n = gained_n % 1000;
	if (bucket->tokens_u >= bucket->capacity_u) {
		bucket->tokens_u = bucket->capacity_u;
		bucket->spare_n = 0;
	}
	bucket->filled = now;
}

int64_t bucket_tokens_u(struct bucket *bucket, struct mono now)
{
	bucket_fill(bucket, now);
	return bucket->tokens_u;
}

bool bucket_has(struct bucket *bucket, struct mono now)
{
	return bucket_tokens_u(bucket, now) >= TOKEN_U;
}

bool bucket_take(struct bucket *bucket, struct mono now)
{
	if (!bucket_has(bucket, now))
		return false;
	bucket->tokens_u -= TOKEN_U;
	return true;
}

struct mono bucket_ready(struct bucket *bucket, struct mono now)
{
	int64_t missing_u = TOKEN_U - bucket_tokens_u(bucket, now);

	if (missing_u <= 0)
		return now;
	/* Counted from the last filling, rounded up. */
	return (struct mono){ bucket->filled.us +
			      (missing_u * 1000 - bucket->spare_n + bucket->refill_m - 1) /
				      bucket->refill_m };
}

void window_init(struct window *window, int slots, int64_t length_us)
{
	assert(slots > 0 && slots <= WINDOW_SLOTS_MAX);
	memset(window, 0, sizeof(*window));
	window->slots = slots;
	window->length_us = length_us;
}

static bool slot_is_free(const struct window *window, int slot, struct mono now)
{
	if (window->slot[slot].in_flight)
		return false;
	return window->slot[slot].sent.us == 0 ||
	       mono_diff_us(now, window->slot[slot].sent) >= window->length_us;
}

int window_take(struct window *window, struct mono now)
{
	for (int slot = 0; slot < window->slots; slot++) {
		if (slot_is_free(window, slot, now)) {
			window->slot[slot].in_flight = true;
			return slot;
		}
	}
	return -1;
}

bool window_has(const struct window *window, struct mono now)
{
	for (int slot = 0; slot < window->slots; slot++) {
		if (slot_is_free(window, slot, now))
			return true;
	}
	return false;
}

void window_sent(struct window *window, int slot, struct mono sent)
{
	assert(slot >= 0 && slot < window->slots && window->slot[slot].in_flight);
	window->slot[slot].in_flight = false;
	window->slot[slot].sent = sent;
}

struct mono window_ready(const struct window *window, struct mono now)
{
	struct mono first = { 0 };

	for (int slot = 0; slot < window->slots; slot++) {
		struct mono free_at;

		if (slot_is_free(window, slot, now))
			return now;
		if (window->slot[slot].in_flight)
			continue;
		free_at.us = window->slot[slot].sent.us + window->length_us;
		if (first.us == 0 || free_at.us < first.us)
			first = free_at;
	}
	return first;
}

int window_used(const struct window *window, struct mono now)
{
	int used = 0;

	for (int slot = 0; slot < window->slots; slot++)
		used += !slot_is_free(window, slot, now);
	return used;
}
