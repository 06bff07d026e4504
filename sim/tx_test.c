#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sim/testing.h"

/* A transaction of the exchange's published Python tests, and its signature by their key. */
static const char published_tx[] =
	"84a4008182582004509185eb98edd8e2420c1ceea914d6a7a3142041039b2f12b4d4f03162d56f04018282581d"
	"605867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f1a000f42408258390004845038ee499e"
	"e8bc0afe56f688f27b2dd76f230d3698a9afcc1b66e0464447c1f51adaefe1ebfb0dd485a349a70479ced1d198"
	"cbdf7fe71a15d35396021a0002917d075820bdaa99eb158414dea0a91d6c727e2268574b23efe6e08ab3b841ab"
	"e8059a030ca0f5d90103a0";
static const char published_vkey[] =
	"c32dfdb461dd016e8fdd9b6d424a77439eab8f8c644a804b013b6cefa2454f95";
static const char published_signature[] =
	"2bfcad51fc81ecf7bd2e0fb3dbda51630d9457353e30f8cc04e12737d2753ec712148e34f78d5633ceb99e0045"
	"34cc22216b265bc308a1f154952eaf72ae2e0d";
static const char published_hash[] = "5867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f";

#define PUBLISHED_BODY_LEN 184

struct fixture {
	struct exchange *x;
	struct order *order;
	struct buf signed_tx;
};

static struct order *build(struct exchange *x, const char *account)
{
	struct intake in = request("ADAUSDM", SIDE_BUY, "100.25", "0.7010");
	struct order *order;

	assert_int_equal(intake_build(x, exchange_account(x, account), &in, &order), CODE_DONE);
	return order;
}

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->x = test_exchange();
	f->order = build(f->x, "alice");
	buf_init(&f->signed_tx, TX_MAX);
	sign_tx(&f->order->account->opkey, f->order->tx, f->order->tx_len, false, &f->signed_tx);
	*state = f;
	return 0;
}

static int take_down(void **state)
{
	struct fixture *f = *state;

	buf_fini(&f->signed_tx);
	exchange_destroy(f->x);
	mem_free(f);
	return 0;
}

static enum code check(const struct fixture *f, const void *tx, size_t len)
{
	const char *why;
	enum code code = tx_check(f->order->tx, f->order->tx_len, tx, len,
				  f->order->account->opkey_hash, &why);

	assert_int_equal(code == CODE_DONE, *why == '\0');
	return code;
}

static void a_transaction_signed_by_the_account_is_taken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_DONE);
}

static void a_witness_in_a_tagged_set_is_taken(void **state)
{
	struct fixture *f = *state;

	buf_clear(&f->signed_tx);
	sign_tx(&f->order->account->opkey, f->order->tx, f->order->tx_len, true, &f->signed_tx);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_DONE);
}

static void the_transaction_as_built_is_not_signed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f, f->order->tx, f->order->tx_len), CODE_UNSIGNED);
}

static void a_witness_of_another_key_is_not_enough(void **state)
{
	struct fixture *f = *state;
	struct account *bob = exchange_account(f->x, "bob");

	buf_clear(&f->signed_tx);
	sign_tx(&bob->opkey, f->order->tx, f->order->tx_len, false, &f->signed_tx);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_UNSIGNED);
}

static void a_change_of_any_byte_is_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->signed_tx.len; i++) {
		f->signed_tx.data[i] ^= 1;
		assert_int_not_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_DONE);
		f->signed_tx.data[i] ^= 1;
	}
}

static void a_cut_transaction_is_refused_wherever_it_was_cut(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 0; len < f->signed_tx.len; len++) {
		/* Exactly so many bytes, so that the sanitizer sees a read past them. */
		uint8_t *cut = mem_alloc(len + 1);

		memcpy(cut, f->signed_tx.data, len);
		cut = mem_grow(cut, len > 0 ? len : 1);
		assert_int_equal(check(f, cut, len), CODE_INVALID);
		mem_free(cut);
	}
}

static void bytes_after_the_transaction_are_refused(void **state)
{
	struct fixture *f = *state;

	buf_add_char(&f->signed_tx, 0);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_INVALID);
}

static void the_transaction_of_another_order_is_refused(void **state)
{
	struct fixture *f = *state;
	struct order *other = build(f->x, "alice");

	buf_clear(&f->signed_tx);
	sign_tx(&other->account->opkey, other->tx, other->tx_len, false, &f->signed_tx);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_INVALID);
}

static bool holds(const uint8_t *bytes, size_t len, const void *part, size_t part_len)
{
	return memmem(bytes, len, part, part_len) != NULL;
}

/* Every form that differs from order to order comes up among so many. */
static void every_built_transaction_names_its_order_and_its_signer(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 200; i++) {
		struct order *order = build(f->x, "alice");
		struct cbor_in in = { order->tx, order->tx + order->tx_len };
		uint8_t id[16], hash[28];
		size_t len;

		uuid_bytes(order->id, id);
		assert_true(hex_decode(order->account->opkey_hash, 56, hash, 28, &len));
		assert_true(holds(order->tx, order->tx_len, id, 16));
		assert_true(holds(order->tx, order->tx_len, hash, 28));
		assert_true(cbor_skip(&in));
		assert_ptr_equal(in.at, in.end);
		assert_int_equal(order->tx[0], 0x84);
		buf_clear(&f->signed_tx);
		sign_tx(&order->account->opkey, order->tx, order->tx_len, i & 1, &f->signed_tx);
		f->order = order;
		assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_DONE);
	}
}

/* How many outputs follow; in is left at the first. */
static uint64_t enter_outputs(const struct order *order, struct cbor_in *in)
{
	struct cbor_item item;

	*in = (struct cbor_in){ order->tx + 1, order->tx + order->tx_len };
	assert_true(cbor_next(in, &item) && item.major == CBOR_MAP);
	assert_true(cbor_skip(in) && cbor_skip(in)); /* the inputs, with their key */
	assert_true(cbor_next(in, &item) && item.major == CBOR_UINT && item.value == 1);
	assert_true(cbor_next(in, &item) && item.major == CBOR_ARRAY);
	return item.value;
}

/* Does a key that the second output pays come again after it, among the required signers? */
static bool is_change_for_a_signer(struct cbor_in in)
{
	const uint8_t *address;
	struct cbor_item item;

	return cbor_skip(&in) && cbor_next(&in, &item) && item.major == CBOR_ARRAY &&
	       cbor_fixed_bytes(&in, 57, &address) && address[0] == 0x00 &&
	       holds(in.at, (size_t)(in.end - in.at), address + 1, 28);
}

static void some_transactions_give_change_and_a_fault_adds_a_payee(void **state)
{
	struct fixture *f = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100.25", "0.7010");
	struct account *alice = exchange_account(f->x, "alice");
	unsigned with_change = 0;

	for (unsigned i = 0; i < 200; i++) {
		struct cbor_in outputs;
		struct order *order;
		uint64_t count;

		in.has_foreign_payee = i & 1;
		assert_int_equal(intake_build(f->x, alice, &in, &order), CODE_DONE);
		count = enter_outputs(order, &outputs) - in.has_foreign_payee;
		assert_in_range(count, 1, 2);
		with_change += count == 2;
		assert_int_equal(is_change_for_a_signer(outputs), count == 2);
	}
	assert_in_range(with_change, 50, 150);
}

static void redeemers_that_were_built_in_must_come_back(void **state)
{
	struct fixture *f = *state;
	struct cbor_in in = { NULL, NULL };
	size_t body_end;

	/* An order whose witness set is not empty. */
	do {
		f->order = build(f->x, "alice");
		in = (struct cbor_in){ f->order->tx + 1, f->order->tx + f->order->tx_len };
		assert_true(cbor_skip(&in));
	} while (*in.at == 0xa0);
	body_end = (size_t)(in.at - f->order->tx);
	buf_clear(&f->signed_tx);
	sign_tx(&f->order->account->opkey, f->order->tx, f->order->tx_len, false, &f->signed_tx);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_DONE);

	/* 82, vkey 34, signature 66, after the set's head 2, key and list head: only the witness.
	 */
	f->signed_tx.data[body_end] = (char)0xa1;
	f->signed_tx.len = body_end + 4 + 34 + 66;
	buf_add_char(&f->signed_tx, (char)0xf5);
	buf_add_char(&f->signed_tx, (char)0xf6);
	assert_int_equal(check(f, f->signed_tx.data, f->signed_tx.len), CODE_INVALID);
}

static void hex_append(struct buf *to, const char *hex)
{
	uint8_t bytes[512];
	size_t len;

	assert_true(hex_decode(hex, strlen(hex), bytes, sizeof(bytes), &len));
	buf_add(to, bytes, len);
}

static void the_published_signature_is_good(void **state)
{
	struct buf built, signed_tx;
	const char *why;

	(void)state;
	buf_init(&built, TX_MAX);
	buf_init(&signed_tx, TX_MAX);
	hex_append(&built, published_tx);
	buf_add(&signed_tx, built.data, 1 + PUBLISHED_BODY_LEN);
	hex_append(&signed_tx, "a10081825820");
	hex_append(&signed_tx, published_vkey);
	hex_append(&signed_tx, "5840");
	hex_append(&signed_tx, published_signature);
	hex_append(&signed_tx, "f5d90103a0");
	assert_int_equal(tx_check((uint8_t *)built.data, built.len, (uint8_t *)signed_tx.data,
				  signed_tx.len, published_hash, &why),
			 CODE_DONE);
	signed_tx.data[signed_tx.len - 8] ^= 1; /* in the signature */
	assert_int_equal(tx_check((uint8_t *)built.data, built.len, (uint8_t *)signed_tx.data,
				  signed_tx.len, published_hash, &why),
			 CODE_UNSIGNED);
	buf_fini(&built);
	buf_fini(&signed_tx);
}

static void deep_or_lying_cbor_ends_quietly(void **state)
{
	struct fixture *f = *state;
	static const char *const cases[] = {
		"84",
		"849f",
		"84bfbfbfbfbf",
		"849bffffffffffffffff00",
		"845bffffffffffffffff",
		"84c0c0c0c0",
		"845f4100ff",
		"845f5f4100ffff",
		"84fc",
		"841c",
		"9f00000000ff",
		"8400",
		"84a100ff",
		"ff",
	};
	uint8_t deep[4096], bytes[64];
	size_t len;

	memset(deep, 0x81, sizeof(deep));
	deep[0] = 0x84;
	assert_int_equal(check(f, deep, sizeof(deep)), CODE_INVALID);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(hex_decode(cases[i], strlen(cases[i]), bytes, sizeof(bytes), &len));
		assert_int_equal(check(f, bytes, len), CODE_INVALID);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_transaction_signed_by_the_account_is_taken),
		TEST(a_witness_in_a_tagged_set_is_taken),
		TEST(the_transaction_as_built_is_not_signed),
		TEST(a_witness_of_another_key_is_not_enough),
		TEST(a_change_of_any_byte_is_refused),
		TEST(a_cut_transaction_is_refused_wherever_it_was_cut),
		TEST(bytes_after_the_transaction_are_refused),
		TEST(the_transaction_of_another_order_is_refused),
		TEST(every_built_transaction_names_its_order_and_its_signer),
		TEST(some_transactions_give_change_and_a_fault_adds_a_payee),
		TEST(redeemers_that_were_built_in_must_come_back),
		TEST(the_published_signature_is_good),
		TEST(deep_or_lying_cbor_ends_quietly),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
