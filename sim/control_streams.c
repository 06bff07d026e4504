/* control_streams.c - the streams that are open, and what is done to them. */
#include <string.h>

#include "sim/control.h"
#include "sim/sim.h"
#include "sim/storm.h"
#include "sim/streams.h"

bool control_get_sockets(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, streams_list(c->sim->streams));
	return true;
}

static const char *stream_of(const struct control *c, struct err *err)
{
	const char *stream = rest_string(c->body, "stream");

	if (!stream)
		(void)err_set(err, ERR_INVALID, "\"stream\" must name one, as account or depth:*");
	return stream;
}

static bool answer_count(struct control *c, const char *what, size_t count)
{
	reply_json(&c->reply, 200, json_pack("{s:I}", what, (json_int_t)count));
	return true;
}

bool control_post_send(struct control *c, struct err *err)
{
	const char *stream = stream_of(c, err);
	const char *text = rest_string(c->body, "text");

	if (!stream)
		return false;
	if (!text)
		return err_set(err, ERR_INVALID, "\"text\" must be a string");
	return answer_count(c, "sent", streams_send(c->sim->streams, stream, text, strlen(text)));
}

bool control_post_mute(struct control *c, struct err *err)
{
	const char *stream = stream_of(c, err);
	const json_t *muted = json_object_get(c->body, "muted");

	if (!stream)
		return false;
	return answer_count(c, "met",
			    streams_mute(c->sim->streams, stream, !muted || json_is_true(muted)));
}

bool control_post_storm(struct control *c, struct err *err)
{
	const char *stream = stream_of(c, err);
	int64_t per_second, for_ms;

	return stream && control_read_whole(c, "per_second", STORM_RATE_MAX, &per_second, err) &&
	       control_read_whole(c, "for_ms", STORM_MS_MAX, &for_ms, err) &&
	       streams_storm(c->sim->streams, stream, per_second, for_ms, err) && control_done(c);
}

bool control_clear_storm(struct control *c, struct err *err)
{
	(void)err;
	streams_calm(c->sim->streams);
	return control_done(c);
}
