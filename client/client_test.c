#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/client.h"

#include "client/rig_test.h"

static void destroy_from_within(void *arg, const struct dd_result *result)
{
	struct rig *rig = arg;

	note(rig, result);
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void ask_and_destroy_from_within(struct rig *rig)
{
	dd_order_cancel(rig->client, ORDER_ID, destroy_from_within, rig);
}

static void a_client_may_go_inside_its_own_completion(void **state)
{
	struct rig *rig = *state;

	assert_done(ask_for(rig, 200, "{}", ask_and_destroy_from_within));
}

static void destroy_when_held(struct rig *rig)
{
	if (!rig->held || !rig->client)
		return;
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void a_call_in_flight_completes_when_its_client_goes(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .manner = HOLD };
	assert_verdict(ask_while(rig, destroy_when_held, ask_submit), DD_UNKNOWN, DD_CLASS_UNKNOWN);
}

static void ask_again(void *arg, const struct dd_result *result)
{
	struct rig *rig = arg;

	rig->outcome.completions++;
	rig->outcome.result = *result;
	dd_order_cancel(rig->client, ORDER_ID, on_plain, rig);
}

static void a_call_refused_or_begun_while_its_client_goes_completes_too(void **state)
{
	struct rig *rig = *state;

	memset(&rig->outcome, 0, sizeof(rig->outcome));
	dd_order_cancel(rig->client, "a?b", ask_again, rig);
	dd_client_destroy(rig->client);
	rig->client = NULL;
	assert_int_equal(rig->outcome.completions, 1);
	assert_int_equal(rig->outcome.result.verdict, DD_REFUSED);
	loop_run(rig->loop);
	assert_int_equal(rig->outcome.completions, 2);
	assert_int_equal(rig->outcome.result.verdict, DD_NOT_SENT);
	assert_int_equal(rig->outcome.result.err.code, ERR_STOPPING);
}

static void a_client_needs_an_address_it_may_use(void **state)
{
	static const char *const urls[] = { "http://api.deltadefi.io", "ftp://127.0.0.1",
					    "https://api.deltadefi.io/?a=b", "", "deltadefi" };
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const struct dd_config config = { .rest_url = urls[i], .timeout_ms = 1000 };
		struct dd_client *client;
		struct err err;

		assert_false(dd_client_create(rig->loop, &config, NULL, &client, &err));
	}
	assert_string_equal(dd_network_rest_url("mainnet"), "https://api.deltadefi.io");
	assert_string_equal(dd_network_stream_url("preprod"), "wss://stream-staging.deltadefi.io");
	assert_null(dd_network_rest_url("staging"));
	assert_null(dd_network_stream_url(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_may_go_inside_its_own_completion),
		TEST(a_call_in_flight_completes_when_its_client_goes),
		TEST(a_call_refused_or_begun_while_its_client_goes_completes_too),
		TEST(a_client_needs_an_address_it_may_use),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
