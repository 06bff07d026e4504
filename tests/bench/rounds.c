#include "tests/bench/rounds.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

#define LINE_MAX_LEN 256

int64_t rounds_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool rounds_next(int64_t *numbers, size_t count)
{
	char line[LINE_MAX_LEN];
	char *at = line;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	for (size_t i = 0; i < count; i++) {
		char *end;

		numbers[i] = strtoll(at, &end, 10);
		if (end == at || numbers[i] < 0 || numbers[i] > ROUNDS_MAX)
			rounds_fail("a round is %zu numbers up to %d", count, ROUNDS_MAX);
		at = end;
	}
	return true;
}

void samples_begin(struct samples *samples, int64_t wanted)
{
	samples_fini(samples);
	samples->wanted = wanted > 0 ? (size_t)wanted : 1;
	samples->ns = mem_array(samples->wanted, sizeof(*samples->ns));
}

void samples_start(struct samples *samples)
{
	samples->since = rounds_now_ns();
}

bool samples_stop(struct samples *samples)
{
	samples->ns[samples->count++] = rounds_now_ns() - samples->since;
	return samples->count < samples->wanted;
}

void samples_print(const struct samples *samples)
{
	printf("{\"ns\":[");
	for (size_t i = 0; i < samples->count; i++)
		printf("%s%" PRId64, i ? "," : "", samples->ns[i]);
	printf("]}\n");
	fflush(stdout);
}

void samples_fini(struct samples *samples)
{
	mem_free(samples->ns);
	*samples = (struct samples){ .ns = NULL };
}

void rounds_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}
