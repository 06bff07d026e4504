/* draw.h - repeatable randomness: the n-th draw of a named series for a seed.
 *
 * There is no state but the caller's counter, so a restart goes on where it stopped, and one
 * series (the ids of an account's orders) never depends on another (the market maker's walk).
 * draw = BLAKE2b(seed | series | n). Not secret in any way. Pure. */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_LEN 37

void draw_bytes(uint64_t seed, const char *series, uint64_t n, void *bytes, size_t len); /* <= 64 */
uint64_t draw_number(uint64_t seed, const char *series, uint64_t n);
int64_t draw_range(uint64_t seed, const char *series, uint64_t n, int64_t low, int64_t high);
/* UUID v4, lower case with hyphens. */
void draw_uuid(uint64_t seed, const char *series, uint64_t n, char text[UUID_TEXT_LEN]);
void uuid_bytes(const char text[UUID_TEXT_LEN], uint8_t bytes[16]);
#endif
