#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/net_test.h"

#define DAY_S   86400
#define LONG_MS 8000

/* ---- certificates ------------------------------------------------------------------------ */

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static void extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* From starts_s to ends_s, counted from now. */
static void identity_init(struct identity *identity, const char *name, long starts_s, long ends_s)
{
	static long serial;

	identity->key = EVP_EC_gen("P-256");
	identity->cert = X509_new();
	X509_set_version(identity->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(identity->cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(identity->cert), starts_s);
	X509_gmtime_adj(X509_getm_notAfter(identity->cert), ends_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(identity->cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_pubkey(identity->cert, identity->key);
}

static void sign_by(struct identity *identity, const struct identity *issuer)
{
	X509_set_issuer_name(identity->cert, X509_get_subject_name(issuer->cert));
	assert_true(X509_sign(identity->cert, issuer->key, EVP_sha256()) > 0);
}

static void identity_fini(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->cert);
}

static void create_authority(struct identity *authority)
{
	identity_init(authority, "authority", -DAY_S, DAY_S);
	extend(authority->cert, NID_basic_constraints, "critical,CA:TRUE");
	sign_by(authority, authority);
}

static char *text_of(BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = mem_strndup(bytes, (size_t)len);

	BIO_free(bio);
	return text;
}

static char *cert_pem(const struct identity *identity)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, identity->cert);
	return text_of(bio);
}

static char *key_pem(const struct identity *identity)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL);
	return text_of(bio);
}

/* ---- a server that answers every handshake with 426, once TLS has let it through --------- */

struct rig {
	struct loop *loop;
	struct httpd *httpd;
	struct front *front;
	struct ws *ws;
	struct timer *limit;
	int port;
	char ca_path[40], url[64];
	unsigned asked, closed;
	struct ws_end end;
};

static void on_opened(void *arg, struct ws_peer *peer)
{
	(void)arg, (void)peer;
	fail();
}

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct rig *rig = arg;

	(void)peer;
	assert_null(strstr(end->err.text, "SECRET"));
	rig->closed++;
	rig->end = *end;
	loop_stop(rig->loop);
}

static const struct ws_handlers handlers = { .opened = on_opened, .closed = on_closed };

static void on_request(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	rig->asked++;
	http_reply(request, 426, "text/plain", "no", 2);
}

static void give_up(void *arg)
{
	loop_stop(arg);
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->loop = loop_create();
	rig->limit = loop_timer_create(rig->loop, give_up, rig->loop);
	*state = rig;
	return 0;
}

static void start_server(struct rig *rig, const struct identity *identity, const char *address)
{
	char *cert = identity ? cert_pem(identity) : NULL,
	     *key = identity ? key_pem(identity) : NULL;
	const struct httpd_config httpd = { .body_max = 1000,
					    .connections_max = 10,
					    .head_timeout_ms = LONG_MS,
					    .body_timeout_ms = LONG_MS,
					    .tls_cert_pem = cert,
					    .tls_key_pem = key,
					    .handle = on_request,
					    .arg = rig };
	const struct front_config front = { .head_timeout_ms = LONG_MS, .undecided_max = 10 };
	struct err err;

	assert_true(httpd_create(rig->loop, &httpd, &rig->httpd, &err));
	assert_true(front_create(rig->loop, rig->httpd, &front, &rig->front, &err));
	assert_true(front_listen_tcp(rig->front, address, &err));
	rig->port = atoi(strrchr(front_address(rig->front), ':') + 1);
	mem_free(cert);
	mem_free(key);
}

static void trust(struct rig *rig, const struct identity *authority)
{
	struct ws_config config = { .peers_max = 10 };
	char *text = authority ? cert_pem(authority) : mem_strdup("");
	struct err err;
	int fd;

	STR_SET(rig->ca_path, "/tmp/ws_client_tls_test.XXXXXX");
	fd = mkstemp(rig->ca_path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	mem_free(text);
	if (authority)
		config.ca_file = rig->ca_path;
	assert_true(ws_create(rig->loop, &config, &rig->ws, &err));
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	front_destroy(rig->front);
	httpd_destroy(rig->httpd);
	ws_destroy(rig->ws);
	timer_destroy(rig->limit);
	loop_destroy(rig->loop);
	unlink(rig->ca_path);
	mem_free(rig);
	return 0;
}

static void ask(struct rig *rig, const char *host)
{
	struct ws_connect_config config = { .url = rig->url,
					    .path = "/?api_key=SECRET",
					    .timeout_ms = LONG_MS,
					    .message_max = 1000,
					    .handlers = &handlers };

	snprintf(rig->url, sizeof(rig->url), "wss://%s:%d", host, rig->port);
	ws_connect(rig->ws, &config, rig);
	timer_start(rig->limit, 20000);
	loop_run(rig->loop);
	timer_stop(rig->limit);
	assert_int_equal(rig->closed, 1);
	rig->closed = 0;
}

/* ---- the tests --------------------------------------------------------------------------- */

static void only_a_certificate_of_this_host_is_taken(void **state)
{
	static const struct {
		const char *host, *names;
		bool is_taken;
	} cases[] = {
		{ "localhost", "DNS:localhost", true },
		{ "LOCALHOST", "DNS:localhost", true },
		{ "localhost", "DNS:other,DNS:localhost", true },
		{ "127.0.0.1", "IP:127.0.0.1", true },
		{ "localhost", "DNS:other", false },
		{ "localhost", "DNS:localhost.other", false },
		{ "localhost", "DNS:*", false },
		{ "localhost", "DNS:l*t", false },
		{ "localhost", "IP:127.0.0.1", false },
		{ "127.0.0.1", "IP:127.0.0.2", false },
		{ "127.0.0.1", "DNS:127.0.0.1", false },
		{ "127.0.0.1", "DNS:localhost", false },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity authority, server;
		struct rig *rig;

		set_up((void **)&rig);
		create_authority(&authority);
		identity_init(&server, "localhost", -DAY_S, DAY_S); /* the CN counts for nothing */
		extend(server.cert, NID_subject_alt_name, cases[i].names);
		sign_by(&server, &authority);
		start_server(rig, &server, "127.0.0.1:0");
		trust(rig, &authority);
		ask(rig, cases[i].host);
		if (rig->asked != cases[i].is_taken)
			print_error("case %zu: %s\n", i, rig->end.err.text);
		assert_int_equal(rig->asked, cases[i].is_taken);
		assert_int_equal(rig->end.http_status, cases[i].is_taken ? 426 : 0);
		assert_int_equal(rig->end.err.code, cases[i].is_taken ? ERR_UNREACHABLE : ERR_TLS);
		if (!cases[i].is_taken)
			assert_non_null(strstr(rig->end.err.text, "mismatch"));
		identity_fini(&server);
		identity_fini(&authority);
		tear_down((void **)&rig);
	}
}

enum trusted { THE_SIGNER, ANOTHER, THE_SYSTEM };

static void nobody_else_is_trusted(void **state)
{
	static const struct {
		enum trusted trusted;
		long starts_s, ends_s;
		const char *why;
	} cases[] = {
		{ THE_SIGNER, -DAY_S, DAY_S, NULL },
		{ THE_SIGNER, -DAY_S, -60, "expired" },
		{ THE_SIGNER, DAY_S, 2 * DAY_S, "not yet valid" },
		{ ANOTHER, -DAY_S, DAY_S, "" },
		{ THE_SYSTEM, -DAY_S, DAY_S, "issuer" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity authorities[2], server;
		struct rig *rig;

		set_up((void **)&rig);
		create_authority(&authorities[THE_SIGNER]);
		create_authority(&authorities[ANOTHER]); /* of the same name */
		identity_init(&server, "localhost", cases[i].starts_s, cases[i].ends_s);
		extend(server.cert, NID_subject_alt_name, "DNS:localhost");
		sign_by(&server, &authorities[THE_SIGNER]);
		start_server(rig, &server, "127.0.0.1:0");
		trust(rig, cases[i].trusted == THE_SYSTEM ? NULL : &authorities[cases[i].trusted]);
		ask(rig, "localhost");
		assert_int_equal(rig->asked, cases[i].why ? 0 : 1);
		assert_int_equal(rig->end.err.code, cases[i].why ? ERR_TLS : ERR_UNREACHABLE);
		if (cases[i].why)
			assert_non_null(strstr(rig->end.err.text, cases[i].why));
		identity_fini(&server);
		identity_fini(&authorities[0]);
		identity_fini(&authorities[1]);
		tear_down((void **)&rig);
	}
}

/* The library looks for the host's end at its first colon, and would ask for nobody. */
static void an_ipv6_address_is_not_asked(void **state)
{
	struct rig *rig = *state;

	start_server(rig, NULL, "[::1]:0");
	trust(rig, NULL);
	ask(rig, "[::1]");
	assert_int_equal(rig->asked, 0);
	assert_int_equal(rig->end.err.code, ERR_CONFIG);
}

static void a_server_without_tls_is_not_asked(void **state)
{
	struct rig *rig = *state;

	start_server(rig, NULL, "127.0.0.1:0");
	trust(rig, NULL);
	ask(rig, "localhost");
	assert_int_equal(rig->asked, 0);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	assert_non_null(strstr(rig->end.err.text, "TLS"));
}

static void unusable_certificates_are_told_at_once(void **state)
{
	static const char *const cases[] = { "/nonexistent.pem", "/dev/null", "/" };
	struct rig *rig = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct ws_config config = { .peers_max = 1, .ca_file = cases[i] };

		assert_false(ws_create(rig->loop, &config, &rig->ws, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, cases[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_certificate_of_this_host_is_taken),
		cmocka_unit_test(nobody_else_is_trusted),
		cmocka_unit_test_setup_teardown(unusable_certificates_are_told_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_ipv6_address_is_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_server_without_tls_is_not_asked, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
