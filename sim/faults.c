#include "sim/faults.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sim/draw.h"
#include "sim/stream_name.h"

static const char *const switch_names[SWITCH_COUNT] = {
#define X(name, word) [SWITCH_##name] = word,
	FAULT_SWITCHES(X)
#undef X
};

const char *fault_switch_name(enum fault_switch which)
{
	return switch_names[which];
}

bool fault_switch_parse(const char *word, enum fault_switch *which)
{
	for (int i = 0; i < SWITCH_COUNT; i++)
		if (strcmp(switch_names[i], word) == 0) {
			*which = (enum fault_switch)i;
			return true;
		}
	return false;
}

void faults_init(struct faults *faults, uint64_t seed)
{
	*faults = (struct faults){ .seed = seed };
	list_init(&faults->rules);
}

struct fault_rule *fault_rule_create(void)
{
	struct fault_rule *rule = mem_alloc(sizeof(*rule));

	list_node_init(&rule->node);
	rule->times = -1;
	rule->chance = FAULT_CERTAIN;
	rule->cut = -1;
	rule->users = 1;
	return rule;
}

void fault_rule_destroy(struct fault_rule *rule)
{
	if (!rule)
		return;
	list_remove(&rule->node);
	for (size_t i = 0; i < rule->answer.header_count; i++) {
		mem_free(rule->answer.header_names[i]);
		mem_free(rule->answer.header_values[i]);
	}
	mem_free(rule->answer.error);
	mem_free(rule->answer.body);
	mem_free(rule->answer.content_type);
	mem_free(rule->path_glob);
	mem_free(rule->method);
	mem_free(rule->account);
	mem_free(rule->body_part);
	mem_free(rule->stream_glob);
	mem_free(rule->send_before);
	mem_free(rule->send_instead);
	mem_free(rule);
}

void faults_release(struct fault_rule *rule)
{
	if (rule && --rule->users == 0)
		fault_rule_destroy(rule);
}

void faults_clear(struct faults *faults)
{
	struct list_node *node;

	while ((node = list_pop_front(&faults->rules)))
		faults_release(CONTAINER_OF(node, struct fault_rule, node));
	faults->count = 0;
	memset(faults->switches, 0, sizeof(faults->switches));
	memset(faults->switch_ms, 0, sizeof(faults->switch_ms));
}

void faults_fini(struct faults *faults)
{
	faults_clear(faults);
}

bool faults_take_rule(struct faults *faults, struct fault_rule *rule)
{
	if (faults->count == FAULT_RULES_MAX) {
		fault_rule_destroy(rule);
		return false;
	}
	rule->id = ++faults->rules_made;
	faults->count++;
	list_push_back(&faults->rules, &rule->node);
	return true;
}

/* Rules for streams and rules for requests do not meet. */
static bool matches_stream(const struct fault_rule *rule, const struct fault_request *request)
{
	if (!rule->stream_glob || !request->stream)
		return !rule->stream_glob && !request->stream;
	return rule->at_handshake == request->is_handshake &&
	       stream_matches(rule->stream_glob, request->stream);
}

static bool matches(const struct fault_rule *rule, const struct fault_request *request)
{
	if (!matches_stream(rule, request))
		return false;
	if (rule->method && strcasecmp(rule->method, request->method) != 0)
		return false;
	if (rule->path_glob && fnmatch(rule->path_glob, request->path, 0) != 0)
		return false;
	if (rule->account && strcmp(rule->account, request->account) != 0)
		return false;
	return !rule->body_part || strstr(request->body, rule->body_part);
}

/* seen counts this request already. */
static bool may_fire(const struct fault_rule *rule)
{
	if (rule->times >= 0 && rule->hits >= (uint64_t)rule->times)
		return false;
	for (size_t i = 0; i < rule->nth_count; i++)
		if (rule->nth[i] == rule->seen)
			return true;
	return rule->nth_count == 0;
}

static bool wins_draw(struct faults *faults, int64_t chance)
{
	if (chance >= FAULT_CERTAIN)
		return true;
	return draw_range(faults->seed, "fault", faults->draws++, 0, FAULT_CERTAIN - 1) < chance;
}

struct fault_rule *faults_decide(struct faults *faults, const struct fault_request *request)
{
	struct fault_rule *decided = NULL;

	LIST_EACH (&faults->rules, node) {
		struct fault_rule *rule = CONTAINER_OF(node, struct fault_rule, node);

		if (!matches(rule, request))
			continue;
		rule->seen++;
		if (decided || !may_fire(rule) || !wins_draw(faults, rule->chance))
			continue;
		rule->hits++;
		rule->users++;
		decided = rule;
	}
	return decided;
}

enum fault_phase faults_phase(struct faults *faults, enum fault_phase phase)
{
	if (phase != FAULT_EITHER)
		return phase;
	return draw_number(faults->seed, "fault", faults->draws++) & 1 ? FAULT_AFTER : FAULT_BEFORE;
}
