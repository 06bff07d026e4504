#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/secret.h"
#include "client/reader_test.h"

static void balances_read_as_strings_and_as_numbers(void **unused)
{
	static const char *const bodies[] = {
		"[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"free\":\"1383.52097\","
		"\"locked\":\"0\"},{\"asset\":\"usdm\",\"asset_unit\":\"aa.bb\",\"free\":\"0.10\"}"
		"]",
		"{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"ADA\","
		"\"asset_unit\":\"lovelace\",\"free\":1383.52097,\"locked\":0},{\"asset\":\"usdm\","
		"\"asset_unit\":\"aabb\",\"free\":\"0.10\",\"locked\":null}]}",
		"{\"data\":[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"free\":\"1383.52097\","
		"\"locked\":\"0\"},{\"asset\":\"usdm\",\"asset_unit\":\"aabb\",\"free\":\"0.10\"}]"
		"}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_balance *balances;
		size_t count;
		struct err err;

		assert_true(wire_balances_read(doc, &balances, &count, &err));
		assert_int_equal(count, 2);
		assert_string_equal(balances[0].asset, "ADA");
		assert_string_equal(balances[0].unit, "lovelace");
		assert_decimal(balances[0].free, "1383.52097");
		assert_decimal(balances[0].locked, "0");
		assert_string_equal(balances[1].unit, "aabb");
		assert_decimal(balances[1].free, "0.10");
		assert_decimal(balances[1].locked, "0");
		wire_balances_free(balances);
		wire_free(doc);
	}
}

static void an_amount_that_is_not_certain_is_refused(void **unused)
{
	static const char *const amounts[] = {
		"0.30000000000000004",
		"123456789012.1234567",
		"\"1e3\"",
		"\"\"",
		"\"1,5\"",
		"\" 1\"",
		"true",
		"[]",
		"\"0x10\"",
		"\"NaN\"",
		"1e400",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		struct buf body;
		struct err err;
		struct wire_doc *doc;
		struct dd_balance *balances;
		size_t count;

		buf_init(&body, 256);
		buf_printf(&body, "[{\"asset\":\"ADA\",\"free\":%s}]", amounts[i]);
		doc = wire_parse(buf_str(&body), body.len, &err);
		assert_false(doc && wire_balances_read(doc, &balances, &count, &err));
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_free(doc);
		buf_fini(&body);
	}
}

static void the_account_is_known_by_its_id(void **unused)
{
	struct wire_doc *doc =
		parse("{\"data\":{\"account_id\":\"acc-1\",\"account_type\":\"spot\","
		      "\"encrypted_operation_key\":\"{}\",\"created_at\":"
		      "\"2026-01-13T10:00:00+01:00\"}}");
	struct dd_account account;
	struct err err;

	(void)unused;
	assert_true(wire_account_read(doc, &account, &err));
	assert_string_equal(account.account_id, "acc-1");
	assert_string_equal(account.account_type, "spot");
	assert_time(account.created_at, "2026-01-13T09:00:00.000000Z");
	wire_free(doc);
	doc = parse("{\"account_type\":\"spot\"}");
	assert_false(wire_account_read(doc, &account, &err));
	wire_free(doc);
}

static void the_sealed_key_reads_under_either_name_and_as_text_or_object(void **unused)
{
	static const char *const bodies[] = {
		"{\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"aa\\\"}\","
		"\"operation_key_hash\":\"ab\"}",
		"{\"data\":{\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"aa\\\"}\","
		"\"operation_key_hash\":\"ab\"}}",
		"{\"encrypted_key\":\"{\\\"iv\\\":\\\"aa\\\"}\",\"operation_key_hash\":\"ab\"}",
		"{\"encrypted_operation_key\":{\"iv\":\"aa\"},\"operation_key_hash\":\"ab\"}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct wire_sealed_key key;
		struct err err;

		assert_true(wire_sealed_key_read(doc, &key, &err));
		assert_string_equal(key.text, "{\"iv\":\"aa\"}");
		assert_string_equal(key.hash, "ab");
		mem_free(key.text);
		wire_free(doc);
	}
}

static void a_sealed_key_that_is_missing_or_huge_is_refused(void **unused)
{
	char *huge = repeat("x", 20000);
	struct wire_sealed_key key;
	struct wire_doc *doc;
	struct buf body;
	struct err err;

	(void)unused;
	doc = parse("{\"operation_key_hash\":\"ab\"}");
	assert_false(wire_sealed_key_read(doc, &key, &err));
	wire_free(doc);
	buf_init(&body, 32768);
	buf_printf(&body, "{\"encrypted_operation_key\":\"%s\"}", huge);
	doc = parse(buf_str(&body));
	assert_false(wire_sealed_key_read(doc, &key, &err));
	wire_free(doc);
	buf_fini(&body);
	mem_free(huge);
}

static void a_new_key_is_taken_out_of_its_document(void **unused)
{
	struct wire_doc *doc = parse("{\"api_key\":\"dk_live_abc\",\"created_at\":\"now\"}");
	struct secret *key, *again;
	struct err err;

	(void)unused;
	key = wire_new_key_read(doc, &err);
	assert_non_null(key);
	assert_int_equal(secret_len(key), 11);
	assert_memory_equal(secret_open(key), "dk_live_abc", 11);
	secret_close(key);
	again = wire_new_key_read(doc, &err);
	assert_false(again && secret_equal(key, again));
	secret_destroy(again);
	secret_destroy(key);
	wire_free(doc);
	doc = parse("{\"api_key\":\"\"}");
	assert_null(wire_new_key_read(doc, &err));
	wire_free(doc);
}

static void transfers_read_with_their_assets(void **unused)
{
	struct wire_doc *doc = parse(
		"{\"data\":[{\"created_at\":\"2026-01-13T09:00:00Z\",\"status\":\"confirmed\","
		"\"assets\":[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"qty\":\"10000000\"},"
		"{\"asset\":\"USDM\",\"asset_unit\":\"c69b.0014\",\"qty\":5}],\"tx_hash\":\"ab12\","
		"\"transferal_type\":\"normal\",\"direction\":\"incoming\"},"
		"{\"status\":\"building\",\"assets\":null}],\"total_count\":2,\"total_page\":1}");
	struct dd_transfer *transfers;
	int64_t total;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_transfers_read(doc, &transfers, &count, &total, &err));
	assert_int_equal(count, 2);
	assert_int_equal(total, 2);
	assert_string_equal(transfers[0].status, "confirmed");
	assert_string_equal(transfers[0].tx_hash, "ab12");
	assert_string_equal(transfers[0].type, "normal");
	assert_string_equal(transfers[0].direction, "incoming");
	assert_int_equal(transfers[0].asset_count, 2);
	assert_decimal(transfers[0].assets[0].qty, "10000000");
	assert_string_equal(transfers[0].assets[1].unit, "c69b0014");
	assert_decimal(transfers[0].assets[1].qty, "5");
	assert_int_equal(transfers[1].asset_count, 0);
	wire_transfers_free(transfers, count);
	wire_free(doc);
}

static void one_transfer_reads_bare_and_wrapped(void **unused)
{
	static const struct {
		const char *body;
		bool ok;
	} rows[] = {
		{ "{\"status\":\"pending\",\"assets\":[{\"qty\":\"1\"}]}", true },
		{ "{\"transferal_record\":{\"status\":\"pending\"}}", true },
		{ "{\"data\":{\"transferal_record\":{\"status\":\"pending\"}}}", true },
		{ "{\"status\":\"pending\",\"assets\":[{\"qty\":\"many\"}]}", false },
		{ "{\"status\":\"pending\",\"assets\":{}}", false },
		{ "{}", false },
		{ "[]", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct dd_transfer *transfer = NULL;
		struct err err;

		assert_int_equal(wire_transfer_read(doc, &transfer, &err), rows[i].ok);
		if (rows[i].ok)
			assert_string_equal(transfer->status, "pending");
		wire_transfers_free(transfer, transfer ? 1 : 0);
		wire_free(doc);
	}
}

static int start(void **unused)
{
	bool is_locked;
	struct err err;

	(void)unused;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balances_read_as_strings_and_as_numbers),
		cmocka_unit_test(an_amount_that_is_not_certain_is_refused),
		cmocka_unit_test(the_account_is_known_by_its_id),
		cmocka_unit_test(the_sealed_key_reads_under_either_name_and_as_text_or_object),
		cmocka_unit_test(a_sealed_key_that_is_missing_or_huge_is_refused),
		cmocka_unit_test(a_new_key_is_taken_out_of_its_document),
		cmocka_unit_test(transfers_read_with_their_assets),
		cmocka_unit_test(one_transfer_reads_bare_and_wrapped),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
