/* control_trouble.c - faults, locks, restarts, dropped connections, the clock. */
#include <string.h>

#include "net/ws.h"
#include "sim/control.h"
#include "sim/fault_wire.h"
#include "sim/serve.h"
#include "sim/sim.h"
#include "sim/store.h"
#include "sim/streams.h"
#include "sim/wire.h"

#define FOR_MS_MAX INT64_C(86400000)

bool control_post_faults(struct control *c, struct err *err)
{
	if (!fault_wire_add(&c->sim->faults, c->body, err))
		return false;
	streams_wake(c->sim->streams);
	reply_json(&c->reply, 200, fault_wire_list(&c->sim->faults));
	return true;
}

bool control_get_faults(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, fault_wire_list(&c->sim->faults));
	return true;
}

bool control_clear_faults(struct control *c, struct err *err)
{
	(void)err;
	faults_clear(&c->sim->faults);
	streams_wake(c->sim->streams);
	return control_done(c);
}

static bool read_ms(const struct control *c, const char *name, int64_t *ms, struct err *err)
{
	return control_read_whole(c, name, FOR_MS_MAX, ms, err);
}

bool control_post_lock(struct control *c, struct err *err)
{
	const json_t *locked = json_object_get(c->body, "locked");
	int64_t for_ms;

	if (!read_ms(c, "for_ms", &for_ms, err))
		return false;
	exchange_lock(c->sim->exchange, !locked || json_is_true(locked), for_ms);
	return control_done(c);
}

bool control_clear_lock(struct control *c, struct err *err)
{
	(void)err;
	exchange_lock(c->sim->exchange, false, 0);
	return control_done(c);
}

bool control_get_lock(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, json_pack("{s:b}", "locked", c->sim->exchange->is_locked));
	return true;
}

bool control_post_restart(struct control *c, struct err *err)
{
	const char *phase = rest_string(c->body, "phase");
	struct mono now = mono_now();
	int64_t for_ms, unavailable_ms;

	if (!read_ms(c, json_object_get(c->body, "ms") ? "ms" : "for_ms", &for_ms, err))
		return false;
	unavailable_ms = for_ms / 2;
	if (phase && strcmp(phase, "503") == 0)
		unavailable_ms = for_ms;
	else if (phase && strcmp(phase, "403") == 0)
		unavailable_ms = 0;
	else if (phase)
		return err_set(err, ERR_INVALID, "\"phase\" must be \"503\" or \"403\"");
	c->sim->restart.until = mono_after_ms(now, for_ms);
	c->sim->restart.forbidden_from = mono_after_ms(now, unavailable_ms);
	streams_close(c->sim->streams, "*", WS_CLOSE_AWAY);
	return control_done(c);
}

bool control_clear_restart(struct control *c, struct err *err)
{
	(void)err;
	c->sim->restart.until.us = 0;
	return control_done(c);
}

bool control_post_drop(struct control *c, struct err *err)
{
	const char *stream = rest_string(c->body, "stream");
	int64_t code;
	size_t count;

	if (!control_read_whole(c, "code", 4999, &code, err))
		return false;
	if (code > 0 && (code < 1000 || !stream))
		return err_set(err, ERR_INVALID, "\"code\" is the close code of a stream");
	count = stream ? streams_close(c->sim->streams, stream, (int)code) : serve_drop_all(c->sim);
	reply_json(&c->reply, 200, json_pack("{s:I}", "dropped", (json_int_t)count));
	return true;
}

bool control_post_clock(struct control *c, struct err *err)
{
	int64_t ms;

	if (!read_ms(c, "advance_ms", &ms, err))
		return false;
	c->sim->advanced_us += ms * 1000;
	store_set_advanced(c->sim->store, c->sim->advanced_us);
	sim_run(c->sim);
	reply_json(&c->reply, 200, json_pack("{s:o}", "now", wire_time(sim_now(c->sim))));
	return true;
}
