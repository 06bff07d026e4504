/* The command that prints events as they happen, from one connection after the other.
 *
 * Server-sent events: the channels are in the URL, and what was received last on each goes along
 * with every new connection. The daemon may be restarted meanwhile; nothing is printed twice, and
 * what is missed is told. */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/chain.h"
#include "cli/event_line.h"
#include "cli/out.h"
#include "cli/print.h"
#include "cli/sse.h"
#include "cli/target.h"

#define EVENT_MAX     (64 * 1024 * 1024) /* a snapshot of very many orders */
#define LINES_MAX     (2 * EVENT_MAX)
#define TEXT_MAX      1024
#define SILENCE_MS    45000 /* until the daemon has said how often it shows that it is alive */
#define HEARTBEATS    3     /* silent for so many of them, it is gone */
#define HEARTBEAT_MAX 3600000
#define WAIT_MIN_MS   200
#define WAIT_MAX_MS   5000

/* As the daemon words them; see schema/asyncapi.yaml. */
#define CLOSE_MESSAGE  4400
#define CLOSE_AUTH     4401
#define CLOSE_SCOPE    4403
#define CLOSE_POSITION 4410

struct tail {
	struct cli *cli;
	struct chains chains;
	struct sse sse;
	long count_max, count; /* of events */
	bool shows_snapshots, waits;
	bool is_connected, was_connected; /* as hello said, on this connection; on an earlier one */
	bool is_trouble_told;             /* since it was connected last */
	bool has_missed;
	bool is_over; /* with this exit status */
	int status;
	int64_t close_code; /* 0: the connection was not closed with one */
	unsigned failures;  /* connections since one brought an event or a heartbeat */
};

/* A message as it came. */
struct raw {
	const char *text;
	size_t len;
};

/* ---- its end ----------------------------------------------------------------------------- */

static bool end(struct tail *tail, int status)
{
	tail->is_over = true;
	tail->status = status;
	return false;
}

/* To be ended is no failure; having missed something is. */
static bool end_quietly(struct tail *tail)
{
	return end(tail, tail->has_missed ? CLI_REFUSED : CLI_DONE);
}

static bool end_well(struct tail *tail)
{
	struct buf position;

	buf_init(&position, EVENT_MAX);
	chains_print_position(&tail->chains, &position);
	if (position.len > 0)
		cli_note("to go on from here: --after '%s'", buf_str(&position));
	buf_fini(&position);
	return end_quietly(tail);
}

static bool end_strange(struct tail *tail)
{
	cli_note("that is no event: is this a deltagate?");
	return end(tail, CLI_REFUSED);
}

/* ---- printing ---------------------------------------------------------------------------- */

static bool print(struct tail *tail, const char *text, size_t len)
{
	switch (out_line(STDOUT_FILENO, text, len)) {
	case OUT_DONE:
		return true;
	case OUT_CLOSED:
		return end_quietly(tail);
	case OUT_SIGNAL:
		tail->is_trouble_told = true; /* not here: the loop hears of it, too */
		return false;
	case OUT_FAILED:
		break;
	}
	cli_note("stdout: %s", strerror(errno));
	return end(tail, CLI_REFUSED);
}

static bool print_message(struct tail *tail, const json_t *message, const struct raw *raw)
{
	struct buf lines;
	bool is_fine;

	if (tail->cli->is_json)
		return print(tail, raw->text, raw->len);
	buf_init(&lines, LINES_MAX);
	event_lines(&lines, message);
	is_fine = print(tail, buf_str(&lines), lines.len);
	buf_fini(&lines);
	return is_fine;
}

/* "orders: words" */
static void note_about(const json_t *message, const char *words)
{
	struct buf channel;

	buf_init(&channel, TEXT_MAX);
	print_value(&channel, print_find(message, "ch"), PRINT_TEXT);
	cli_note("%s: %s", buf_str(&channel), words);
	buf_fini(&channel);
}

/* What the daemon says of itself. */
static void note_said(const json_t *message, const char *code, const char *words)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	print_value(&text, print_find(message, code), PRINT_TEXT);
	buf_add_str(&text, ": ");
	print_value(&text, print_find(message, words), PRINT_TEXT);
	cli_note("%s", buf_str(&text));
	buf_fini(&text);
}

static void miss(struct tail *tail, const json_t *message, const char *words)
{
	tail->has_missed = true;
	note_about(message, words);
}

/* ---- messages ---------------------------------------------------------------------------- */

typedef bool take_fn(struct tail *tail, const json_t *message, const struct raw *raw);

static const char *text_of(const json_t *message, const char *key)
{
	const char *text = json_string_value(json_object_get(message, key));

	return text ? text : "";
}

static int64_t number_of(const json_t *message, const char *key)
{
	return json_integer_value(json_object_get(message, key));
}

static bool take_hello(struct tail *tail, const json_t *message, const struct raw *raw)
{
	int64_t heartbeat_ms = number_of(message, "heartbeat_ms");

	(void)raw;
	switch (chains_hello(&tail->chains, text_of(message, "epoch"))) {
	case CHAIN_STRANGE:
	case CHAIN_AGAIN:
		return end_strange(tail);
	case CHAIN_HOLE:
		tail->has_missed = true;
		cli_note("the daemon has another journal now: what was told since is missing");
		break;
	case CHAIN_FINE:
		if (tail->is_trouble_told)
			cli_note("connected %s", tail->was_connected ? "again" : "now");
	}
	if (heartbeat_ms > 0 && heartbeat_ms <= HEARTBEAT_MAX)
		client_set_silence(tail->cli->client, HEARTBEATS * heartbeat_ms + WAIT_MAX_MS);
	tail->is_connected = true;
	tail->is_trouble_told = false;
	return true;
}

static bool take_subscribed(struct tail *tail, const json_t *message, const struct raw *raw)
{
	bool is_recovered = json_is_true(json_object_get(message, "recovered"));

	(void)raw;
	switch (chains_subscribed(&tail->chains, text_of(message, "ch"), is_recovered)) {
	case CHAIN_STRANGE:
		return end_strange(tail);
	case CHAIN_HOLE:
		miss(tail, message, "events were missed; it goes on from a snapshot");
		break;
	case CHAIN_FINE:
	case CHAIN_AGAIN:
		break;
	}
	return true;
}

static bool take_snapshot(struct tail *tail, const json_t *message, const struct raw *raw)
{
	if (tail->shows_snapshots && !print_message(tail, message, raw))
		return false;
	if (chains_snapshot(&tail->chains, text_of(message, "ch"), number_of(message, "seq")) ==
	    CHAIN_STRANGE)
		return end_strange(tail);
	return true;
}

/* How an event or a gap follows what came before; *is_new unless it came before itself. */
static bool take_link(struct tail *tail, const json_t *message, bool *is_new)
{
	enum chain_verdict verdict =
		chains_event(&tail->chains, text_of(message, "ch"), number_of(message, "seq"),
			     number_of(message, "prev"));

	*is_new = verdict != CHAIN_AGAIN;
	if (verdict == CHAIN_STRANGE)
		return end_strange(tail);
	if (verdict == CHAIN_HOLE)
		miss(tail, message, "events were missed without a word from the daemon");
	if (verdict == CHAIN_AGAIN)
		note_about(message, "an event came twice; it is not printed again");
	return true;
}

static void note_skipped(const json_t *message)
{
	int64_t skipped = number_of(message, "skipped");
	char words[64];

	snprintf(words, sizeof(words), "%lld skipped: only the latest counts here",
		 (long long)skipped);
	if (skipped > 0)
		note_about(message, words);
}

static bool take_event(struct tail *tail, const json_t *message, const struct raw *raw)
{
	bool is_new;

	if (!take_link(tail, message, &is_new))
		return false;
	if (!is_new)
		return true;
	note_skipped(message);
	if (!print_message(tail, message, raw)) {
		chains_undo(&tail->chains, text_of(message, "ch"), number_of(message, "prev"));
		return false;
	}
	tail->count++;
	tail->failures = 0;
	return tail->count_max == 0 || tail->count < tail->count_max || end_well(tail);
}

static bool take_gap(struct tail *tail, const json_t *message, const struct raw *raw)
{
	bool is_new;

	if (!take_link(tail, message, &is_new))
		return false;
	miss(tail, message,
	     strcmp(text_of(message, "reason"), "history") == 0
		     ? "a gap: what was told meanwhile is no longer kept"
		     : "a gap: the exchange's stream was interrupted");
	return !tail->cli->is_json || print_message(tail, message, raw);
}

static bool take_status(struct tail *tail, const json_t *message, const struct raw *raw)
{
	return print_message(tail, message, raw);
}

static bool take_heartbeat(struct tail *tail, const json_t *message, const struct raw *raw)
{
	json_t *last = json_object_get(message, "last");

	(void)raw;
	tail->failures = 0;
	for (void *at = json_object_iter(last); at; at = json_object_iter_next(last, at)) {
		const char *channel = json_object_iter_key(at);
		int64_t seq = json_integer_value(json_object_iter_value(at));

		if (chains_last(&tail->chains, channel, seq) != CHAIN_HOLE)
			continue;
		tail->has_missed = true;
		cli_note("%s: events were missed without a word from the daemon", channel);
	}
	return out_is_open(STDOUT_FILENO) || end_quietly(tail);
}

static bool take_error(struct tail *tail, const json_t *message, const struct raw *raw)
{
	(void)tail, (void)raw;
	note_said(message, "code", "detail");
	return true;
}

static bool take_closing(struct tail *tail, const json_t *message, const struct raw *raw)
{
	(void)raw;
	tail->close_code = number_of(message, "code");
	note_said(message, "code", "reason");
	tail->is_trouble_told = true;
	return true;
}

/* What is not in the table is not for a reader of events. */
static bool take_message(struct tail *tail, const json_t *message, const struct raw *raw)
{
	static const struct {
		const char *op;
		take_fn *take;
	} ops[] = {
		{ "hello", take_hello },       { "subscribed", take_subscribed },
		{ "snapshot", take_snapshot }, { "event", take_event },
		{ "gap", take_gap },           { "status", take_status },
		{ "hb", take_heartbeat },      { "error", take_error },
		{ "closing", take_closing },
	};
	const char *op = text_of(message, "op");

	if (!tail->is_connected && strcmp(op, "hello") != 0)
		return end_strange(tail);
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (strcmp(op, ops[i].op) == 0)
			return ops[i].take(tail, message, raw);
	return true;
}

static bool on_event(void *arg, const char *data, size_t len)
{
	const struct raw raw = { data, len };
	struct tail *tail = arg;
	json_t *message = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	bool is_message = json_is_object(message) && !memchr(data, '\n', len);
	bool goes_on = is_message ? take_message(tail, message, &raw) : end_strange(tail);

	json_decref(message);
	return goes_on;
}

static bool on_piece(void *arg, const char *bytes, size_t len)
{
	struct tail *tail = arg;
	bool is_enough;
	struct err err;

	if (sse_feed(&tail->sse, bytes, len, &is_enough, &err))
		return true;
	if (!is_enough)
		end(tail, cli_fail(&err));
	return false;
}

/* ---- connections ------------------------------------------------------------------------- */

/* True when another connection may do better. */
static bool judge_refusal(struct tail *tail, const struct answer *answer)
{
	bool may_pass = answer->status >= 500 || answer->status == 429;

	if (may_pass && tail->is_trouble_told)
		return true;
	cli_explain(tail->cli, answer);
	tail->is_trouble_told = true;
	return may_pass || end(tail, CLI_REFUSED);
}

static bool judge_silence(struct tail *tail, const struct err *err)
{
	if (!tail->was_connected && !tail->is_connected && !tail->waits)
		return end(tail, cli_fail(err));
	if (!tail->is_trouble_told)
		cli_note("%s%s; trying again", tail->is_connected ? "the connection is lost: " : "",
			 err->text);
	tail->is_trouble_told = true;
	return true;
}

static bool judge_end(struct tail *tail)
{
	if (!tail->is_connected)
		return end_strange(tail);
	if (tail->close_code == CLOSE_POSITION && tail->was_connected) {
		tail->has_missed = true;
		chains_forget(&tail->chains);
		cli_note("events were missed; it goes on from a snapshot");
		return true;
	}
	if (tail->close_code == CLOSE_MESSAGE || tail->close_code == CLOSE_AUTH ||
	    tail->close_code == CLOSE_SCOPE || tail->close_code == CLOSE_POSITION)
		return end(tail, CLI_REFUSED);
	if (!tail->is_trouble_told)
		cli_note("the daemon has closed the connection; trying again");
	tail->is_trouble_told = true;
	return true;
}

static bool judge(struct tail *tail, bool is_answered, const struct answer *answer,
		  const struct err *err)
{
	if (tail->is_over)
		return false;
	if (answer->signum)
		return end_well(tail);
	if (is_answered && answer->status >= 400)
		return judge_refusal(tail, answer);
	return is_answered || tail->close_code ? judge_end(tail) : judge_silence(tail, err);
}

/* One connection, to its end. True when another is to follow. */
static bool listen_once(struct tail *tail, const char *target)
{
	struct client_request request = { .method = "GET",
					  .target = target,
					  .timeout_ms = SILENCE_MS,
					  .piece = on_piece,
					  .piece_arg = tail };
	struct answer answer;
	struct buf position;
	bool is_answered, goes_on;
	struct err err;

	buf_init(&position, EVENT_MAX);
	chains_print_position(&tail->chains, &position);
	request.last_event_id = position.len > 0 ? buf_str(&position) : NULL;
	sse_restart(&tail->sse);
	tail->is_connected = false;
	tail->close_code = 0;
	is_answered = client_call(tail->cli->client, &request, &answer, &err);
	goes_on = judge(tail, is_answered, &answer, &err);
	tail->was_connected |= tail->is_connected;
	answer_fini(&answer);
	buf_fini(&position);
	return goes_on;
}

/* 0.2 s doubling to 5 s, half of it by chance, so that many readers do not come back as one. */
static int64_t next_wait_ms(struct tail *tail)
{
	int64_t wait_ms = WAIT_MAX_MS;
	unsigned chance = 0;

	if (tail->failures < 5 && WAIT_MIN_MS << tail->failures < WAIT_MAX_MS)
		wait_ms = WAIT_MIN_MS << tail->failures;
	tail->failures++;
	if (getrandom(&chance, sizeof(chance), 0) < 0)
		chance = 0;
	return wait_ms / 2 + chance % (wait_ms / 2 + 1);
}

static int listen_on(struct tail *tail, const char *target)
{
	while (listen_once(tail, target))
		if (client_pause(tail->cli->client, next_wait_ms(tail)) != 0) {
			end_well(tail);
			break;
		}
	return tail->status;
}

/* ---- the command line -------------------------------------------------------------------- */

static bool add_channel(struct chains *chains, const char *word, struct err *err)
{
	if (strcmp(word, "account") != 0)
		return chains_add(chains, word, err);
	return chains_add(chains, "orders", err) && chains_add(chains, "fills", err) &&
	       chains_add(chains, "balances", err);
}

static bool read_words(struct tail *tail, struct err *err)
{
	const struct args *args = &tail->cli->args;
	const char *after = args_get(args, "--after");

	for (size_t i = 0; i < args->operand_count; i++)
		if (!add_channel(&tail->chains, args->operands[i], err))
			return false;
	tail->shows_snapshots = !args_has(args, "--no-snapshot");
	tail->waits = args_has(args, "--wait");
	return args_get_int(args, "--count", 1, LONG_MAX, 0, &tail->count_max, err) &&
	       (!after || chains_set_position(&tail->chains, after, err));
}

static void make_target(const struct tail *tail, struct buf *target)
{
	struct buf channels;

	buf_init(&channels, CHAIN_CHANNELS_MAX * CHAIN_NAME_LEN);
	for (size_t i = 0; i < tail->chains.count; i++) {
		if (i > 0)
			buf_add_char(&channels, ',');
		buf_add_str(&channels, tail->chains.items[i].name);
	}
	target_init(target, "/v1/events");
	target_query(target, "ch", buf_str(&channels));
	if (args_has(&tail->cli->args, "--all"))
		target_query(target, "owner", "any");
	buf_fini(&channels);
}

int cmd_tail(struct cli *cli)
{
	struct tail *tail = mem_alloc(sizeof(*tail));
	struct buf target;
	struct err err;
	int status;

	tail->cli = cli;
	sse_init(&tail->sse, EVENT_MAX, on_event, tail);
	if (!read_words(tail, &err)) {
		status = cli_fail(&err);
		goto out;
	}
	status = cli_connect(cli);
	if (status != CLI_DONE)
		goto out;
	(void)signal(SIGPIPE, SIG_IGN);
	client_hold_signals(cli->client);
	make_target(tail, &target);
	status = listen_on(tail, buf_str(&target));
	buf_fini(&target);
out:
	sse_fini(&tail->sse);
	mem_free(tail);
	return status;
}
