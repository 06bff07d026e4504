/* stream_name.h - which stream a path asks for, and the simulator's own names for streams.
 *
 * "account", "depth:ADAUSDM", "price:ADAUSDM", "trades:ADAUSDM". On the exchange the path is the
 * whole subscription: one socket, one stream, one symbol. Pure.
 *
 * Paths as the exchange's documents have them, and the other spellings of its SDKs (/market/ws/,
 * recent-trade without the s), of which it is not known whether they still work. The stream of
 * candles, which one SDK alone names, is not served. */
#ifndef SIM_STREAM_NAME_H
#define SIM_STREAM_NAME_H
#include <stdbool.h>
#include <stddef.h>

struct pair;

enum stream_kind { STREAM_ACCOUNT, STREAM_DEPTH, STREAM_PRICE, STREAM_TRADES };
enum stream_path { STREAM_PATH_OTHER, STREAM_PATH_NO_SYMBOL, STREAM_PATH_FOUND };

#define STREAM_NAME_LEN 32

struct stream_name {
	enum stream_kind kind;
	const struct pair *pair; /* NULL for the account */
};

enum stream_path stream_find(const char *path, struct stream_name *name);
const char *stream_print(const struct stream_name *name, char text[STREAM_NAME_LEN]);
bool stream_parse(const char *text, struct stream_name *name);
bool stream_is(const struct stream_name *a, const struct stream_name *b);

/* glob "*" or "stream:*" is every stream. */
bool stream_matches(const char *glob, const char *text);

/* A parameter of a raw query, decoded; false when absent, malformed or too long. */
bool stream_query(const char *query, const char *name, char *value, size_t room);
#endif
