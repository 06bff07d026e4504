#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "sim/fault_wire.h"
#include "sim/faults.h"

static const struct fault_request submit = { "POST", "/order/submit",
					     "main", "{\"order_id\":1}",
					     NULL,   false };
static const struct fault_request build = { "POST", "/order/build", "main", "{}", NULL, false };
static const struct fault_request balance = {
	"GET", "/accounts/balance", "other", "", NULL, false
};

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

static bool fires(struct faults *faults, const struct fault_request *request)
{
	struct fault_rule *rule = faults_decide(faults, request);

	faults_release(rule);
	return rule != NULL;
}

static void a_rule_meets_only_what_it_matches(void **unused)
{
	static const struct {
		const char *rule;
		bool meets_submit, meets_build, meets_balance;
	} cases[] = {
		{ "{\"drop\":\"before\"}", true, true, true },
		{ "{\"match\":{\"path\":\"/order/submit\"}}", true, false, false },
		{ "{\"match\":{\"path\":\"/order/*\"}}", true, true, false },
		{ "{\"match\":{\"method\":\"get\"}}", false, false, true },
		{ "{\"match\":{\"account\":\"main\",\"method\":\"POST\"}}", true, true, false },
		{ "{\"match\":{\"body\":\"order_id\"}}", true, false, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct faults faults;

		faults_init(&faults, 1);
		assert_true(add(&faults, cases[i].rule));
		assert_int_equal(fires(&faults, &submit), cases[i].meets_submit);
		assert_int_equal(fires(&faults, &build), cases[i].meets_build);
		assert_int_equal(fires(&faults, &balance), cases[i].meets_balance);
		faults_fini(&faults);
	}
}

static void a_rule_fires_the_times_it_says(void **unused)
{
	static const struct {
		const char *rule, *pattern; /* of the first six requests */
	} cases[] = {
		{ "{\"delay_ms\":1}", "xxxxxx" },
		{ "{\"nth\":[1,3]}", "x.x..." },
		{ "{\"nth\":2}", ".x...." },
		{ "{\"times\":2}", "xx...." },
		{ "{\"probability\":0}", "......" },
		{ "{\"probability\":1}", "xxxxxx" },
		{ "{\"nth\":[2,4],\"times\":1}", ".x...." },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct faults faults;

		faults_init(&faults, 1);
		assert_true(add(&faults, cases[i].rule));
		for (const char *c = cases[i].pattern; *c; c++)
			assert_int_equal(fires(&faults, &submit), *c == 'x');
		faults_fini(&faults);
	}
}

static void chance_is_the_same_for_the_same_seed(void **unused)
{
	struct faults a, b;
	int hits = 0;

	(void)unused;
	faults_init(&a, 9);
	faults_init(&b, 9);
	assert_true(add(&a, "{\"probability\":0.25}"));
	assert_true(add(&b, "{\"probability\":0.25}"));
	for (int i = 0; i < 1000; i++) {
		bool is_hit = fires(&a, &submit);

		assert_int_equal(fires(&b, &submit), is_hit);
		hits += is_hit;
	}
	assert_in_range(hits, 200, 300);
	faults_fini(&a);
	faults_fini(&b);
}

static void the_first_rule_that_fires_decides_and_the_others_count(void **unused)
{
	struct faults faults;
	struct fault_rule *rule;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, "[{\"nth\":1,\"delay_ms\":1},{\"nth\":[1,2],\"delay_ms\":2}]"));
	rule = faults_decide(&faults, &submit);
	assert_int_equal(rule->delay_ms, 1);
	faults_release(rule);
	rule = faults_decide(&faults, &submit);
	assert_int_equal(rule->delay_ms, 2);
	assert_int_equal(rule->seen, 2);
	assert_int_equal(rule->hits, 1);
	faults_release(rule);
	faults_fini(&faults);
}

static void a_cleared_rule_lives_until_its_request_is_done(void **unused)
{
	struct faults faults;
	struct fault_rule *rule;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, "{\"answer\":{\"code\":5000}}"));
	rule = faults_decide(&faults, &submit);
	faults_clear(&faults);
	assert_int_equal(rule->answer.code, 5000);
	assert_false(fires(&faults, &submit));
	faults_release(rule);
	faults_fini(&faults);
}

static void submit_5000_acts_in_some_cases_and_not_in_others(void **unused)
{
	struct faults faults;
	struct fault_rule *rule;
	int after = 0;

	(void)unused;
	faults_init(&faults, 3);
	assert_true(add(&faults, "{\"switch\":\"submit_5000\",\"times\":200}"));
	assert_false(fires(&faults, &build));
	while ((rule = faults_decide(&faults, &submit))) {
		after += faults_phase(&faults, rule->answers) == FAULT_AFTER;
		assert_int_equal(rule->answer.code, 5000);
		faults_release(rule);
	}
	assert_in_range(after, 70, 130);
	faults_fini(&faults);
}

static void switches_turn_on_and_off(void **unused)
{
	struct faults faults;

	(void)unused;
	faults_init(&faults, 1);
	assert_true(add(&faults, "{\"switch\":\"wrap_order\"}"));
	assert_true(add(&faults, "{\"switch\":\"iv16\",\"on\":true}"));
	assert_true(faults.switches[SWITCH_WRAP_ORDER] && faults.switches[SWITCH_IV16]);
	assert_true(add(&faults, "{\"switch\":\"iv16\",\"on\":false}"));
	assert_false(faults.switches[SWITCH_IV16]);
	faults_clear(&faults);
	assert_false(faults.switches[SWITCH_WRAP_ORDER]);
	faults_fini(&faults);
}

static void rules_for_handshakes_messages_and_requests_do_not_meet(void **unused)
{
	static const struct fault_request scenes[] = {
		{ "GET", "/accounts/stream", "main", "", "account", true },
		{ "", "", "main", "order_info", "account", false },
		{ "GET", "/accounts/balance", "main", "", NULL, false },
	};
	static const struct {
		const char *rule;
		bool meets[ARRAY_LEN(scenes)];
	} cases[] = {
		{ "{\"match\":{\"stream\":\"account\"},\"answer\":{\"status\":503}}", { true } },
		{ "{\"match\":{\"stream\":\"account\"},\"at\":\"handshake\",\"stall\":true}",
		  { true } },
		{ "{\"match\":{\"stream\":\"account\"},\"drop\":true}", { false, true } },
		{ "{\"match\":{\"stream\":\"stream:*\"},\"at\":\"message\",\"lose\":true}",
		  { false, true } },
		{ "{\"match\":{\"stream\":\"account\",\"body\":\"balance\"},\"lose\":true}",
		  { false } },
		{ "{\"match\":{\"stream\":\"depth:*\"},\"answer\":{}}", { false } },
		{ "{\"match\":{\"path\":\"*\"},\"drop\":\"before\"}", { false, false, true } },
		{ "{\"drop\":\"before\"}", { false, false, true } },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct faults faults;

		faults_init(&faults, 1);
		assert_true(add(&faults, cases[i].rule));
		for (size_t at = 0; at < ARRAY_LEN(scenes); at++)
			assert_int_equal(fires(&faults, &scenes[at]), cases[i].meets[at]);
		faults_fini(&faults);
	}
}

static void switches_with_a_time_have_a_usual_one(void **unused)
{
	static const struct {
		const char *rule;
		enum fault_switch which;
		bool is_on;
		int64_t ms;
	} cases[] = {
		{ "{\"switch\":\"text_ping\"}", SWITCH_TEXT_PING, true, 30000 },
		{ "{\"switch\":\"text_ping\",\"ms\":50}", SWITCH_TEXT_PING, true, 50 },
		{ "{\"switch\":\"ws_drop\"}", SWITCH_WS_DROP, true, 5400000 },
		{ "{\"switch\":\"ws_drop\",\"ms\":0}", SWITCH_WS_DROP, true, 1 },
		{ "{\"switch\":\"ws_drop\",\"on\":false}", SWITCH_WS_DROP, false, 5400000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct faults faults;

		faults_init(&faults, 1);
		assert_true(add(&faults, cases[i].rule));
		assert_int_equal(faults.switches[cases[i].which], cases[i].is_on);
		assert_int_equal(faults.switch_ms[cases[i].which], cases[i].ms);
		faults_fini(&faults);
	}
}

static void a_wrong_rule_is_refused(void **unused)
{
	static const char *const cases[] = {
		"{\"dealy_ms\":5}",
		"{\"delay_ms\":-1}",
		"{\"delay_ms\":\"5\"}",
		"{\"match\":\"/order\"}",
		"{\"match\":{\"paht\":\"/order\"}}",
		"{\"nth\":[\"1\"]}",
		"{\"probability\":1.5}",
		"{\"answer\":5000}",
		"{\"answer\":{\"status\":1000}}",
		"{\"answer\":{\"headers\":{\"a\":1}}}",
		"{\"when\":\"after\"}",
		"{\"answer\":{},\"when\":\"sometimes\"}",
		"{\"drop\":\"later\"}",
		"{\"switch\":\"no_such\"}",
		"{\"switch\":5}",
		"{\"huge\":100000000000}",
		"5",
		"[[]]",
		"[{\"delay_ms\":1},{\"switch\":\"iv16\"},{\"delay\":1}]",
		"{\"lose\":true}",
		"{\"at\":\"handshake\",\"drop\":true}",
		"{\"match\":{\"stream\":\"account\",\"path\":\"/x\"},\"lose\":true}",
		"{\"match\":{\"stream\":\"account\"},\"cut\":5}",
		"{\"match\":{\"stream\":\"account\"},\"lose\":1}",
		"{\"match\":{\"stream\":\"account\"},\"close\":999}",
		"{\"match\":{\"stream\":\"account\"},\"late\":-1}",
		"{\"match\":{\"stream\":\"account\"},\"send_instead\":5}",
		"{\"match\":{\"stream\":\"account\"},\"at\":\"handshake\"}",
		"{\"match\":{\"stream\":\"account\"},\"at\":\"door\",\"drop\":true}",
		"{\"match\":{\"stream\":\"account\"},\"answer\":{\"status\":503},\"lose\":true}",
		"{\"switch\":\"text_ping\",\"ms\":-1}",
		"{\"switch\":\"iv16\",\"ms\":5}",
	};
	struct faults faults;

	(void)unused;
	faults_init(&faults, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *object = json_loads(cases[i], JSON_DECODE_ANY, NULL);
		struct err err;

		assert_non_null(object);
		assert_false(fault_wire_add(&faults, object, &err));
		json_decref(object);
	}
	assert_int_equal(faults.count, 0);
	assert_false(faults.switches[SWITCH_IV16]);
	faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_meets_only_what_it_matches),
		cmocka_unit_test(a_rule_fires_the_times_it_says),
		cmocka_unit_test(chance_is_the_same_for_the_same_seed),
		cmocka_unit_test(the_first_rule_that_fires_decides_and_the_others_count),
		cmocka_unit_test(a_cleared_rule_lives_until_its_request_is_done),
		cmocka_unit_test(submit_5000_acts_in_some_cases_and_not_in_others),
		cmocka_unit_test(switches_turn_on_and_off),
		cmocka_unit_test(rules_for_handshakes_messages_and_requests_do_not_meet),
		cmocka_unit_test(switches_with_a_time_have_a_usual_one),
		cmocka_unit_test(a_wrong_rule_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
