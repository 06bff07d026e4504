#include "sim/fault_wire.h"

#include <string.h>

#include "base/mem.h"
#include "sim/codes.h"
#include "sim/faults.h"

/* ---- fields ---- */

static bool refuse(struct err *err, const char *name)
{
	return err_set(err, ERR_INVALID, "fault rule: bad value of \"%s\"", name);
}

static bool read_text(const json_t *value, const char *name, char **text, struct err *err)
{
	if (!json_is_string(value))
		return refuse(err, name);
	mem_free(*text);
	*text = mem_strdup(json_string_value(value));
	return true;
}

static bool read_whole(const json_t *value, const char *name, int64_t max, int64_t *number,
		       struct err *err)
{
	*number = json_integer_value(value);
	if (!json_is_integer(value) || *number < 0 || *number > max)
		return refuse(err, name);
	return true;
}

static bool read_int(const json_t *value, const char *name, int max, int *number, struct err *err)
{
	int64_t wide;

	if (!read_whole(value, name, max, &wide, err))
		return false;
	*number = (int)wide;
	return true;
}

static bool read_phase(const json_t *value, const char *name, enum fault_phase *phase,
		       struct err *err)
{
	const char *word = json_string_value(value);

	if (json_is_boolean(value))
		*phase = json_is_true(value) ? FAULT_BEFORE : FAULT_NEVER;
	else if (word && strcmp(word, "before") == 0)
		*phase = FAULT_BEFORE;
	else if (word && strcmp(word, "after") == 0)
		*phase = FAULT_AFTER;
	else if (word && strcmp(word, "either") == 0)
		*phase = FAULT_EITHER;
	else
		return refuse(err, name);
	return true;
}

static bool read_match(const json_t *object, struct fault_rule *rule, struct err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return refuse(err, "match");
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		char **text = strcmp(name, "path") == 0      ? &rule->path_glob
			      : strcmp(name, "method") == 0  ? &rule->method
			      : strcmp(name, "account") == 0 ? &rule->account
			      : strcmp(name, "body") == 0    ? &rule->body_part
			      : strcmp(name, "stream") == 0  ? &rule->stream_glob
							     : NULL;

		if (!text)
			return err_set(err, ERR_UNKNOWN_FIELD, "fault rule: no \"%s\" in match",
				       name);
		if (!read_text(value, name, text, err))
			return false;
	}
	return true;
}

static bool read_nth(const json_t *array, struct fault_rule *rule, struct err *err)
{
	size_t i;
	json_t *value;

	if (json_is_integer(array)) {
		rule->nth_count = 1;
		rule->nth[0] = (unsigned)json_integer_value(array);
		return true;
	}
	if (!json_is_array(array) || json_array_size(array) > FAULT_NTH_MAX)
		return refuse(err, "nth");
	json_array_foreach(array, i, value)
	{
		int number;

		if (!read_int(value, "nth", 1000000000, &number, err))
			return false;
		rule->nth[rule->nth_count++] = (unsigned)number;
	}
	return true;
}

static bool read_headers(const json_t *object, struct fault_answer *answer, struct err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object) || json_object_size(object) > FAULT_HEADERS_MAX)
		return refuse(err, "headers");
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		size_t at = answer->header_count;

		if (!read_text(value, name, &answer->header_values[at], err))
			return false;
		answer->header_names[at] = mem_strdup(name);
		answer->header_count++;
	}
	return true;
}

static bool read_answer_field(const char *name, const json_t *value, struct fault_answer *answer,
			      struct err *err)
{
	if (strcmp(name, "status") == 0)
		return read_int(value, name, 999, &answer->status, err);
	if (strcmp(name, "code") == 0)
		return read_int(value, name, 32767, &answer->code, err);
	if (strcmp(name, "error") == 0)
		return read_text(value, name, &answer->error, err);
	if (strcmp(name, "body") == 0)
		return read_text(value, name, &answer->body, err);
	if (strcmp(name, "content_type") == 0)
		return read_text(value, name, &answer->content_type, err);
	if (strcmp(name, "headers") == 0)
		return read_headers(value, answer, err);
	return err_set(err, ERR_UNKNOWN_FIELD, "fault rule: no \"%s\" in answer", name);
}

static bool read_answer(const json_t *object, struct fault_rule *rule, struct err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return refuse(err, "answer");
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (!read_answer_field(name, value, &rule->answer, err))
			return false;
	}
	if (rule->answers == FAULT_NEVER)
		rule->answers = FAULT_BEFORE;
	return true;
}

static bool read_probability(const json_t *value, struct fault_rule *rule, struct err *err)
{
	if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > 1)
		return refuse(err, "probability");
	rule->chance = (int64_t)(json_number_value(value) * FAULT_CERTAIN);
	return true;
}

/* ---- what streams have besides ---- */

static bool read_place(const json_t *value, struct fault_rule *rule, struct err *err)
{
	const char *word = json_string_value(value);

	rule->at_handshake = word && strcmp(word, "handshake") == 0;
	return rule->at_handshake || (word && strcmp(word, "message") == 0) || refuse(err, "at");
}

static bool read_close(const json_t *value, struct fault_rule *rule, struct err *err)
{
	return read_int(value, "close", 4999, &rule->close_code, err) &&
	       (rule->close_code >= 1000 || refuse(err, "close"));
}

static bool read_flag(const json_t *value, const char *name, bool *flag, struct err *err)
{
	*flag = json_is_true(value);
	return json_is_boolean(value) || refuse(err, name);
}

/* *is_known: the field is one of a stream's message; it has been read then, or err says why not. */
static bool read_message_field(const char *name, const json_t *value, struct fault_rule *rule,
			       bool *is_known, struct err *err)
{
	*is_known = true;
	if (strcmp(name, "lose") == 0)
		return read_flag(value, name, &rule->is_lost, err);
	if (strcmp(name, "double") == 0)
		return read_flag(value, name, &rule->is_doubled, err);
	if (strcmp(name, "late") == 0)
		return read_whole(value, name, FAULT_LATE_MAX, &rule->late, err);
	if (strcmp(name, "close") == 0)
		return read_close(value, rule, err);
	if (strcmp(name, "send_before") == 0)
		return read_text(value, name, &rule->send_before, err);
	if (strcmp(name, "send_instead") == 0)
		return read_text(value, name, &rule->send_instead, err);
	*is_known = false;
	return true;
}

static bool acts_on_messages(const struct fault_rule *rule)
{
	return rule->is_lost || rule->is_doubled || rule->late > 0 || rule->close_code > 0 ||
	       rule->send_before || rule->send_instead;
}

/* A handshake is refused, stalled or dropped; a message has no answer; a request has neither. */
static bool check_stream_rule(struct fault_rule *rule, struct err *err)
{
	if (!rule->stream_glob)
		return (!rule->at_handshake && !acts_on_messages(rule)) ||
		       err_set(err, ERR_INVALID, "fault rule: it needs a \"stream\" in \"match\"");
	if (rule->path_glob || rule->method || rule->act_twice || rule->cut >= 0 || rule->huge)
		return err_set(err, ERR_INVALID, "fault rule: not for streams");
	if (rule->answers != FAULT_NEVER)
		rule->at_handshake = true;
	if (!rule->at_handshake)
		return true;
	if (acts_on_messages(rule))
		return err_set(err, ERR_INVALID, "fault rule: not for handshakes");
	return rule->answers != FAULT_NEVER || rule->drops != FAULT_NEVER ||
	       rule->stalls != FAULT_NEVER ||
	       err_set(err, ERR_INVALID, "fault rule: how is the handshake refused?");
}

/* ---- rules ---- */

static bool read_field(const char *name, const json_t *value, struct fault_rule *rule,
		       struct err *err)
{
	bool is_known;

	if (!read_message_field(name, value, rule, &is_known, err))
		return false;
	if (is_known)
		return true;
	if (strcmp(name, "at") == 0)
		return read_place(value, rule, err);
	if (strcmp(name, "match") == 0)
		return read_match(value, rule, err);
	if (strcmp(name, "nth") == 0)
		return read_nth(value, rule, err);
	if (strcmp(name, "times") == 0)
		return read_whole(value, name, INT64_MAX, &rule->times, err);
	if (strcmp(name, "probability") == 0)
		return read_probability(value, rule, err);
	if (strcmp(name, "delay_ms") == 0)
		return read_whole(value, name, FAULT_DELAY_MAX, &rule->delay_ms, err);
	if (strcmp(name, "delay_after_ms") == 0)
		return read_whole(value, name, FAULT_DELAY_MAX, &rule->delay_after_ms, err);
	if (strcmp(name, "answer") == 0)
		return read_answer(value, rule, err);
	if (strcmp(name, "when") == 0)
		return read_phase(value, name, &rule->answers, err);
	if (strcmp(name, "drop") == 0)
		return read_phase(value, name, &rule->drops, err);
	if (strcmp(name, "stall") == 0)
		return read_phase(value, name, &rule->stalls, err);
	if (strcmp(name, "cut") == 0)
		return read_whole(value, name, FAULT_HUGE_MAX, &rule->cut, err);
	if (strcmp(name, "huge") == 0)
		return read_whole(value, name, FAULT_HUGE_MAX, &rule->huge, err);
	if (strcmp(name, "act_twice") == 0)
		return read_flag(value, name, &rule->act_twice, err);
	return err_set(err, ERR_UNKNOWN_FIELD, "fault rule: no field \"%s\"", name);
}

static bool read_rule(const json_t *object, struct fault_rule *rule, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		/* "when" says when the answer goes out, and means nothing without one. */
		if (strcmp(name, "when") == 0 && !json_object_get(object, "answer"))
			return refuse(err, name);
		if (!read_field(name, value, rule, err))
			return false;
	}
	return check_stream_rule(rule, err);
}

/* ---- switches ---- */

/* Rules that are known by a name. */
static const struct {
	const char *name, *path;
	int code;
	enum fault_phase answers, stalls;
} named_rules[] = {
	{ "submit_5000", "/order/submit", CODE_INTERNAL, FAULT_EITHER, FAULT_NEVER },
	{ "submit_timeout", "/order/submit", 0, FAULT_NEVER, FAULT_EITHER },
	{ "expired", "/order/submit", CODE_TX_EXPIRED, FAULT_BEFORE, FAULT_NEVER },
	{ "utxo_spent", "/order/submit", CODE_TX_SPENT, FAULT_BEFORE, FAULT_NEVER },
	{ "rate_limit", "*", CODE_RATE, FAULT_BEFORE, FAULT_NEVER },
};

/* The same for messages, of the orders on the account's stream unless another is named. */
static const struct {
	const char *name;
	bool is_lost, is_doubled;
	int64_t late;
	int64_t chance; /* when nothing is said about when: 7 % were lost in practice */
} named_messages[] = {
	{ "lost_event", true, false, 0, FAULT_CERTAIN / 100 * 7 },
	{ "dup_event", false, true, 0, FAULT_CERTAIN },
	{ "late_event", false, false, 1, FAULT_CERTAIN },
};

static bool set_named_request(const char *name, struct fault_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LEN(named_rules); i++) {
		if (strcmp(named_rules[i].name, name) != 0)
			continue;
		rule->path_glob = mem_strdup(named_rules[i].path);
		rule->answer.code = named_rules[i].code;
		rule->answers = named_rules[i].answers;
		rule->stalls = named_rules[i].stalls;
		return true;
	}
	return false;
}

static bool set_named_message(const char *name, const char *stream, struct fault_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LEN(named_messages); i++) {
		if (strcmp(named_messages[i].name, name) != 0)
			continue;
		rule->stream_glob = mem_strdup(stream ? stream : "account");
		rule->body_part = stream ? NULL : mem_strdup("order_info");
		rule->is_lost = named_messages[i].is_lost;
		rule->is_doubled = named_messages[i].is_doubled;
		rule->late = named_messages[i].late;
		rule->chance = named_messages[i].chance;
		return true;
	}
	return false;
}

static bool says_when(const char *field)
{
	return strcmp(field, "nth") == 0 || strcmp(field, "times") == 0 ||
	       strcmp(field, "probability") == 0;
}

static bool read_named(const json_t *object, const char *name, struct fault_rule *rule,
		       struct err *err)
{
	const char *stream = json_string_value(json_object_get(object, "stream"));
	const char *field;
	json_t *value;

	if (!set_named_request(name, rule) && !set_named_message(name, stream, rule))
		return err_set(err, ERR_INVALID, "no switch \"%s\"", name);
	json_object_foreach((json_t *)(uintptr_t)object, field, value)
	{
		if (!says_when(field))
			continue;
		if (strcmp(field, "probability") != 0)
			rule->chance = FAULT_CERTAIN;
		if (!read_field(field, value, rule, err))
			return false;
	}
	return true;
}

static bool add_rule(struct faults *faults, const json_t *object, struct err *err)
{
	const json_t *name = json_object_get(object, "switch");
	struct fault_rule *rule = fault_rule_create();

	if (name ? !read_named(object, json_string_value(name), rule, err)
		 : !read_rule(object, rule, err)) {
		fault_rule_destroy(rule);
		return false;
	}
	if (!faults_take_rule(faults, rule))
		return err_set(err, ERR_INVALID, "too many fault rules");
	return true;
}

/* Those that happen again and again, and how often unless it is said. */
static int64_t usual_ms(enum fault_switch which)
{
	if (which == SWITCH_TEXT_PING)
		return 30000;
	return which == SWITCH_WS_DROP ? 90 * 60 * 1000 : 0;
}

static bool set_switch(struct faults *faults, const json_t *object, enum fault_switch which,
		       struct err *err)
{
	const json_t *on = json_object_get(object, "on");
	const json_t *ms = json_object_get(object, "ms");
	int64_t every_ms = usual_ms(which);

	if (ms && (every_ms == 0 || !read_whole(ms, "ms", FAULT_DELAY_MAX * 24, &every_ms, err)))
		return refuse(err, "ms");
	faults->switches[which] = !on || json_is_true(on);
	faults->switch_ms[which] = every_ms > 0 || !ms ? every_ms : 1;
	return true;
}

static bool add_one(struct faults *faults, const json_t *object, struct err *err)
{
	const json_t *name = json_object_get(object, "switch");
	enum fault_switch which;

	if (!json_is_object(object) || (name && !json_is_string(name)))
		return err_set(err, ERR_INVALID, "a fault rule is an object");
	if (!name || !fault_switch_parse(json_string_value(name), &which))
		return add_rule(faults, object, err);
	return set_switch(faults, object, which, err);
}

static bool add_all(struct faults *faults, const json_t *object, struct err *err)
{
	size_t i;
	json_t *one;

	if (!json_is_array(object))
		return add_one(faults, object, err);
	json_array_foreach(object, i, one)
	{
		if (!add_one(faults, one, err))
			return err_prefix(err, "element %zu", i);
	}
	return true;
}

bool fault_wire_add(struct faults *faults, const json_t *object, struct err *err)
{
	struct faults fresh;
	struct list_node *node;
	bool is_done;

	faults_init(&fresh, faults->seed);
	memcpy(fresh.switches, faults->switches, sizeof(fresh.switches));
	memcpy(fresh.switch_ms, faults->switch_ms, sizeof(fresh.switch_ms));
	is_done = add_all(&fresh, object, err);
	if (is_done && fresh.count + faults->count > FAULT_RULES_MAX)
		is_done = err_set(err, ERR_INVALID, "too many fault rules");
	if (is_done) {
		memcpy(faults->switches, fresh.switches, sizeof(faults->switches));
		memcpy(faults->switch_ms, fresh.switch_ms, sizeof(faults->switch_ms));
		while ((node = list_pop_front(&fresh.rules)))
			(void)faults_take_rule(faults, CONTAINER_OF(node, struct fault_rule, node));
	}
	faults_fini(&fresh);
	return is_done;
}

bool fault_wire_load(struct faults *faults, const char *path, struct err *err)
{
	json_error_t where;
	json_t *object = json_load_file(path, 0, &where);
	bool is_done;

	if (!object)
		return err_set(err, ERR_CONFIG, "%s line %d: %s", path, where.line, where.text);
	is_done = fault_wire_add(faults, object, err) || err_prefix(err, "%s", path);
	json_decref(object);
	return is_done;
}

/* ---- listing ---- */

static const char *phase_name(enum fault_phase phase)
{
	switch (phase) {
	case FAULT_NEVER:
		return "never";
	case FAULT_BEFORE:
		return "before";
	case FAULT_AFTER:
		return "after";
	case FAULT_EITHER:
		return "either";
	}
	return "";
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *rule_object(const struct fault_rule *rule)
{
	json_t *object = json_pack("{s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:s,s:b,s:I,s:I}", "id",
				   (json_int_t)rule->id, "seen", (json_int_t)rule->seen, "hits",
				   (json_int_t)rule->hits, "delay_ms", (json_int_t)rule->delay_ms,
				   "delay_after_ms", (json_int_t)rule->delay_after_ms, "answers",
				   phase_name(rule->answers), "drops", phase_name(rule->drops),
				   "stalls", phase_name(rule->stalls), "act_twice", rule->act_twice,
				   "cut", (json_int_t)rule->cut, "huge", (json_int_t)rule->huge);

	json_object_set_new(object, "path", text_or_null(rule->path_glob));
	json_object_set_new(object, "method", text_or_null(rule->method));
	json_object_set_new(object, "stream", text_or_null(rule->stream_glob));
	json_object_set_new(object, "at_handshake", json_boolean(rule->at_handshake));
	json_object_set_new(object, "code", json_integer(rule->answer.code));
	json_object_set_new(object, "status", json_integer(rule->answer.status));
	return object;
}

json_t *fault_wire_list(const struct faults *faults)
{
	json_t *rules = json_array(), *switches = json_object();

	LIST_EACH (&faults->rules, node) {
		json_array_append_new(rules,
				      rule_object(CONTAINER_OF(node, struct fault_rule, node)));
	}
	for (int i = 0; i < SWITCH_COUNT; i++)
		json_object_set_new(switches, fault_switch_name((enum fault_switch)i),
				    json_boolean(faults->switches[i]));
	return json_pack("{s:o,s:o}", "rules", rules, "switches", switches);
}
