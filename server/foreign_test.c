#include "server/foreign.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "net/httpd.h"

#define ADDRESS "127.0.0.1:8790"
#define HOSTS   "gate.lan, gate.example:443"
#define ORIGINS "https://desk.example,http://localhost:3000"

static const struct http_peer tcp = { .address = "127.0.0.1" };
static const struct http_peer local = { .is_unix = true, .address = "unix" };

static void a_host_is_ours_or_an_allowed_one(void **unused)
{
	static const struct {
		const char *host;
		bool is_fine;
	} cases[] = {
		{ "127.0.0.1:8790", true },
		{ "localhost:8790", true },
		{ "LOCALHOST:8790", true },
		{ "[::1]:8790", true },
		{ "gate.lan", true },
		{ "gate.lan:8790", true },
		{ "Gate.Lan:8790", true },
		{ "gate.example:443", true },
		{ "gate.example", false },
		{ "gate.lan:8791", false },
		{ "127.0.0.1", false },
		{ "127.0.0.1:8791", false },
		{ "localhost", false },
		{ "evil.example:8790", false },
		{ "", false },
		{ ":8790", false },
		{ "gate.lan, gate", false },
		{ "xgate.lan:8790", false },
		{ "gate.lan.evil", false },
		{ NULL, false },
	};
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct foreign_head head = { .peer = &tcp, .host = cases[i].host, .host_count = 1 };

		if (foreign_check_host(&head, ADDRESS, HOSTS, &err) != cases[i].is_fine)
			fail_msg("%s", cases[i].host ? cases[i].host : "none");
		if (!cases[i].is_fine)
			assert_int_equal(err.code, ERR_FOREIGN_HOST);
	}
}

static void two_hosts_are_none(void **unused)
{
	struct foreign_head head = { .peer = &tcp, .host = ADDRESS, .host_count = 2 };
	struct err err;

	(void)unused;
	assert_false(foreign_check_host(&head, ADDRESS, HOSTS, &err));
}

static void over_the_unix_socket_any_host_will_do(void **unused)
{
	struct foreign_head head = { .peer = &local };
	struct err err;

	(void)unused;
	assert_true(foreign_check_host(&head, ADDRESS, "", &err));
}

static void an_origin_is_absent_or_allowed(void **unused)
{
	static const struct {
		const char *origin;
		size_t count;
		bool is_fine;
	} cases[] = {
		{ NULL, 0, true },
		{ "https://desk.example", 1, true },
		{ "http://localhost:3000", 1, true },
		{ "https://desk.example", 2, false },
		{ "http://desk.example", 1, false },
		{ "https://desk.example.evil", 1, false },
		{ "http://127.0.0.1:8790", 1, false },
		{ "null", 1, false },
		{ "", 1, false },
	};
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct foreign_head head = { .peer = &tcp,
					     .origin = cases[i].origin,
					     .origin_count = cases[i].count };

		if (foreign_check_origin(&head, ORIGINS, &err) != cases[i].is_fine)
			fail_msg("%s", cases[i].origin ? cases[i].origin : "none");
		if (!cases[i].is_fine)
			assert_int_equal(err.code, ERR_FOREIGN_ORIGIN);
	}
}

static void our_own_page_is_not_foreign(void **unused)
{
	static const struct {
		const struct http_peer *peer;
		const char *host, *origin;
		bool is_fine;
	} cases[] = {
		{ &tcp, ADDRESS, "http://127.0.0.1:8790", true },
		{ &tcp, "localhost:8790", "http://localhost:8790", true },
		{ &tcp, "LOCALHOST:8790", "HTTP://localhost:8790", true },
		{ &tcp, "[::1]:8790", "http://[::1]:8790", true },
		{ &tcp, "localhost:8790", "http://127.0.0.1:8790", false },
		{ &tcp, ADDRESS, "https://127.0.0.1:8790", false },
		{ &tcp, ADDRESS, "http://127.0.0.1:8791", false },
		{ &tcp, ADDRESS, "http://127.0.0.1", false },
		{ &tcp, ADDRESS, "http://127.0.0.1:8790.evil.example", false },
		{ &tcp, ADDRESS, "http://evil.example", false },
		{ &tcp, ADDRESS, "127.0.0.1:8790", false },
		{ &tcp, ADDRESS, "http://", false },
		{ &tcp, NULL, "http://", false },
		{ &local, "evil.example", "http://evil.example", false },
	};
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct foreign_head head = { .peer = cases[i].peer,
					     .host = cases[i].host,
					     .host_count = cases[i].host ? 1 : 0,
					     .origin = cases[i].origin,
					     .origin_count = 1 };

		if (foreign_check_origin(&head, ORIGINS, &err) != cases[i].is_fine)
			fail_msg("%s", cases[i].origin);
	}
}

static void the_origin_null_is_never_allowed(void **unused)
{
	struct foreign_head head = { .peer = &tcp, .origin = "null", .origin_count = 1 };
	struct err err;

	(void)unused;
	assert_false(foreign_check_origin(&head, "null", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_ours_or_an_allowed_one),
		cmocka_unit_test(two_hosts_are_none),
		cmocka_unit_test(over_the_unix_socket_any_host_will_do),
		cmocka_unit_test(an_origin_is_absent_or_allowed),
		cmocka_unit_test(our_own_page_is_not_foreign),
		cmocka_unit_test(the_origin_null_is_never_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
