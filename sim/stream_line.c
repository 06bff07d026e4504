#include "sim/stream_line.h"

#include <string.h>

#include "base/mem.h"
#include "sim/faults.h"

struct late_message {
	struct list_node node;
	int64_t waits_for; /* so many more messages */
	char *of_part;     /* that have this in them; NULL: any */
	struct mono until; /* or no longer than this */
	char *text;
	size_t len;
};

void line_init(struct stream_line *line, const struct stream_line_out *out, void *arg,
	       const char *stream, const char *account)
{
	*line = (struct stream_line){
		.out = out, .arg = arg, .stream = stream, .account = account
	};
	list_init(&line->late);
}

static void forget(struct stream_line *line, struct late_message *late)
{
	line->late_count--;
	list_remove(&late->node);
	mem_free(late->of_part);
	mem_free(late->text);
	mem_free(late);
}

void line_fini(struct stream_line *line)
{
	LIST_EACH_SAFE (&line->late, node) {
		forget(line, CONTAINER_OF(node, struct late_message, node));
	}
}

void line_send_raw(struct stream_line *line, const char *text, size_t len)
{
	if (line->is_over || line->is_stalled)
		return;
	line->sent++;
	line->out->send(line->arg, text, len);
}

/* A message (or none, just time) has passed those that wait; who has waited long enough goes next,
 * in order. */
static void release(struct stream_line *line, const char *passed, struct mono now)
{
	LIST_EACH_SAFE (&line->late, node) {
		struct late_message *late = CONTAINER_OF(node, struct late_message, node);

		late->waits_for -= passed && (!late->of_part || strstr(passed, late->of_part));
		if (late->waits_for > 0 && !mono_is_past(late->until, now))
			continue;
		line_send_raw(line, late->text, late->len);
		forget(line, late);
	}
}

static void pass(struct stream_line *line, const char *text, size_t len, struct mono now)
{
	line_send_raw(line, text, len);
	release(line, text, now);
}

/* Past the bound the oldest goes, whatever it was to wait for. */
static void make_room(struct stream_line *line)
{
	struct late_message *oldest;

	if (line->late_count < LINE_LATE_MAX)
		return;
	oldest = CONTAINER_OF(list_first(&line->late), struct late_message, node);
	line_send_raw(line, oldest->text, oldest->len);
	forget(line, oldest);
}

static void hold_back(struct stream_line *line, const struct fault_rule *rule, const char *text,
		      size_t len, struct mono now)
{
	struct late_message *late = mem_alloc(sizeof(*late));
	int64_t wait_ms = rule->delay_ms > 0 ? rule->delay_ms : FAULT_LATE_MS;

	make_room(line);
	late->waits_for = rule->late > 0 ? rule->late : INT64_MAX;
	late->of_part = mem_strdup(rule->body_part);
	late->until = mono_after_ms(now, wait_ms);
	late->text = mem_strndup(text, len);
	late->len = len;
	list_push_back(&line->late, &late->node);
	line->late_count++;
}

static void end(struct stream_line *line, int code)
{
	if (line->is_over)
		return;
	line->is_over = true;
	line->out->end(line->arg, code);
}

/* What is left of the message when the rule has had its way. */
static void pass_changed(struct stream_line *line, const struct fault_rule *rule, const char *text,
			 size_t len, struct mono now)
{
	if (rule->send_before)
		line_send_raw(line, rule->send_before, strlen(rule->send_before));
	if (rule->send_instead)
		pass(line, rule->send_instead, strlen(rule->send_instead), now);
	else if (rule->late > 0 || rule->delay_ms > 0)
		hold_back(line, rule, text, len, now);
	else if (!rule->is_lost && !rule->close_code)
		pass(line, text, len, now);
	if (rule->is_doubled)
		pass(line, text, len, now);
}

static void obey(struct stream_line *line, struct faults *faults, const struct fault_rule *rule,
		 const char *text, size_t len, struct mono now)
{
	enum fault_phase drops = faults_phase(faults, rule->drops);
	enum fault_phase stalls = faults_phase(faults, rule->stalls);

	if (stalls == FAULT_BEFORE)
		line->is_stalled = true;
	if (drops != FAULT_BEFORE)
		pass_changed(line, rule, text, len, now);
	if (stalls == FAULT_AFTER)
		line->is_stalled = true;
	if (drops != FAULT_NEVER)
		end(line, 0);
	else if (rule->close_code)
		end(line, rule->close_code);
}

void line_say(struct stream_line *line, struct faults *faults, const char *text, size_t len,
	      struct mono now)
{
	const struct fault_request message = { .method = "",
					       .path = "",
					       .account = line->account,
					       .body = text,
					       .stream = line->stream };
	struct fault_rule *rule;

	if (line->is_over)
		return;
	rule = faults_decide(faults, &message);
	if (rule)
		obey(line, faults, rule, text, len, now);
	else
		pass(line, text, len, now);
	faults_release(rule);
}

struct mono line_due(const struct stream_line *line)
{
	struct mono due = { 0 };

	LIST_EACH (&line->late, node) {
		const struct late_message *late = CONTAINER_OF(node, struct late_message, node);

		if (due.us == 0 || late->until.us < due.us)
			due = late->until;
	}
	return due;
}

void line_run(struct stream_line *line, struct mono now)
{
	release(line, NULL, now);
}
