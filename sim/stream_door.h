/* stream_door.h - the handshakes of the streams: who comes in, and what the others are told.
 *
 * The front asks for each upgrade. One that is refused goes on as an ordinary request through
 * serve.c, which is told here what to answer. Loop thread only. */
#ifndef SIM_STREAM_DOOR_H
#define SIM_STREAM_DOOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/stream_name.h"

struct account;
struct fault_rule;
struct http_request;
struct reply;
struct sim;
struct stream_door;
struct upgrade;

struct door_visit {
	struct stream_name name;
	const struct account *account; /* NULL: came without key, and needs none */
	uint64_t record_seq;
	size_t limit; /* trades to begin with; 0: not said */
};

struct stream_door *door_create(struct sim *sim); /* borrows it */
void door_destroy(struct stream_door *door);      /* NULL is fine */

/* True: it is let in, and recorded. */
bool door_admit(struct stream_door *door, const struct upgrade *upgrade, struct door_visit *visit);

/* The fault rule that refused this handshake, for the caller to release; or NULL. */
struct fault_rule *door_take_refusal(struct stream_door *door, const struct http_request *request);
/* What a path of a stream answers to what was not let in. False: it is no stream's path. */
bool door_answer(const struct sim *sim, const struct http_request *request, const char *path,
		 struct reply *reply);
#endif
