#include "base/map.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_MIN 16 /* a power of two, as all rooms are */

/* Linear probing. A removed pair leaves a tombstone, so that nothing moves while someone walks;
 * the next growth sweeps them out. */
struct slot {
	char *key;   /* NULL: empty, or a tombstone */
	void *value; /* of a tombstone: itself */
	uint64_t hash;
};

struct map {
	struct slot *slots;
	size_t room;
	size_t len;
	size_t used; /* pairs and tombstones, at most three quarters of room */
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

struct map *map_create(void)
{
	struct map *map = mem_alloc(sizeof(*map));
	int status = sodium_init(); /* again and again is fine, and from any thread */

	assert(status >= 0);
	map->room = ROOM_MIN;
	map->slots = mem_array(map->room, sizeof(map->slots[0]));
	randombytes_buf(map->hash_key, sizeof(map->hash_key));
	return map;
}

void map_destroy(struct map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->room; i++)
		mem_free(map->slots[i].key);
	mem_free(map->slots);
	mem_free(map);
}

static uint64_t hash_of(const struct map *map, const char *key)
{
	uint8_t bytes[crypto_shorthash_BYTES];
	uint64_t hash;

	crypto_shorthash(bytes, (const uint8_t *)key, strlen(key), map->hash_key);
	memcpy(&hash, bytes, sizeof(hash));
	return hash;
}

static bool is_empty(const struct slot *slot)
{
	return !slot->key && !slot->value;
}

/* The slot of key, or NULL. */
static struct slot *find(const struct map *map, const char *key)
{
	uint64_t hash = hash_of(map, key);

	for (size_t i = hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
		struct slot *slot = &map->slots[i];

		if (is_empty(slot))
			return NULL;
		if (slot->key && slot->hash == hash && strcmp(slot->key, key) == 0)
			return slot;
	}
}

static struct slot *find_empty(struct slot *slots, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);

	while (!is_empty(&slots[i]))
		i = (i + 1) & (room - 1);
	return &slots[i];
}

/* To a room that is at most half full: larger, smaller, or the same without tombstones. */
static void rebuild(struct map *map)
{
	size_t room = ROOM_MIN;
	struct slot *slots;

	while (room / 2 <= map->len)
		room *= 2;
	slots = mem_array(room, sizeof(slots[0]));
	for (size_t i = 0; i < map->room; i++)
		if (map->slots[i].key)
			*find_empty(slots, room, map->slots[i].hash) = map->slots[i];
	mem_free(map->slots);
	map->slots = slots;
	map->room = room;
	map->used = map->len;
}

void *map_get(const struct map *map, const char *key)
{
	const struct slot *slot = find(map, key);

	return slot ? slot->value : NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
	struct slot *slot = find(map, key);
	void *before = NULL;

	assert(value);
	if (slot) {
		before = slot->value;
		slot->value = value;
		return before;
	}
	if (map->used + 1 > map->room / 4 * 3)
		rebuild(map);
	slot = find_empty(map->slots, map->room, hash_of(map, key));
	*slot = (struct slot){ mem_strdup(key), value, hash_of(map, key) };
	map->len++;
	map->used++;
	return NULL;
}

void *map_remove(struct map *map, const char *key)
{
	struct slot *slot = find(map, key);
	void *value;

	if (!slot)
		return NULL;
	value = slot->value;
	mem_free(slot->key);
	*slot = (struct slot){ .value = slot };
	map->len--;
	return value;
}

size_t map_len(const struct map *map)
{
	return map->len;
}

bool map_next(const struct map *map, size_t *at, const char **key, void **value)
{
	while (*at < map->room) {
		const struct slot *slot = &map->slots[(*at)++];

		if (slot->key) {
			*key = slot->key;
			*value = slot->value;
			return true;
		}
	}
	return false;
}
