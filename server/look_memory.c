#include "server/look_memory.h"

#include <stdint.h>

#include "base/map.h"
#include "base/mem.h"
#include "server/compare.h"
#include "server/findings.h"

#define FOREIGN_MAX 5000

struct foreign {
	char symbol[DD_SYMBOL_LEN];
};

void look_memory_init(struct look_memory *memory)
{
	memory->findings = findings_create();
	memory->foreign = map_create();
	memory->agreeing = map_create();
	memory->unusable = map_create();
}

static void free_values(struct map *map)
{
	const char *key;
	void *value;
	size_t at = 0;

	while (map_next(map, &at, &key, &value))
		mem_free(value);
	map_destroy(map);
}

void look_memory_fini(struct look_memory *memory)
{
	findings_destroy(memory->findings);
	free_values(memory->foreign);
	free_values(memory->agreeing);
	map_destroy(memory->unusable);
}

void look_memory_follow(struct look_memory *memory, const char *exchange_order_id,
			const char *symbol)
{
	struct foreign *foreign;

	if (map_get(memory->foreign, exchange_order_id) || map_len(memory->foreign) >= FOREIGN_MAX)
		return;
	foreign = mem_alloc(sizeof(*foreign));
	STR_SET(foreign->symbol, symbol);
	map_put(memory->foreign, exchange_order_id, foreign);
}

void look_memory_forget(struct look_memory *memory, const char *exchange_order_id)
{
	mem_free(map_remove(memory->foreign, exchange_order_id));
}

bool look_memory_next(const struct look_memory *memory, size_t *at, const char **exchange_order_id,
		      const char **symbol)
{
	void *value;

	if (!map_next(memory->foreign, at, exchange_order_id, &value))
		return false;
	*symbol = ((const struct foreign *)value)->symbol;
	return true;
}

static uint64_t digest_of(const struct dd_order *seen)
{
	char text[JOURNAL_EVIDENCE_LEN], quote[DECIMAL_TEXT_LEN];
	uint64_t digest = 14695981039346656037u; /* FNV-1a */

	compare_print_whole(seen, text);
	for (const char *at = text; *at != '\0'; at++)
		digest = (digest ^ (unsigned char)*at) * 1099511628211u;
	decimal_print(seen->executed_quote_qty.value, quote);
	for (const char *at = quote; *at != '\0'; at++)
		digest = (digest ^ (unsigned char)*at) * 1099511628211u;
	return digest;
}

void look_memory_note_agreement(struct look_memory *memory, const struct dd_order *seen)
{
	uint64_t *digest;

	if (map_len(memory->agreeing) >= LOOK_MEMORY_MAX) {
		free_values(memory->agreeing);
		memory->agreeing = map_create();
	}
	digest = mem_alloc(sizeof(*digest));
	*digest = digest_of(seen);
	mem_free(map_put(memory->agreeing, seen->id, digest));
}

bool look_memory_agrees(const struct look_memory *memory, const struct dd_order *seen)
{
	const uint64_t *agreed = map_get(memory->agreeing, seen->id);

	return agreed && *agreed == digest_of(seen);
}
