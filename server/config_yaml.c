#include "server/config_yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/secret.h"

#define FILE_MAX       (256 * 1024)
#define NAME_MAX_SHOWN 60 /* bytes of a path in an error: what is wrong must fit too */

/* One parse. event is the one under the finger. */
struct walk {
	const struct config_yaml *reader;
	const char *path;
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	char section[64], key[64]; /* where we are; "" before the first */
};

static const char *short_path(const char *path)
{
	size_t len = strlen(path);

	return len > NAME_MAX_SHOWN ? path + len - NAME_MAX_SHOWN : path;
}

/* Puts the place before what err says. */
static bool locate(const struct walk *walk, yaml_mark_t mark, struct err *err)
{
	const char *dot = *walk->key ? "." : "";
	const char *colon = *walk->section ? ": " : "";

	return err_prefix(err, "%s:%zu:%zu%s%s%s%s", short_path(walk->path), mark.line + 1,
			  mark.column + 1, colon, walk->section, dot, walk->key);
}

static bool refuse(const struct walk *walk, const char *what, struct err *err)
{
	err_set(err, ERR_CONFIG, "%s", what);
	return locate(walk, walk->event.start_mark, err);
}

static void drop_event(struct walk *walk)
{
	yaml_event_t *event = &walk->event;

	if (!walk->has_event)
		return;
	if (event->type == YAML_SCALAR_EVENT)
		secret_wipe(event->data.scalar.value, event->data.scalar.length);
	yaml_event_delete(event);
	walk->has_event = false;
}

static bool next(struct walk *walk, struct err *err)
{
	drop_event(walk);
	if (!yaml_parser_parse(&walk->parser, &walk->event)) {
		const char *problem = walk->parser.problem;

		err_set(err, ERR_CONFIG, "no YAML: %s", problem ? problem : "unreadable");
		return locate(walk, walk->parser.problem_mark, err);
	}
	walk->has_event = true;
	return true;
}

static bool has_extras(const yaml_event_t *event)
{
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor || event->data.scalar.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor || event->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor || event->data.sequence_start.tag;
	}
	return event->type == YAML_ALIAS_EVENT;
}

/* The next event of the document's content. */
static bool next_node(struct walk *walk, struct err *err)
{
	if (!next(walk, err))
		return false;
	return !has_extras(&walk->event) ||
	       refuse(walk, "anchors, aliases and tags are not allowed", err);
}

static const char *scalar_text(const struct walk *walk)
{
	return (const char *)walk->event.data.scalar.value;
}

/* Nothing, or one of YAML's words for nothing. */
static bool is_null(const struct walk *walk)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (walk->event.type != YAML_SCALAR_EVENT ||
	    walk->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(scalar_text(walk), words[i]) == 0)
			return true;
	return false;
}

static bool is_one_line(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       event->data.scalar.style != YAML_LITERAL_SCALAR_STYLE &&
	       event->data.scalar.style != YAML_FOLDED_SCALAR_STYLE &&
	       event->start_mark.line == event->end_mark.line;
}

/* The name under the finger goes to name, for errors as well. */
static bool read_name(struct walk *walk, char *name, size_t room, struct err *err)
{
	if (!is_one_line(&walk->event))
		return refuse(walk, "expected a name and a colon", err);
	if (strlen(scalar_text(walk)) != walk->event.data.scalar.length ||
	    !mem_str_set(name, room, scalar_text(walk))) {
		*name = '\0';
		return refuse(walk, "the name is too long or holds control characters", err);
	}
	return true;
}

static bool read_value(struct walk *walk, struct err *err)
{
	const struct config_yaml *reader = walk->reader;
	const yaml_event_t *event = &walk->event;

	if (!next_node(walk, err))
		return false;
	if (is_null(walk))
		return refuse(walk, "has no value: leave the line out to keep the default", err);
	if (!is_one_line(event))
		return refuse(walk, "must be one value on one line", err);
	return reader->on_value(reader->arg, walk->section, walk->key, scalar_text(walk),
				event->data.scalar.length, (int)event->start_mark.line + 1, err) ||
	       locate(walk, event->start_mark, err);
}

/* A section whose lines are all comments is an empty scalar. */
static bool read_section(struct walk *walk, struct err *err)
{
	const struct config_yaml *reader = walk->reader;

	if (!reader->on_section(reader->arg, walk->section, (int)walk->event.start_mark.line + 1,
				err))
		return locate(walk, walk->event.start_mark, err);
	if (!next_node(walk, err))
		return false;
	if (is_null(walk))
		return true;
	if (walk->event.type != YAML_MAPPING_START_EVENT)
		return refuse(walk, "must hold lines of the form \"key: value\"", err);
	for (;;) {
		walk->key[0] = '\0';
		if (!next_node(walk, err))
			return false;
		if (walk->event.type == YAML_MAPPING_END_EVENT)
			return true;
		if (!read_name(walk, walk->key, sizeof(walk->key), err) || !read_value(walk, err))
			return false;
	}
}

static bool read_sections(struct walk *walk, struct err *err)
{
	for (;;) {
		walk->section[0] = '\0';
		if (!next_node(walk, err))
			return false;
		if (walk->event.type == YAML_MAPPING_END_EVENT)
			return true;
		if (!read_name(walk, walk->section, sizeof(walk->section), err) ||
		    !read_section(walk, err))
			return false;
	}
}

static bool read_document(struct walk *walk, struct err *err)
{
	if (!next_node(walk, err))
		return false;
	if (is_null(walk))
		return next(walk, err); /* DOCUMENT-END */
	if (walk->event.type != YAML_MAPPING_START_EVENT)
		return refuse(walk, "must hold sections, such as \"exchange:\"", err);
	return read_sections(walk, err) && next(walk, err);
}

static bool read_stream(struct walk *walk, struct err *err)
{
	if (!next(walk, err)) /* STREAM-START */
		return false;
	if (!next(walk, err)) /* the document or the end */
		return false;
	if (walk->event.type == YAML_STREAM_END_EVENT)
		return true;
	if (!read_document(walk, err) || !next(walk, err))
		return false;
	return walk->event.type == YAML_STREAM_END_EVENT ||
	       refuse(walk, "a second document is not allowed", err);
}

static void wipe_parser(yaml_parser_t *parser)
{
	secret_wipe(parser->raw_buffer.start,
		    (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	secret_wipe(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
}

bool config_yaml_parse(const char *path, const char *text, size_t len,
		       const struct config_yaml *reader, struct err *err)
{
	struct walk walk = { .reader = reader, .path = path };
	bool is_read;

	if (!yaml_parser_initialize(&walk.parser))
		mem_give_up(len);
	yaml_parser_set_input_string(&walk.parser, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&walk.parser, YAML_UTF8_ENCODING);
	is_read = read_stream(&walk, err);
	drop_event(&walk);
	wipe_parser(&walk.parser);
	yaml_parser_delete(&walk.parser);
	return is_read;
}

static bool fail_io(const char *path, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: %s", short_path(path), strerror(errno));
}

static bool read_all(int fd, const char *path, char *text, size_t *len, struct err *err)
{
	*len = 0;
	for (;;) {
		ssize_t got = read(fd, text + *len, FILE_MAX + 1 - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_io(path, err);
		if (got == 0)
			return true;
		*len += (size_t)got;
		if (*len > FILE_MAX)
			return err_set(err, ERR_CONFIG, "%s: larger than %d KiB", short_path(path),
				       FILE_MAX / 1024);
	}
}

bool config_yaml_read(const char *path, const struct config_yaml *reader, mode_t *mode,
		      struct err *err)
{
	char *text = mem_alloc(FILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is_read = false;
	struct stat info;
	size_t len;

	if (fd < 0 || fstat(fd, &info) < 0) {
		fail_io(path, err);
		goto out;
	}
	*mode = S_ISREG(info.st_mode) ? info.st_mode & 07777 : 0;
	is_read = read_all(fd, path, text, &len, err) &&
		  config_yaml_parse(path, text, len, reader, err);
out:
	if (fd >= 0)
		close(fd);
	secret_wipe(text, FILE_MAX + 1);
	mem_free(text);
	return is_read;
}
