#include "net/http_head.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The library parses in place: names and values point into the head as it came. So whatever lies
 * between two of them, beyond a colon and blanks or a line's end, is noticed. */
struct walk {
	const char *end; /* of what has been seen so far */
	bool has_gap, has_bad_name, has_bad_value;
	size_t hosts, lengths, encodings;
	const char *length, *encoding;
	bool expects_continue;
};

static bool is_token(const char *text)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

/* What a terminal or another reader might take for more than text: a bare CR above all. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

/* Is there just CR and LF (by now two NULs) between the two? */
static bool is_next_line(const char *end, const char *next)
{
	return next == end + 2;
}

static void walk_past(struct walk *walk, const char *name, const char *value)
{
	const char *blank = name + strlen(name) + 1; /* past the colon */

	while (blank < value && (*blank == ' ' || *blank == '\t'))
		blank++;
	if (!is_next_line(walk->end, name) || blank != value)
		walk->has_gap = true;
	walk->end = value + strlen(value);
}

static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct walk *walk = arg;

	(void)kind;
	walk_past(walk, name, value);
	if (!is_token(name))
		walk->has_bad_name = true;
	if (has_control(value))
		walk->has_bad_value = true;
	if (strcasecmp(name, "Host") == 0)
		walk->hosts++;
	if (strcasecmp(name, "Expect") == 0)
		walk->expects_continue = true;
	if (strcasecmp(name, "Content-Length") == 0) {
		walk->lengths++;
		walk->length = value;
	}
	if (strcasecmp(name, "Transfer-Encoding") == 0) {
		walk->encodings++;
		walk->encoding = value;
	}
	return MHD_YES;
}

static bool is_well_formed(const struct walk *walk, const char *version)
{
	bool is_old = strcmp(version, "HTTP/1.0") == 0;

	if (walk->has_gap || walk->has_bad_name || walk->has_bad_value)
		return false;
	if (walk->hosts > 1 || walk->lengths + walk->encodings > 1)
		return false;
	if (walk->hosts == 0 && !is_old)
		return false;
	return !walk->encoding || (!is_old && strcasecmp(walk->encoding, "chunked") == 0);
}

/* The library has checked that there are only digits, and that 64 bits hold them. */
static uint64_t read_length(const char *digits)
{
	return strtoull(digits, NULL, 10);
}

void http_head_read(struct http_head *head, struct MHD_Connection *mhd, const char *method,
		    const char *raw_target, size_t target_len, const char *version)
{
	struct walk walk = { .end = version + strlen(version) };

	memset(head, 0, sizeof(*head));
	head->len =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, note_header, &walk);
	/* The empty line comes last; and a NUL in the request line would part what is one. */
	head->is_well_formed =
		is_well_formed(&walk, version) && is_next_line(walk.end, method + head->len - 2) &&
		raw_target == method + strlen(method) + 1 && version == raw_target + target_len + 1;
	head->expects_continue = walk.expects_continue;
	head->has_length = walk.length != NULL;
	if (walk.length)
		head->length = read_length(walk.length);
}
