/* map.h - from short strings to objects.
 *
 * Keys are copied, values borrowed. Keyed hashing (SipHash with a random key per map), since
 * keys come from apps. Not ordered. One thread. */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_create(void);
void map_destroy(struct map *map); /* NULL is fine; the values are not touched */

void *map_get(const struct map *map, const char *key); /* NULL when absent */
/* Returns the value that was there before, or NULL. value must not be NULL. */
void *map_put(struct map *map, const char *key, void *value);
void *map_remove(struct map *map, const char *key); /* the value, or NULL */
size_t map_len(const struct map *map);

/* Walks all pairs; start with *at = 0. False at the end. The map must not change meanwhile,
 * except that the pair just returned may be removed. */
bool map_next(const struct map *map, size_t *at, const char **key, void **value);
#endif
