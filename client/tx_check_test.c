#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/bip32.h"
#include "client/tx.h"

/* The order transaction that the exchange's published code holds; its ids and keys. */
#define INTENT                                                                                     \
	"84a800d9010281825820e38178967c200c81b4d7052e81de78a32c22a1ca26c1737f04643d5ee237ad941902" \
	"0a0182a300581d70eb0a5938244e92fd172560f530bf959724b10353a26f276ea8bbb3cc018200a1581c463e" \
	"70d04718e253757523698184cb7090b0430e89dc025c4c8e392ca14001028201d81858c7d87c9fd8799fd879" \
	"9f50fb73c3bd256949a480c47abaad3dfa4fd8799f581c04845038ee499ee8bc0afe56f688f27b2dd76f230d" \
	"3698a9afcc1b66ffd8799f581c71052cf0c2562d16eedd20e6e22e5b82173630f9a45ff8d42c38e29fffffff" \
	"d8799fd8799f50e0e1622f99434f2c867afc3dcb6732b3d8799f581cfdeb4bf0e8c077114a4553f1e05395e9" \
	"fb7114db177f02f7b65c8de4ffd8799f581c229d96e64aa5878fc93ba2ee9081126052d62974da032f1e5998" \
	"be5dffffffa140a1401a000f4240ff82583900fa5136e9e9ecbc9071da73eeb6c9a4ff73cbf436105cf8380d" \
	"1c525c89a2f36d3033bf4be236847143916e2e237de49069844934ac88f4e500020009a1581c463e70d04718" \
	"e253757523698184cb7090b0430e89dc025c4c8e392ca140010b58208ba3b26901576dfc1757835eca10292d" \
	"9d0324e3779e9b15b908e4f7459edcb90dd9010281825820e38178967c200c81b4d7052e81de78a32c22a1ca" \
	"26c1737f04643d5ee237ad941903e80ed9010282581cfa5136e9e9ecbc9071da73eeb6c9a4ff73cbf436105c" \
	"f8380d1c525c581c04845038ee499ee8bc0afe56f688f27b2dd76f230d3698a9afcc1b6612d9010281825820" \
	"ace128c7ab85836aed1f4f188df6a85e6b103d21518af570fa81deaef6018ff400a207d901028158b558b301" \
	"01009800aba2a6011e581cfa5136e9e9ecbc9071da73eeb6c9a4ff73cbf436105cf8380d1c525c00a6010746" \
	"382d6d696e740048c8c8c8c88c88966002646464646464660020026eb0c038c03cc03cc03cc03cc03cc03cc0" \
	"3cc03cc030dd5180718061baa0072259800800c52844c96600266e3cdd71808001005c528c4cc00c00c00500" \
	"d1808000a01c300c300d002300b001300b002300900130063754003149a26cac8028dd7000ab9a5573caae7d" \
	"5d0905a182010082d87f9fd8799fd8799f50fb73c3bd256949a480c47abaad3dfa4fd8799f581c04845038ee" \
	"499ee8bc0afe56f688f27b2dd76f230d3698a9afcc1b66ffd8799f581c71052cf0c2562d16eedd20e6e22e5b" \
	"82173630f9a45ff8d42c38e29fffffffd8799fd8799f50e0e1622f99434f2c867afc3dcb6732b3d8799f581c" \
	"fdeb4bf0e8c077114a4553f1e05395e9fb7114db177f02f7b65c8de4ffd8799f581c229d96e64aa5878fc93b" \
	"a2ee9081126052d62974da032f1e5998be5dffffffa140a1401a000f4240ff820000f5f6"
#define INTENT_ID    "e0e1622f-9943-4f2c-867a-fc3dcb6732b3"
#define INTENT_OWNER "fa5136e9e9ecbc9071da73eeb6c9a4ff73cbf436105cf8380d1c525c"
#define INTENT_USER  "04845038ee499ee8bc0afe56f688f27b2dd76f230d3698a9afcc1b66"

#define FIRST_HASH  "5867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f"
#define SECOND_HASH "34204975e6f59b19d02ac6eeca521c1183c91c2abffaeb69901d33e4"
#define CUT_HASH    "67c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f"
#define US          "581c" FIRST_HASH
#define OTHER       "581c" SECOND_HASH

#define ORDER_ID   "0f8fad5b-d9cb-469f-a165-70867728950e"
#define ORDER_HEX  "0f8fad5bd9cb469fa16570867728950e"
#define ORDER_TEXT "30663866616435622d643963622d343639662d613136352d373038363737323839353065"

static struct tx *tx_of(const char *hex)
{
	struct tx *tx;
	struct err err;

	if (!tx_parse(hex, strlen(hex), &tx, &err))
		fail_msg("%s: %s", hex, err.text);
	return tx;
}

static struct tx *tx_of_body(const char *body)
{
	struct buf hex;
	struct tx *tx;

	buf_init(&hex, 4096);
	buf_printf(&hex, "84%sa0f5f6", body);
	assert_false(hex.is_full);
	tx = tx_of(buf_str(&hex));
	buf_fini(&hex);
	return tx;
}

static enum tx_signers signers_of(const struct tx *tx, const char *key_hash_hex)
{
	uint8_t hash[BIP32_HASH_LEN];
	size_t len;

	assert_true(hex_decode(key_hash_hex, strlen(key_hash_hex), hash, sizeof(hash), &len));
	return tx_required_signers(tx, hash);
}

/* ---- does it name the order? ---- */

static void an_order_must_be_named_in_the_body(void **unused)
{
	static const struct {
		const char *tx;
		bool ok;
	} cases[] = {
		{ "84a10050" ORDER_HEX "a0f5f6", true },
		{ "84a1009f9f50" ORDER_HEX "ffffa0f5f6", true },
		{ "84a1005824" ORDER_TEXT "a0f5f6", true },
		{ "84a1007824" ORDER_TEXT "a0f5f6", true },
		{ "84a0a10150" ORDER_HEX "f5f6", false }, /* in the witness set */
		{ "84a0a0f550" ORDER_HEX, false },        /* in the auxiliary data */
		{ "84a1004f0f8fad5bd9cb469fa1657086772895a0f5f6", false }, /* cut */
		{ "84a10050"
		  "0f8fad5bd9cb469fa16570867728950f"
		  "a0f5f6",
		  false },
		{ "84a100581b"
		  "30663866616435622d643963622d343639662d613136352d373038"
		  "a0f5f6",
		  false },
		{ "84a0a0f5f6", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tx *tx = tx_of(cases[i].tx);
		struct err err;

		if (tx_check_order(tx, ORDER_ID, &err) != cases[i].ok)
			fail_msg("%s", cases[i].tx);
		if (!cases[i].ok)
			assert_int_equal(err.code, ERR_TX);
		tx_destroy(tx);
	}
}

static void an_order_id_that_is_no_uuid_is_refused(void **unused)
{
	static const char *const ids[] = {
		"",
		ORDER_HEX,
		"0f8fad5b-d9cb-469f-a165-70867728950",
		"0f8fad5b-d9cb-469f-a165-70867728950e0",
		"0f8fad5b-d9cb-469f-a165-70867728950g",
		"0f8fad5bd-9cb-469f-a165-70867728950e",
		"------------------------------------",
	};
	struct tx *tx = tx_of("84a10050" ORDER_HEX "a0f5f6");
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_false(tx_check_order(tx, ids[i], &err));
	assert_true(tx_check_order(tx, "0F8FAD5B-D9CB-469F-A165-70867728950E", &err));
	tx_destroy(tx);
}

/* ---- whose signatures does it need? ---- */

static void required_signers_are_told_apart(void **unused)
{
	static const struct {
		const char *body;
		enum tx_signers signers;
	} cases[] = {
		{ "a0", TX_SIGNERS_ABSENT },
		{ "a10e80", TX_SIGNERS_NAME_OTHERS },
		{ "a10e81" OTHER, TX_SIGNERS_NAME_OTHERS },
		{ "a10e81" US, TX_SIGNERS_NAME_US },
		{ "a10e82" OTHER US, TX_SIGNERS_NAME_US },
		{ "a10ed9010282" OTHER US, TX_SIGNERS_NAME_US },
		{ "a10e9f" OTHER US "ff", TX_SIGNERS_NAME_US },
		{ "bf0080180e82" OTHER US "ff", TX_SIGNERS_NAME_US }, /* a wide key */
		{ "bf00a10e82" OTHER US "ff", TX_SIGNERS_ABSENT },    /* further in */
		{ "bf00802d82" OTHER US "ff", TX_SIGNERS_ABSENT },    /* key -14 */
		{ "a10e81581b" CUT_HASH, TX_SIGNERS_NAME_OTHERS },
		{ "a10ea1" US "00", TX_SIGNERS_NAME_OTHERS },
		{ "a10ed9010381" US, TX_SIGNERS_NAME_OTHERS },        /* another tag */
		{ "a20e81" US "0e81" OTHER, TX_SIGNERS_NAME_OTHERS }, /* twice: which one counts? */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tx *tx = tx_of_body(cases[i].body);

		if (signers_of(tx, FIRST_HASH) != cases[i].signers)
			fail_msg("%s", cases[i].body);
		tx_destroy(tx);
	}
}

/* ---- whom does it pay? ---- */

#define STAKE   "e0464447c1f51adaefe1ebfb0dd485a349a70479ced1d198cbdf7fe7"
#define POINTER "8198bd431b03" /* slot, transaction, certificate */

/* Addresses: header, payment part, the rest; a byte string. */
#define KEY                    "581d60" FIRST_HASH
#define SCRIPT                 "581d70" SECOND_HASH
#define STRANGER               "581d60" SECOND_HASH
#define BASE(header, hash)     "5839" header hash STAKE
#define POINTING(header, hash) "5823" header hash POINTER

/* Outputs of nothing to an address. */
#define OLD(address) "82" address "00"
#define NEW(address) "a200" address "0100"

/* Bodies with one output: signed for by the first key, or by nobody. */
#define PAYS(output)     "a20181" output "0e81" US
#define UNSIGNED(output) "a10181" output

static void outputs_pay_scripts_and_required_signers_alone(void **unused)
{
	static const struct {
		const char *body;
		bool ok;
	} cases[] = {
		{ PAYS(OLD(KEY)), true },
		{ PAYS(NEW(KEY)), true },
		{ PAYS(OLD(SCRIPT)), true },
		{ PAYS(NEW(SCRIPT)), true },
		{ PAYS(OLD(STRANGER)), false },
		{ PAYS(NEW(STRANGER)), false },
		/* with a datum's hash, and a datum that comes before the address */
		{ PAYS("83" KEY "005820" ORDER_HEX ORDER_HEX), true },
		{ PAYS("83" STRANGER "005820" ORDER_HEX ORDER_HEX), false },
		{ PAYS("a30100028201d818410000" SCRIPT), true },
		{ PAYS("a30100028201d818410000" STRANGER), false },

		/* every kind of address, on either network */
		{ PAYS(OLD(BASE("00", FIRST_HASH))), true },
		{ PAYS(OLD(BASE("01", FIRST_HASH))), true },
		{ PAYS(OLD(BASE("20", FIRST_HASH))), true },
		{ PAYS(OLD(BASE("10", SECOND_HASH))), true },
		{ PAYS(OLD(BASE("31", SECOND_HASH))), true },
		{ PAYS(OLD(POINTING("40", FIRST_HASH))), true },
		{ PAYS(OLD(POINTING("50", SECOND_HASH))), true },
		{ PAYS(OLD("581d61" FIRST_HASH)), true },
		{ PAYS(OLD("581d71" SECOND_HASH)), true },
		{ PAYS(OLD(BASE("00", SECOND_HASH))), false },
		{ PAYS(OLD(BASE("21", SECOND_HASH))), false },
		{ PAYS(OLD(POINTING("41", SECOND_HASH))), false },
		{ PAYS(OLD("581d61" SECOND_HASH)), false },
		{ PAYS(OLD("581de0" FIRST_HASH)), false }, /* a stake address */
		{ PAYS(OLD("581d90" FIRST_HASH)), false }, /* of no kind */
		/* Byron: a real one, and its kind on any bytes */
		{ PAYS(OLD("582b82d818582183581cba970ad36654d8dd8f74274b73"
			   "3452ddeab9a62a397746be3c42ccdda0001a9026da5b")),
		  false },
		{ PAYS(NEW("581d82" FIRST_HASH)), false },

		/* lengths that are not the kind's */
		{ PAYS(OLD("40")), false },
		{ PAYS(OLD("4160")), false },
		{ PAYS(OLD("581c60" CUT_HASH)), false },
		{ PAYS(OLD("581e60" FIRST_HASH "00")), false },
		{ PAYS(OLD("581d00" FIRST_HASH)), false },
		{ PAYS(OLD("581c70" CUT_HASH)), false },
		{ PAYS(OLD("581f40" FIRST_HASH "0102")), false },
		{ PAYS(OLD("582040" FIRST_HASH "010203")), true },
		{ PAYS(OLD("583b40" FIRST_HASH STAKE "8100")), true },
		{ PAYS(OLD("583c40" FIRST_HASH STAKE "818100")), false },

		/* all outputs are looked at, in lists of either kind */
		{ "a20183" NEW(SCRIPT) OLD(KEY) OLD(STRANGER) "0e81" US, false },
		{ "a20183" NEW(SCRIPT) OLD(KEY) OLD(STRANGER) "0e82" US OTHER, true },
		{ "a2019f" NEW(SCRIPT) OLD(KEY) OLD(STRANGER) "ff0e81" US, false },
		{ "a2019f" NEW(SCRIPT) OLD(KEY) "ff0e81" US, true },
		{ "a201d9010282" NEW(SCRIPT) OLD(KEY) "0e81" US, true },
		{ "a201d9010282" NEW(SCRIPT) OLD(STRANGER) "0e81" US, false },
		{ "a201d9010382" NEW(SCRIPT) OLD(KEY) "0e81" US, false },
		{ "a201800e81" US, true },
		{ "a2019fff0e81" US, true },
		{ PAYS("9f" KEY "00ff"), true },
		{ PAYS("9f" STRANGER "00ff"), false },
		{ PAYS("bf010000" KEY "ff"), true },
		{ PAYS("bf010000" STRANGER "ff"), false },
		{ "bf0e81" US "0181" OLD(KEY) "ff", true },         /* the signers first */
		{ "bf0e81" US "180181" OLD(STRANGER) "ff", false }, /* a wide key */
		{ PAYS("a2180a0000" STRANGER), false },
		{ PAYS("a21800" STRANGER "0100"), false },

		/* the lists of signers */
		{ "a20181" OLD(KEY) "0e9f" OTHER US "ff", true },
		{ "a20181" OLD(KEY) "0ed9010282" OTHER US, true },
		{ "a20181" OLD(KEY) "0ed901029f" OTHER "ff", false },
		{ "a20181" OLD(KEY) "0ed9010382" OTHER US, false },
		{ "a20181" OLD(KEY) "0ea1" US "00", false },
		{ "a20181" OLD(KEY) "0e80", false },
		{ UNSIGNED(OLD(KEY)), false },
		{ UNSIGNED(NEW(SCRIPT)), true },

		/* what cannot be read, or in two ways */
		{ "a0", false },
		{ "a10e81" US, false },
		{ "a201a00080", false },
		{ "a101f6", false },
		{ "a1015f40ff", false },
		{ "a2018181" OLD(KEY) "0e81" US, false },
		{ "a30181" OLD(KEY) "0181" OLD(KEY) "0e81" US, false },
		{ "a30181" OLD(KEY) "0e81" US "0e81" US, false },
		{ "a3018081a0000e81" US, true }, /* an odd key is nobody's business */
		{ PAYS("80"), false },
		{ PAYS("9fff"), false },
		{ PAYS("a0"), false },
		{ PAYS("bfff"), false },
		{ PAYS("a10100"), false },
		{ PAYS("a120" KEY), false },
		{ PAYS("a300" KEY "00" KEY "0100"), false },
		{ PAYS("00"), false },
		{ PAYS("f6"), false },
		{ PAYS(KEY), false },
		{ PAYS("d818" OLD(KEY)), false },
		{ PAYS(OLD("781d60" FIRST_HASH)), false }, /* text */
		{ PAYS(OLD("5f" KEY "ff")), false },       /* in chunks */
		{ PAYS(OLD("d818" KEY)), false },
		{ PAYS(OLD("f6")), false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tx *tx = tx_of_body(cases[i].body);
		struct err err;

		if (tx_check_payees(tx, &err) != cases[i].ok)
			fail_msg("%zu: %s", i, cases[i].body);
		if (!cases[i].ok)
			assert_int_equal(err.code, ERR_TX);
		tx_destroy(tx);
	}
}

static void the_reason_names_the_output_and_the_key(void **unused)
{
	struct tx *tx = tx_of_body("a20182" NEW(SCRIPT) OLD(STRANGER) "0e81" US);
	struct err err;

	(void)unused;
	assert_false(tx_check_payees(tx, &err));
	assert_string_equal(err.text, "output 1: it pays to the unknown key " SECOND_HASH
				      ", which is no required signer");
	tx_destroy(tx);
}

static void the_published_order_passes_every_check(void **unused)
{
	struct tx *tx = tx_of(INTENT);
	struct err err;

	(void)unused;
	assert_true(tx_check_order(tx, INTENT_ID, &err));
	assert_true(tx_check_payees(tx, &err));
	assert_int_equal(signers_of(tx, INTENT_OWNER), TX_SIGNERS_NAME_US);
	assert_int_equal(signers_of(tx, INTENT_USER), TX_SIGNERS_NAME_US);
	assert_int_equal(signers_of(tx, FIRST_HASH), TX_SIGNERS_NAME_OTHERS);
	tx_destroy(tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_must_be_named_in_the_body),
		cmocka_unit_test(an_order_id_that_is_no_uuid_is_refused),
		cmocka_unit_test(required_signers_are_told_apart),
		cmocka_unit_test(outputs_pay_scripts_and_required_signers_alone),
		cmocka_unit_test(the_reason_names_the_output_and_the_key),
		cmocka_unit_test(the_published_order_passes_every_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
