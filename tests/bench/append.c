/* append DIRECTORY - durable appends: the journal's, and a bare loop's of as many bytes.
 *
 * Each round is three numbers, WAITING BYTES MS. The journal is the daemon's own with its
 * thread: WAITING writers append an order's row and its line of history, and again as soon as
 * that is acknowledged; of an order that has ended, since room on the disk is held for those that
 * live, of which the exchange's rate allows no thousands. With 0 of them it is the bare loop: BYTES
 * are written and made durable with fdatasync(), again and again, in a file of that directory whose
 * blocks are all there already, since growing it would cost the loop more. "bytes" of the answer is
 * what the process handed to the kernel in that round. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/journal.h"
#include "tests/bench/rounds.h"

#define WAITING_MAX   1000
#define BARE_FILE_LEN (16 * 1024 * 1024)

struct bench {
	struct loop *loop;
	struct journal *journal;
	int64_t waiting; /* writers not acknowledged */
	int64_t appends, until_ns;
	int bare_fd;
	char *bare_bytes; /* ROUNDS_MAX of them */
};

/* ---- the journal ------------------------------------------------------------------------ */

static struct order make_order(void)
{
	struct order order = { .facts = { .state = ORDER_REJECTED } };
	struct order_terms *terms = &order.terms;

	terms->created_at = order.facts.updated_at = wall_now();
	order_make_id("ord_", terms->created_at, terms->order_id);
	order_make_id("req_", terms->created_at, terms->request_id);
	STR_SET(terms->client_order_id, terms->order_id);
	STR_SET(terms->token_id, "tok_bench");
	STR_SET(terms->app, "bench");
	STR_SET(terms->body_hash,
		"6f1ed002ab5595859014ebf0951522d9a3bbdfa1fc2d3b9c3b2d1f1b5f9c1a55");
	STR_SET(terms->symbol, "ADAUSDM");
	terms->side = ORDER_BUY;
	terms->type = ORDER_LIMIT;
	terms->has_base_qty = terms->has_price = true;
	terms->base_qty = (struct decimal){ .units = 100, .scale = 0 };
	terms->price = (struct decimal){ .units = 45, .scale = 2 };
	terms->max_slippage_bp = -1;
	return order;
}

static void append(struct bench *bench);

static void appended(void *arg, const struct err *err)
{
	struct bench *bench = arg;

	if (err)
		rounds_fail("append: %s", err->text);
	bench->appends++;
	bench->waiting--;
	if (rounds_now_ns() < bench->until_ns)
		append(bench);
	else if (bench->waiting == 0)
		loop_stop(bench->loop);
}

static void append(struct bench *bench)
{
	struct order order = make_order();
	struct journal_step step = { .event = "accepted",
				     .cause = "app",
				     .request_id = order.terms.request_id,
				     .token_id = order.terms.token_id };
	struct journal_write *write = journal_write_create();

	journal_write_order(write, &order, &step);
	bench->waiting++;
	journal_append(bench->journal, JOURNAL_INTENT, write, appended, bench);
}

static void journal_round(struct bench *bench, int64_t waiting)
{
	for (int64_t i = 0; i < waiting; i++)
		append(bench);
	loop_run(bench->loop);
}

/* ---- the bare loop ---------------------------------------------------------------------- */

static void bare_round(struct bench *bench, size_t len)
{
	off_t at = 0;

	while (rounds_now_ns() < bench->until_ns) {
		if (pwrite(bench->bare_fd, bench->bare_bytes, len, at) != (ssize_t)len ||
		    fdatasync(bench->bare_fd) != 0)
			rounds_fail("write: %s", strerror(errno));
		at += (off_t)len;
		if (at + (off_t)len > BARE_FILE_LEN)
			at = 0;
		bench->appends++;
	}
}

static void bare_open(struct bench *bench, const char *directory)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/bare", directory);
	bench->bare_bytes = mem_alloc(ROUNDS_MAX);
	memset(bench->bare_bytes, 'x', ROUNDS_MAX);
	bench->bare_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (bench->bare_fd < 0)
		rounds_fail("%s: %s", path, strerror(errno));
	for (off_t at = 0; at < BARE_FILE_LEN; at += ROUNDS_MAX)
		if (pwrite(bench->bare_fd, bench->bare_bytes, ROUNDS_MAX, at) != ROUNDS_MAX)
			rounds_fail("%s: %s", path, strerror(errno));
	if (fsync(bench->bare_fd) != 0)
		rounds_fail("%s: %s", path, strerror(errno));
}

/* ---- both ------------------------------------------------------------------------------- */

static int64_t bytes_written(void)
{
	static const char name[] = "wchar:";
	FILE *file = fopen("/proc/self/io", "re");
	char line[128];
	int64_t bytes = -1;

	while (file && bytes < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			bytes = strtoll(line + strlen(name), NULL, 10);
	if (bytes < 0)
		rounds_fail("/proc/self/io does not say how much was written");
	fclose(file);
	return bytes;
}

static void run_round(struct bench *bench, int64_t waiting, int64_t len, int64_t ms)
{
	int64_t bytes = bytes_written();
	int64_t since = rounds_now_ns();

	if (waiting > WAITING_MAX || (waiting == 0 && len == 0))
		rounds_fail("up to %d writers, or some bytes", WAITING_MAX);
	bench->appends = 0;
	bench->until_ns = since + ms * 1000000;
	if (waiting > 0)
		journal_round(bench, waiting);
	else
		bare_round(bench, (size_t)len);
	printf("{\"appends\":%" PRId64 ",\"ns\":%" PRId64 ",\"bytes\":%" PRId64 "}\n",
	       bench->appends, rounds_now_ns() - since, bytes_written() - bytes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bench bench = { .loop = loop_create() };
	struct journal_config config = { .network = "simulated", .queue_max = WAITING_MAX };
	char path[512];
	int64_t numbers[3];
	size_t lost;
	struct err err;

	if (argc != 2)
		rounds_fail("usage: append DIRECTORY");
	log_configure(LOG_WARN, LOG_JSON);
	snprintf(path, sizeof(path), "%s/journal.db", argv[1]);
	config.path = path;
	if (!journal_open(bench.loop, &config, &bench.journal, &err))
		rounds_fail("%s", err.text);
	bare_open(&bench, argv[1]);
	while (rounds_next(numbers, 3))
		run_round(&bench, numbers[0], numbers[1], numbers[2]);
	journal_close(bench.journal, &lost);
	loop_destroy(bench.loop);
	close(bench.bare_fd);
	mem_free(bench.bare_bytes);
	return 0;
}
