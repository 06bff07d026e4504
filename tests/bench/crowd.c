/* crowd KIND PORT READERS SLEEPERS PID [CHANNEL] - subscribers of a server, and what they get.
 *
 * KIND is one of dialect.h's; PID the server's, for the processor time it takes. Sleepers subscribe
 * and never read. A round is four numbers, BURST RATE MS SIZE:
 *   0 0 0 SIZE     one message, which every reader must get
 *   BURST 0 MS SIZE  as fast as the server can, BURST messages at a time; the next ones when
 *                    these are out, so many times that it takes about MS
 *   0 RATE MS SIZE   RATE messages a second, each with the time of its making in it
 *   0 0 COUNT SIZE   the daemon's stream: all join anew, and leave when so many events have come
 * A server that is no broker hands each text it is sent to all its subscribers; "#64 10" has it
 * send 64 times the last text, 10 times over, each time when nothing waits any more. The
 * daemon's stream cannot be told anything: there a round only listens, for MS. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/bench/cpu.h"
#include "tests/bench/rounds.h"
#include "tests/bench/dialect.h"

#define ROOM          (1 << 20) /* of what is read at once */
#define EVENTS        256
#define CHECKED_EVERY 50 /* of the readers: each message is looked at; others are counted */
#define BURST_MAX     256
#define SIZE_MAX_     8192
#define QUIET_MS      150
#define WARM_NS       400000000
#define LOST_NS       INT64_C(5000000000) /* what has not come by then was dropped */
#define TURNS_MAX     20000
#define STAMP_LEN     20
#define DELAY_MAX_US  1000000

struct member {
	int fd;
	bool is_checked; /* in rounds that only count */
	uint64_t messages;
	char *rest; /* the start of a message whose end is to come */
	size_t rest_len, rest_room;
};

struct crowd {
	const struct dialect *dialect;
	bool is_stream;
	struct member *members;
	unsigned reader_count, count, gone;
	int epoll, publisher;
	unsigned port;
	long pid;
	const char *channel;
	int64_t joined; /* when the first one began to */
	char *room;
	char text[SIZE_MAX_ + 1];
	size_t size;
	bool is_counting; /* bytes alone, but for those that are checked */
	bool is_timing;   /* each message has the time of its making in it */
	uint64_t bytes, messages, skipped;
	/* How many took so many microseconds: from their making, and from when the daemon had
	 * them. */
	uint32_t *delays, *own_delays;
};

/* ---- what comes -------------------------------------------------------------------------- */

static void note_delay(uint32_t *delays, int64_t us)
{
	delays[us < 0 ? 0 : us > DELAY_MAX_US ? DELAY_MAX_US : us]++;
}

/* The time behind a name, or 0. */
static int64_t time_at(const struct dialect_message *message, const char *name)
{
	const char *at = memmem(message->payload, message->len, name, strlen(name));
	char text[WALL_TEXT_LEN];
	struct wall time;

	if (!at || (size_t)(message->payload + message->len - at) < strlen(name) + sizeof(text))
		return 0;
	memcpy(text, at + strlen(name), sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return wall_parse(text, &time) ? time.us : 0;
}

static bool note_event(struct crowd *crowd, const struct dialect_message *message)
{
	static const char event[] = "{\"op\":\"event\"", skipped[] = "\"skipped\":";
	const char *at;
	int64_t now, made;

	if (message->len < sizeof(event) || memcmp(message->payload, event, sizeof(event) - 1) != 0)
		return false;
	at = memmem(message->payload, message->len, skipped, sizeof(skipped) - 1);
	if (at)
		crowd->skipped += strtoul(at + sizeof(skipped) - 1, NULL, 10);
	if (!crowd->is_timing)
		return true;
	now = wall_now().us;
	made = time_at(message, "\"exchange_time\":\"");
	if (made > 0)
		note_delay(crowd->delays, now - made);
	made = time_at(message, "\"ts\":\"");
	if (made > 0)
		note_delay(crowd->own_delays, now - made);
	return true;
}

static bool note_message(struct crowd *crowd, const struct dialect_message *message)
{
	if (!message->payload)
		return false;
	if (crowd->is_stream)
		return note_event(crowd, message);
	if (message->len != crowd->size ||
	    memcmp(message->payload + STAMP_LEN, crowd->text + STAMP_LEN,
		   crowd->size - STAMP_LEN) != 0)
		rounds_fail("a message came that nobody sent");
	if (crowd->is_timing)
		note_delay(crowd->delays,
			   wall_now().us - (int64_t)strtoll(message->payload, NULL, 10));
	return true;
}

static void keep_rest(struct member *member, const char *bytes, size_t len)
{
	if (len > DIALECT_MESSAGE_MAX)
		rounds_fail("a message without an end");
	if (len > member->rest_room) {
		member->rest = mem_grow(member->rest, len);
		member->rest_room = len;
	}
	if (len > 0)
		memcpy(member->rest, bytes, len);
	member->rest_len = len;
}

static void take_messages(struct crowd *crowd, struct member *member, size_t len)
{
	const char *at = crowd->room, *end = crowd->room + len;
	struct dialect_message message;
	size_t used;

	while (at < end && (used = crowd->dialect->next(at, (size_t)(end - at), &message)) > 0) {
		at += used;
		if (message.is_ping)
			dialect_pong(member->fd);
		if (!note_message(crowd, &message))
			continue;
		member->messages++;
		crowd->messages++;
	}
	keep_rest(member, at, (size_t)(end - at));
}

static void leave(struct crowd *crowd, struct member *member)
{
	close(member->fd);
	member->fd = -1;
	crowd->gone++;
}

static void read_some(struct crowd *crowd, struct member *member)
{
	bool is_counted = crowd->is_counting && !member->is_checked;
	size_t rest = is_counted ? 0 : member->rest_len;
	ssize_t got;

	if (rest > 0)
		memcpy(crowd->room, member->rest, rest);
	/* To be counted they need not be copied: the server is what is measured. */
	got = recv(member->fd, crowd->room + rest, ROOM - rest,
		   MSG_DONTWAIT | (is_counted ? MSG_TRUNC : 0));
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		leave(crowd, member);
		return;
	}
	crowd->bytes += (uint64_t)got;
	if (!is_counted)
		take_messages(crowd, member, rest + (size_t)got);
}

/* False when nothing came within the time. */
static bool listen_for(struct crowd *crowd, int64_t ns)
{
	struct timespec patience = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct epoll_event events[EVENTS];
	int count = epoll_pwait2(crowd->epoll, events, EVENTS, &patience, NULL);

	if (count < 0 && errno != EINTR)
		rounds_fail("epoll_pwait2: %s", strerror(errno));
	for (int i = 0; i < count; i++)
		read_some(crowd, events[i].data.ptr);
	return count > 0;
}

static void listen_until(struct crowd *crowd, int64_t deadline)
{
	int64_t left;

	while ((left = deadline - rounds_now_ns()) > 0)
		listen_for(crowd, left);
}

static void listen_until_quiet(struct crowd *crowd)
{
	while (listen_for(crowd, (int64_t)QUIET_MS * 1000000))
		;
}

/* ---- coming and going -------------------------------------------------------------------- */

static void join(struct crowd *crowd, unsigned number)
{
	struct member *member = &crowd->members[number];
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = member };

	member->fd = dialect_connect(crowd->port);
	member->is_checked = number % CHECKED_EVERY == 0;
	crowd->dialect->join(member->fd, number, crowd->channel);
	if (number < crowd->reader_count &&
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event) != 0)
		rounds_fail("epoll_ctl: %s", strerror(errno));
}

static void join_all(struct crowd *crowd)
{
	crowd->joined = rounds_now_ns();
	for (unsigned i = 0; i < crowd->count; i++)
		join(crowd, i);
	crowd->publisher = crowd->members[0].fd;
	if (!crowd->dialect->is_broker)
		return;
	crowd->publisher = dialect_connect(crowd->port);
	crowd->dialect->join(crowd->publisher, crowd->count, NULL);
}

static void leave_all(struct crowd *crowd)
{
	if (crowd->dialect->is_broker)
		close(crowd->publisher);
	for (unsigned i = 0; i < crowd->count; i++) {
		if (crowd->members[i].fd >= 0)
			close(crowd->members[i].fd);
		mem_free(crowd->members[i].rest);
		crowd->members[i] = (struct member){ .fd = -1 };
	}
}

/* ---- what is sent ------------------------------------------------------------------------ */

static void say(const struct crowd *crowd, const char *text, size_t len, unsigned count)
{
	static char bytes[BURST_MAX * (SIZE_MAX_ + DIALECT_AROUND_MAX)];
	size_t at = 0;

	for (unsigned i = 0; i < count; i++)
		at += crowd->dialect->publish(bytes + at, text, len);
	dialect_send(crowd->publisher, bytes, at);
}

static void say_stamped(struct crowd *crowd)
{
	char stamp[STAMP_LEN + 1];

	snprintf(stamp, sizeof(stamp), "%0*" PRId64, STAMP_LEN, wall_now().us);
	memcpy(crowd->text, stamp, STAMP_LEN);
	say(crowd, crowd->text, crowd->size, 1);
}

/* Every reader gets it; how long it is on the wire. */
static uint64_t say_to_all(struct crowd *crowd)
{
	int64_t deadline = rounds_now_ns() + INT64_C(10000000000);
	uint64_t bytes = crowd->bytes, messages = crowd->messages;

	crowd->is_counting = false;
	say_stamped(crowd);
	while (crowd->messages - messages < crowd->reader_count) {
		if (rounds_now_ns() > deadline)
			rounds_fail("%" PRIu64 " of %u readers got a message",
				    crowd->messages - messages, crowd->reader_count);
		listen_for(crowd, 100000000);
	}
	listen_until_quiet(crowd);
	return (crowd->bytes - bytes) / crowd->reader_count;
}

/* ---- rounds ------------------------------------------------------------------------------ */

struct result {
	int64_t ns, cpu_ns;
	uint64_t messages, bytes, lost, wire_len;
};

/* False when some have been dropped. */
static bool listen_to(struct crowd *crowd, uint64_t bytes)
{
	while (crowd->bytes < bytes)
		if (!listen_for(crowd, LOST_NS))
			return false;
	return true;
}

static void push_bursts(struct crowd *crowd, int64_t burst, int64_t turns, uint64_t burst_bytes)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "#%" PRId64 " %" PRId64, burst, turns);

	if (!crowd->dialect->is_broker) {
		say(crowd, text, (size_t)len, 1);
		listen_to(crowd, crowd->bytes + (uint64_t)turns * burst_bytes);
		return;
	}
	for (; turns > 0; turns--) {
		uint64_t bytes = crowd->bytes + burst_bytes;

		say(crowd, crowd->text, crowd->size, (unsigned)burst);
		if (!listen_to(crowd, bytes))
			break;
	}
}

/* From the first byte to the last: what is counted is all that the server's time went into. */
static void run_bursts(struct crowd *crowd, int64_t burst, int64_t turns, struct result *result)
{
	uint64_t burst_bytes = (uint64_t)burst * result->wire_len * crowd->reader_count;
	uint64_t bytes = crowd->bytes;
	int64_t since = rounds_now_ns(), cpu = cpu_of(crowd->pid);

	push_bursts(crowd, burst, turns, burst_bytes);
	result->ns = rounds_now_ns() - since;
	result->cpu_ns = cpu_of(crowd->pid) - cpu;
	result->bytes = crowd->bytes - bytes;
	result->messages = result->bytes / result->wire_len;
	result->lost = (uint64_t)(turns * burst) * crowd->reader_count - result->messages;
}

static void saturate(struct crowd *crowd, int64_t burst, int64_t ms, struct result *result)
{
	int64_t turns;

	result->wire_len = say_to_all(crowd);
	crowd->is_counting = true;
	run_bursts(crowd, burst, 1, result); /* warms up, and shows how long one takes */
	turns = ms * 1000000 / (result->ns + 1) + 1;
	run_bursts(crowd, burst, turns < TURNS_MAX ? turns : TURNS_MAX, result);
}

/* What has come while nobody listened is not of this round. */
static void warm_up(struct crowd *crowd)
{
	listen_until(crowd, rounds_now_ns() + WARM_NS);
}

/* The daemon is as busy as it can be by other means, which end soon after this. */
static void watch(struct crowd *crowd, int64_t ms, struct result *result)
{
	uint64_t bytes, messages;
	int64_t since, cpu;

	warm_up(crowd);
	bytes = crowd->bytes;
	messages = crowd->messages;
	since = rounds_now_ns();
	cpu = cpu_of(crowd->pid);
	listen_until(crowd, since + ms * 1000000);
	result->ns = rounds_now_ns() - since;
	result->cpu_ns = cpu_of(crowd->pid) - cpu;
	result->bytes = crowd->bytes - bytes;
	result->messages = crowd->messages - messages;
	listen_until_quiet(crowd);
}

static void pace(struct crowd *crowd, int64_t rate, int64_t ms, struct result *result)
{
	uint64_t messages, bytes;
	int64_t since, cpu;

	crowd->is_counting = false;
	if (crowd->is_stream)
		warm_up(crowd);
	crowd->is_timing = true;
	messages = crowd->messages;
	bytes = crowd->bytes;
	since = rounds_now_ns();
	cpu = cpu_of(crowd->pid);
	for (int64_t i = 1; !crowd->is_stream && i <= rate * ms / 1000; i++) {
		say_stamped(crowd);
		listen_until(crowd, since + i * 1000000000 / rate);
	}
	listen_until(crowd, since + ms * 1000000);
	result->ns = rounds_now_ns() - since;
	result->cpu_ns = cpu_of(crowd->pid) - cpu;
	if (!crowd->is_stream)
		listen_until_quiet(crowd);
	result->messages = crowd->messages - messages;
	result->bytes = crowd->bytes - bytes;
	crowd->is_timing = false;
}

static void catch_up(struct crowd *crowd, int64_t wanted, struct result *result)
{
	uint64_t messages = crowd->messages, bytes = crowd->bytes;

	leave_all(crowd);
	join_all(crowd);
	while (crowd->messages - messages < (uint64_t)wanted)
		if (!listen_for(crowd, INT64_C(20000000000)) || crowd->gone > 0)
			rounds_fail("a reader was left behind after %" PRIu64 " events",
				    crowd->messages - messages);
	result->ns = rounds_now_ns() - crowd->joined;
	result->messages = crowd->messages - messages;
	result->bytes = crowd->bytes - bytes;
	leave_all(crowd);
}

static int64_t percentile(const uint32_t *delays, double share)
{
	uint64_t count = 0, seen = 0;
	int64_t us;

	for (us = 0; us <= DELAY_MAX_US; us++)
		count += delays[us];
	for (us = 0; us < DELAY_MAX_US; us++) {
		seen += delays[us];
		if ((double)seen >= (double)count * share)
			break;
	}
	return us;
}

static void print_result(const struct crowd *crowd, const struct result *result)
{
	printf("{\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"ns\":%" PRId64
	       ",\"cpu_ns\":%" PRId64 ",\"wire_len\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"skipped\":%" PRIu64 ",\"gone\":%u,\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64
	       ",\"own_p50_us\":%" PRId64 ",\"own_p99_us\":%" PRId64 "}\n",
	       result->messages, result->bytes, result->ns, result->cpu_ns, result->wire_len,
	       result->lost, crowd->skipped, crowd->gone, percentile(crowd->delays, 0.5),
	       percentile(crowd->delays, 0.99), percentile(crowd->own_delays, 0.5),
	       percentile(crowd->own_delays, 0.99));
	fflush(stdout);
}

static void do_round(struct crowd *crowd, const int64_t *numbers)
{
	struct result result = { .ns = 0 };

	if (numbers[0] > BURST_MAX || numbers[3] < STAMP_LEN || numbers[3] > SIZE_MAX_)
		rounds_fail("a round has at most %d messages of %d to %d bytes at once", BURST_MAX,
			    STAMP_LEN, SIZE_MAX_);
	crowd->size = (size_t)numbers[3];
	crowd->skipped = 0;
	memset(crowd->delays, 0, (DELAY_MAX_US + 1) * sizeof(*crowd->delays));
	memset(crowd->own_delays, 0, (DELAY_MAX_US + 1) * sizeof(*crowd->own_delays));
	if (numbers[0] > 0 && crowd->is_stream)
		watch(crowd, numbers[2], &result);
	else if (numbers[0] > 0)
		saturate(crowd, numbers[0], numbers[2], &result);
	else if (numbers[1] > 0)
		pace(crowd, numbers[1], numbers[2], &result);
	else if (crowd->is_stream)
		catch_up(crowd, numbers[2], &result);
	else
		result.wire_len = say_to_all(crowd);
	print_result(crowd, &result);
}

/* ---- from start to end ------------------------------------------------------------------- */

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct crowd crowd = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
	int64_t numbers[4];

	if (argc < 6)
		rounds_fail("usage: crowd KIND PORT READERS SLEEPERS PID [CHANNEL]");
	raise_file_limit();
	crowd.dialect = dialect_find(argv[1]);
	crowd.is_stream = strcmp(argv[1], "stream") == 0;
	crowd.reader_count = (unsigned)strtoul(argv[3], NULL, 10);
	crowd.count = crowd.reader_count + (unsigned)strtoul(argv[4], NULL, 10);
	crowd.port = (unsigned)strtoul(argv[2], NULL, 10);
	crowd.pid = strtol(argv[5], NULL, 10);
	crowd.channel = argc > 6 ? argv[6] : "";
	crowd.members = mem_array(crowd.count, sizeof(*crowd.members));
	crowd.room = mem_alloc(ROOM);
	crowd.delays = mem_array(DELAY_MAX_US + 1, sizeof(*crowd.delays));
	crowd.own_delays = mem_array(DELAY_MAX_US + 1, sizeof(*crowd.own_delays));
	memset(crowd.text, 'x', SIZE_MAX_);
	join_all(&crowd);
	while (rounds_next(numbers, 4))
		do_round(&crowd, numbers);
	leave_all(&crowd);
	close(crowd.epoll);
	mem_free(crowd.members);
	mem_free(crowd.room);
	mem_free(crowd.delays);
	mem_free(crowd.own_delays);
	return 0;
}
