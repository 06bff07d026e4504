#include "server/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define TOLD_MAX     10000 /* the oldest are forgotten, and would be told again */
#define SUSPECTS_MAX 10000
#define KEY_LEN      200

static const char *const class_words[] = {
#define X(name, word) [FINDING_##name] = (word),
	FINDING_CLASSES(X)
#undef X
};
static const char *const action_words[] = {
#define X(name, word) [FINDING_##name] = (word),
	FINDING_ACTIONS(X)
#undef X
};

struct suspect {
	int64_t stamp;
};

struct told {
	struct list_node node; /* oldest first */
	char key[KEY_LEN];
	uint64_t digest;
};

struct findings {
	struct map *suspects;
	struct map *told;
	struct list order;
	bool is_second;
};

const char *finding_class_word(enum finding_class class_)
{
	return class_words[class_];
}

const char *finding_action_word(enum finding_action action)
{
	return action_words[action];
}

struct findings *findings_create(void)
{
	struct findings *findings = mem_alloc(sizeof(*findings));

	findings->suspects = map_create();
	findings->told = map_create();
	list_init(&findings->order);
	return findings;
}

static void forget_suspects(struct findings *findings)
{
	const char *key;
	void *suspect;
	size_t at = 0;

	while (map_next(findings->suspects, &at, &key, &suspect))
		mem_free(suspect);
	map_destroy(findings->suspects);
}

void findings_destroy(struct findings *findings)
{
	struct list_node *node;

	if (!findings)
		return;
	forget_suspects(findings);
	while ((node = list_pop_front(&findings->order)))
		mem_free(CONTAINER_OF(node, struct told, node));
	map_destroy(findings->told);
	mem_free(findings);
}

static void set_key(char key[KEY_LEN], enum finding_class class_, const char *about)
{
	snprintf(key, KEY_LEN, "%s:%s", class_words[class_], about);
}

void findings_first_look(struct findings *findings)
{
	forget_suspects(findings);
	findings->suspects = map_create();
	findings->is_second = false;
}

void findings_second_look(struct findings *findings)
{
	findings->is_second = true;
}

bool findings_note(struct findings *findings, enum finding_class class_, const char *about,
		   int64_t stamp)
{
	struct suspect *suspect;
	char key[KEY_LEN];

	set_key(key, class_, about);
	suspect = map_get(findings->suspects, key);
	if (findings->is_second)
		return suspect && suspect->stamp == stamp;
	if (!suspect && map_len(findings->suspects) < SUSPECTS_MAX) {
		suspect = mem_alloc(sizeof(*suspect));
		suspect->stamp = stamp;
		map_put(findings->suspects, key, suspect);
	}
	return false;
}

size_t findings_suspects(const struct findings *findings)
{
	return map_len(findings->suspects);
}

static uint64_t digest_of(const char *journal, const char *exchange)
{
	uint64_t digest = 14695981039346656037u; /* FNV-1a */

	for (; *journal != '\0'; journal++)
		digest = (digest ^ (unsigned char)*journal) * 1099511628211u;
	digest = (digest ^ '\n') * 1099511628211u;
	for (; *exchange != '\0'; exchange++)
		digest = (digest ^ (unsigned char)*exchange) * 1099511628211u;
	return digest;
}

bool findings_is_told(const struct findings *findings, enum finding_class class_, const char *about,
		      const char *journal, const char *exchange)
{
	const struct told *told;
	char key[KEY_LEN];

	set_key(key, class_, about);
	told = map_get(findings->told, key);
	return told && told->digest == digest_of(journal, exchange);
}

static void forget_oldest(struct findings *findings)
{
	struct told *oldest = CONTAINER_OF(list_pop_front(&findings->order), struct told, node);

	map_remove(findings->told, oldest->key);
	mem_free(oldest);
}

void findings_tell(struct findings *findings, enum finding_class class_, const char *about,
		   const char *journal, const char *exchange)
{
	struct told *told;
	char key[KEY_LEN];

	set_key(key, class_, about);
	told = map_get(findings->told, key);
	if (told) {
		list_remove(&told->node);
	} else {
		if (map_len(findings->told) == TOLD_MAX)
			forget_oldest(findings);
		told = mem_alloc(sizeof(*told));
		STR_SET(told->key, key);
		map_put(findings->told, told->key, told);
	}
	told->digest = digest_of(journal, exchange);
	list_push_back(&findings->order, &told->node);
}
