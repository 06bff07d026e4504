#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/stream_line.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sim/fault_wire.h"
#include "sim/faults.h"

/* What a line has let out: the messages with spaces between, and at last how it ended. */
struct seen {
	char text[256];
};

static void note(struct seen *seen, const char *text, size_t len)
{
	size_t at = strlen(seen->text);

	snprintf(seen->text + at, sizeof(seen->text) - at, "%s%.*s", at ? " " : "", (int)len, text);
}

static void on_send(void *arg, const char *text, size_t len)
{
	note(arg, text, len);
}

static void on_end(void *arg, int code)
{
	char text[16];

	snprintf(text, sizeof(text), "<%d>", code);
	note(arg, text, strlen(text));
}

static const struct stream_line_out out = { on_send, on_end };

static struct mono at(int64_t ms)
{
	return (struct mono){ 1000000 + ms * 1000 };
}

static bool add(struct faults *faults, const char *text)
{
	json_t *object = json_loads(text, 0, NULL);
	struct err err;
	bool is_done;

	assert_non_null(object);
	is_done = fault_wire_add(faults, object, &err);
	json_decref(object);
	return is_done;
}

/* Says m1 to m5, 10 ms apart, on the stream of an account under a rule. */
static void say_five(const char *rule, const char *stream, struct seen *seen)
{
	struct stream_line line;
	struct faults faults;

	*seen = (struct seen){ "" };
	faults_init(&faults, 1);
	assert_true(add(&faults, rule));
	line_init(&line, &out, seen, stream, "main");
	for (int i = 1; i <= 5; i++) {
		char text[16];

		snprintf(text, sizeof(text), "m%d", i);
		line_run(&line, at(10 * i));
		line_say(&line, &faults, text, 2, at(10 * i));
	}
	line_run(&line, at(60000));
	line_fini(&line);
	faults_fini(&faults);
}

#define ACCOUNT "{\"match\":{\"stream\":\"account\"},"

static void a_rule_does_to_messages_what_it_says(void **unused)
{
	static const struct {
		const char *rule, *seen;
	} cases[] = {
		{ ACCOUNT "\"nth\":9,\"lose\":true}", "m1 m2 m3 m4 m5" },
		{ ACCOUNT "\"nth\":2,\"lose\":true}", "m1 m3 m4 m5" },
		{ ACCOUNT "\"nth\":[1,4],\"double\":true}", "m1 m1 m2 m3 m4 m4 m5" },
		{ ACCOUNT "\"nth\":2,\"late\":1}", "m1 m3 m2 m4 m5" },
		{ ACCOUNT "\"nth\":[1,2],\"late\":2}", "m3 m4 m1 m2 m5" },
		{ ACCOUNT "\"nth\":2,\"late\":1000}", "m1 m3 m4 m5 m2" },
		{ "{\"match\":{\"stream\":\"account\",\"body\":\"m2\"},\"late\":1}",
		  "m1 m3 m4 m5 m2" },
		{ ACCOUNT "\"nth\":2,\"late\":3,\"delay_ms\":15}", "m1 m3 m2 m4 m5" },
		{ ACCOUNT "\"nth\":2,\"delay_ms\":25}", "m1 m3 m4 m2 m5" },
		{ ACCOUNT "\"nth\":3,\"stall\":true}", "m1 m2" },
		{ ACCOUNT "\"nth\":3,\"stall\":\"after\"}", "m1 m2 m3" },
		{ ACCOUNT "\"nth\":3,\"drop\":true}", "m1 m2 <0>" },
		{ ACCOUNT "\"nth\":3,\"drop\":\"after\"}", "m1 m2 m3 <0>" },
		{ ACCOUNT "\"nth\":3,\"close\":1001}", "m1 m2 <1001>" },
		{ ACCOUNT "\"nth\":2,\"send_before\":\"ping\"}", "m1 ping m2 m3 m4 m5" },
		{ ACCOUNT "\"nth\":2,\"send_instead\":\"{{{\"}", "m1 {{{ m3 m4 m5" },
		{ "{\"match\":{\"stream\":\"stream:*\",\"body\":\"m4\"},\"lose\":true}",
		  "m1 m2 m3 m5" },
		{ "{\"match\":{\"stream\":\"account\",\"account\":\"other\"},\"lose\":true}",
		  "m1 m2 m3 m4 m5" },
		{ "{\"match\":{\"stream\":\"depth:*\"},\"lose\":true}", "m1 m2 m3 m4 m5" },
		{ "{\"match\":{\"path\":\"*\"},\"drop\":\"before\"}", "m1 m2 m3 m4 m5" },
		{ ACCOUNT "\"answer\":{\"status\":503}}", "m1 m2 m3 m4 m5" },
		{ ACCOUNT "\"at\":\"handshake\",\"drop\":true}", "m1 m2 m3 m4 m5" },
		{ "{\"switch\":\"dup_event\",\"stream\":\"account\",\"nth\":5}",
		  "m1 m2 m3 m4 m5 m5" },
		{ "{\"switch\":\"lost_event\",\"stream\":\"*\",\"times\":2}", "m3 m4 m5" },
		{ "{\"switch\":\"lost_event\",\"nth\":1}", "m1 m2 m3 m4 m5" /* no order_info */ },
		{ "{\"switch\":\"late_event\",\"stream\":\"account\",\"nth\":4}",
		  "m1 m2 m3 m5 m4" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen seen;

		say_five(cases[i].rule, "account", &seen);
		assert_string_equal(seen.text, cases[i].seen);
	}
}

static void a_rule_counts_for_all_sockets_of_its_streams(void **unused)
{
	struct seen seen = { "" };
	struct stream_line first, second;
	struct faults faults;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, "{\"match\":{\"stream\":\"*:ADAUSDM\"},\"nth\":2,\"lose\":true}"));
	line_init(&first, &out, &seen, "depth:ADAUSDM", "main");
	line_init(&second, &out, &seen, "price:ADAUSDM", "main");
	line_say(&first, &faults, "d", 1, at(0));
	line_say(&second, &faults, "p", 1, at(0));
	line_say(&first, &faults, "d", 1, at(0));
	assert_string_equal(seen.text, "d d");
	assert_int_equal(first.sent, 2);
	assert_int_equal(second.sent, 0);
	faults_fini(&faults);
}

static void a_late_message_says_when_it_wants_to_go(void **unused)
{
	struct seen seen = { "" };
	struct stream_line line;
	struct faults faults;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, ACCOUNT "\"nth\":1,\"delay_ms\":40}"));
	line_init(&line, &out, &seen, "account", "main");
	assert_int_equal(line_due(&line).us, 0);
	line_say(&line, &faults, "m1", 2, at(0));
	assert_int_equal(line_due(&line).us, at(40).us);
	line_run(&line, at(39));
	assert_string_equal(seen.text, "");
	line_run(&line, at(40));
	assert_string_equal(seen.text, "m1");
	assert_int_equal(line_due(&line).us, 0);
	line_fini(&line);
	faults_fini(&faults);
}

static void not_more_than_a_bound_waits(void **unused)
{
	struct seen seen = { "" };
	struct stream_line line;
	struct faults faults;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, ACCOUNT "\"delay_ms\":3600000}"));
	line_init(&line, &out, &seen, "account", "main");
	for (int i = 0; i < LINE_LATE_MAX + 3; i++)
		line_say(&line, &faults, "m", 1, at(i));
	assert_string_equal(seen.text, "m m m");
	assert_int_equal(line.late_count, LINE_LATE_MAX);
	line_fini(&line);
	assert_int_equal(line.late_count, 0);
	faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_does_to_messages_what_it_says),
		cmocka_unit_test(a_rule_counts_for_all_sockets_of_its_streams),
		cmocka_unit_test(a_late_message_says_when_it_wants_to_go),
		cmocka_unit_test(not_more_than_a_bound_waits),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
