/* The asking end, on libwebsockets: it connects, speaks TLS, shakes hands, takes frames apart and
 * masks. Names are looked up and time is kept here, since it would block on the one and is late
 * with the other; and the certificate's name is checked once more: it is lax with it. */
#include <assert.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/ws_context.h"
#include "net/ws_frame.h"
#include "net/ws_peer.h"
#include "net/ws_url.h"

#define PROTOCOL     "asking" /* the library's name for our callback; never sent */
#define PATH_LEN_MAX 1900     /* it has no room for more */
#define PIECE_MAX    65536
#define KEY_LEN      4
#define ROOM_KEPT    65536 /* memory for a message, kept for the next one */

struct ws_client {
	struct ws_peer peer;
	struct ws_url url;
	char *path; /* secret; until opened */
	int64_t timeout_ms, ping_ms, pong_ms;
	struct mono deadline; /* of all that comes before opened() */
	struct timer *timer;
	void (*on_time)(struct ws_client *client);
	struct resolve *resolve;
	char (*addresses)[RESOLVE_ADDRESS_LEN];
	unsigned count, tried;
	struct lws *lws; /* the connection, or the try of one */
	bool is_inside;  /* of the library's callback for it */
	/* The current try, or the last one. */
	bool has_asked; /* connected: the request is on its way */
	int tls_error;  /* X509_V_..., of the certificate */
	struct err failure;
	struct buf message; /* what is there of the message that comes in */
	bool awaits_pong;
};

static struct ws_client *client_of(struct ws_peer *peer)
{
	return CONTAINER_OF(peer, struct ws_client, peer);
}

static void on_timer(void *arg)
{
	struct ws_client *client = arg;

	client->on_time(client);
}

static void call_at(struct ws_client *client, struct mono when,
		    void (*on_time)(struct ws_client *client))
{
	client->on_time = on_time;
	timer_start_at(client->timer, when);
}

static void call_in(struct ws_client *client, int64_t ms, void (*on_time)(struct ws_client *client))
{
	call_at(client, mono_after_ms(loop_now(client->peer.ws->loop), ms), on_time);
}

static void forget_path(struct ws_client *client)
{
	if (client->path)
		secret_wipe(client->path, strlen(client->path));
	mem_free(client->path);
	client->path = NULL;
}

/* The library's own time-outs begin to count with the next event of some socket only: what is to
 * end now must be killed at once, but from within its callback, which ends it by its result. */
static void let_go(struct ws_client *client)
{
	struct lws *lws = client->lws;

	client->lws = NULL;
	if (!lws)
		return;
	lws_set_opaque_user_data(lws, NULL);
	if (client->is_inside)
		return;
	/* With something unsent it would linger, were the socket not shut. */
	shutdown(lws_get_socket_fd(lws), SHUT_RDWR);
	lws_set_timeout(lws, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static void fail(struct ws_client *client, int http_status)
{
	struct ws_end end = { .code = WS_CLOSE_ABNORMAL, .http_status = http_status };

	end.err = client->failure;
	ws_peer_over(&client->peer, &end);
}

/* ---- certificates ------------------------------------------------------------------------ */

static bool names_host(X509 *certificate, const struct ws_url *url)
{
	const unsigned flags =
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

	if (url->is_number)
		return X509_check_ip_asc(certificate, url->host, 0) == 1;
	return X509_check_host(certificate, url->host, 0, flags, NULL) == 1;
}

/* For each certificate of the chain. True refuses it. */
static bool refuses(struct ws_client *client, X509_STORE_CTX *store, bool is_trusted)
{
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);

	if (!is_trusted) {
		client->tls_error = X509_STORE_CTX_get_error(store);
		return true;
	}
	if (X509_STORE_CTX_get_error_depth(store) > 0 || names_host(certificate, &client->url))
		return false;
	client->tls_error = client->url.is_number ? X509_V_ERR_IP_ADDRESS_MISMATCH
						  : X509_V_ERR_HOSTNAME_MISMATCH;
	X509_STORE_CTX_set_error(store, client->tls_error);
	return true;
}

/* ---- getting there: one address after the other ------------------------------------------ */

static void try_next(struct ws_client *client);

/* The library's own words are few, and may quote anything: these are ours. */
static void note_failure(struct ws_client *client, int http_status, const char *words)
{
	struct err *err = &client->failure;
	const char *address = client->addresses[client->tried - 1];
	bool was_tls =
		words && strncmp(words, "connect S", 9) == 0; /* "... SSL err", "... SYSCALL" */

	if (client->tls_error != X509_V_OK)
		err_set(err, ERR_TLS, "the server's certificate: %s",
			X509_verify_cert_error_string(client->tls_error));
	else if (http_status == 101)
		err_set(err, ERR_UNREACHABLE, "the handshake was not answered by a WebSocket");
	else if (http_status > 0)
		err_set(err, ERR_UNREACHABLE, "the handshake was answered with HTTP %d",
			http_status);
	else if (client->has_asked)
		err_set(err, ERR_UNREACHABLE, "the connection ended during the handshake");
	else if (was_tls)
		err_set(err, ERR_UNREACHABLE, "no TLS with %s port %d", address, client->url.port);
	else
		err_set(err, ERR_UNREACHABLE, "no connection to %s port %d", address,
			client->url.port);
}

/* Another address is tried where this one is out of reach, not where it refuses us. */
static void give_up_address(struct ws_client *client, int http_status)
{
	if (client->has_asked || client->tls_error != X509_V_OK || client->tried == client->count)
		fail(client, http_status);
	else
		call_in(client, 0, try_next);
}

static void on_late_try(struct ws_client *client)
{
	let_go(client);
	err_set(&client->failure, ERR_UNREACHABLE, "no %s in time",
		client->has_asked ? "answer to the handshake" : "connection");
	give_up_address(client, 0);
}

/* What time is left is shared by the addresses that are left. */
static struct mono end_of_try(const struct ws_client *client)
{
	struct mono now = loop_now(client->peer.ws->loop);
	int64_t left_ms = mono_diff_ms(client->deadline, now);
	unsigned tries = client->count - client->tried + 1;

	return mono_after_ms(now, left_ms > 0 ? left_ms / tries : 0);
}

static struct lws *call_library(struct ws_client *client, const char *address)
{
	struct ws_context *context = client->peer.ws->context;
	const struct lws_client_connect_info info = {
		.context = ws_context_lws(context),
		.vhost = ws_context_vhost(context),
		.address = address,
		.port = client->url.port,
		.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT |
				  (client->url.is_secure ? LCCSCF_USE_SSL : 0),
		.path = client->path,
		.host = client->url.authority,
		.ietf_version_or_minus_one = -1,
		.local_protocol_name = PROTOCOL,
		.alpn = "http/1.1",
		.opaque_user_data = client,
	};

	return lws_client_connect_via_info(&info);
}

static void try_next(struct ws_client *client)
{
	client->has_asked = false;
	client->tls_error = X509_V_OK;
	client->tried++;
	client->lws = call_library(client, client->addresses[client->tried - 1]);
	if (client->lws) {
		call_at(client, end_of_try(client), on_late_try);
		return;
	}
	note_failure(client, 0, NULL);
	give_up_address(client, 0);
}

static void on_late_resolve(struct ws_client *client)
{
	err_set(&client->failure, ERR_UNREACHABLE, "%s: not looked up in time", client->url.host);
	fail(client, 0);
}

static void on_resolved(void *arg, const struct err *err,
			const char (*addresses)[RESOLVE_ADDRESS_LEN], unsigned count)
{
	struct ws_client *client = arg;

	client->resolve = NULL;
	if (err) {
		client->failure = *err;
		fail(client, 0);
		return;
	}
	client->addresses = mem_array(count, sizeof(*client->addresses));
	memcpy(client->addresses, addresses, count * sizeof(*client->addresses));
	client->count = count;
	try_next(client);
}

/* The library's last word on a try. */
static void on_refused(struct ws_client *client, struct lws *lws, const char *words)
{
	int http_status = (int)lws_http_client_http_response(lws);

	let_go(client);
	note_failure(client, http_status, words);
	give_up_address(client, http_status);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* As a client sends it: with a fresh key in the head, and the payload under it. RFC 6455, section
 * 5.3. Returns its length. */
static size_t mask(unsigned char *to, const struct ws_frame *frame, struct lws_context *lws)
{
	size_t len, size = ws_frame_size(frame);
	const char *payload = ws_frame_payload(frame, &len);
	size_t head_len = size - len;
	unsigned char *key = to + head_len;

	memcpy(to, ws_frame_bytes(frame), head_len);
	if (ws_frame_is_raw(frame)) {
		memcpy(to, payload, len);
		return len;
	}
	to[1] |= 0x80;
	lws_get_random(lws, key, KEY_LEN);
	for (size_t i = 0; i < len; i++)
		key[KEY_LEN + i] = (unsigned char)payload[i] ^ key[i % KEY_LEN];
	return size + KEY_LEN;
}

/* Frames are made here, of a copy, since the library would mask in place what others share. What it
 * takes for HTTP it sends as it is. What it cannot send now it keeps, and takes no more meanwhile:
 * it would not notice. */
static void write_frame(struct ws_client *client, const struct ws_frame *frame)
{
	unsigned char *copy = mem_alloc(ws_frame_size(frame) + KEY_LEN);
	size_t len = mask(copy, frame, ws_context_lws(client->peer.ws->context));
	int result;

	assert(!lws_partial_buffered(client->lws));
	result = lws_write(client->lws, copy, len, LWS_WRITE_HTTP);
	mem_free(copy);
	if (result < 0) {
		ws_peer_lost(&client->peer, "the connection was lost");
	} else if (lws_partial_buffered(client->lws)) {
		client->peer.is_blocked = true;
		lws_callback_on_writable(client->lws);
	}
}

static void write_control(struct ws_client *client, struct ws_frame *frame)
{
	if (!lws_partial_buffered(client->lws))
		write_frame(client, frame);
	ws_frame_unref(frame);
}

/* ---- pings ------------------------------------------------------------------------------- */

static void on_no_pong(struct ws_client *client)
{
	err_set(&client->failure, ERR_UNREACHABLE, "no answer to a ping within %lld ms",
		(long long)client->pong_ms);
	fail(client, 0);
}

static void on_quiet(struct ws_client *client)
{
	struct mono due = mono_after_ms(client->peer.heard, client->ping_ms);

	if (!mono_is_past(due, loop_now(client->peer.ws->loop))) {
		call_at(client, due, on_quiet);
		return;
	}
	client->awaits_pong = true;
	call_in(client, client->pong_ms, on_no_pong);
	/* Where nothing can be sent, no answer will come either. */
	write_control(client, ws_frame_create(WS_OP_PING, NULL, 0));
}

static void start_pings(struct ws_client *client)
{
	client->awaits_pong = false;
	timer_stop(client->timer);
	if (client->ping_ms > 0 && !client->peer.is_muted)
		call_in(client, client->ping_ms, on_quiet);
}

/* Whatever comes, the peer lives. */
static void sign_of_life(struct ws_client *client)
{
	ws_peer_heard(&client->peer);
	if (client->awaits_pong)
		start_pings(client);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void on_opened(struct ws_client *client)
{
	forget_path(client);
	ws_peer_heard(&client->peer);
	start_pings(client);
	ws_peer_opened(&client->peer);
}

static void refuse_message(struct ws_client *client, int code, const char *why)
{
	struct err err;

	err_set(&err, ERR_EXCHANGE_ANSWER, "%s", why);
	ws_peer_fail(&client->peer, code, &err);
}

static void deliver(struct ws_client *client, bool is_text)
{
	const struct buf *message = &client->message;

	if (is_text && !utf8_is_valid(buf_str(message), message->len))
		refuse_message(client, WS_CLOSE_INVALID, "a text message is not UTF-8");
	else
		ws_peer_message(&client->peer, buf_str(message), message->len, is_text);
	if (client->message.room > ROOM_KEPT)
		buf_fini(&client->message);
	else
		buf_clear(&client->message);
}

static void on_bytes(struct ws_client *client, struct lws *lws, const void *bytes, size_t len)
{
	sign_of_life(client);
	if (client->peer.state != WS_OPEN)
		return;
	buf_add(&client->message, bytes, len);
	if (client->message.is_full)
		refuse_message(client, WS_CLOSE_TOO_BIG, "a message is too long");
	else if (lws_is_final_fragment(lws))
		deliver(client, !lws_frame_is_binary(lws));
}

/* The library would answer it itself, but only later. */
static void answer_close(struct ws_client *client, int code)
{
	if (!client->peer.is_finishing)
		write_control(client, ws_frame_close(code, NULL));
}

static void on_close_frame(struct ws_client *client, const unsigned char *payload, size_t len)
{
	struct ws_end end = { .code = WS_CLOSE_NO_CODE };

	if (len >= 2)
		end.code = payload[0] << 8 | payload[1];
	answer_close(client, end.code);
	ws_peer_over(&client->peer, client->peer.state == WS_CLOSING ? &client->peer.end : &end);
}

static void on_lost(struct ws_client *client, struct lws *lws)
{
	if (client->peer.state == WS_OPENING)
		on_refused(client, lws, NULL);
	else
		ws_peer_lost(&client->peer, "the connection was lost");
}

static void on_writable(struct ws_client *client)
{
	if (client->peer.is_blocked && !lws_partial_buffered(client->lws))
		ws_peer_unblock(&client->peer);
}

/* ---- the transport ------------------------------------------------------------------------ */

static void flush(struct ws_peer *peer)
{
	struct ws_client *client = client_of(peer);

	while (peer->queue.count > 0 && !peer->is_blocked && peer->state != WS_OVER) {
		struct ws_frame *frame = ws_frame_ref(ws_queue_first(&peer->queue));

		ws_queue_sent(&peer->queue, ws_frame_size(frame));
		peer->sent += ws_frame_size(frame);
		write_frame(client, frame);
		ws_frame_unref(frame);
	}
}

static void finish(struct ws_peer *peer)
{
	write_control(client_of(peer), ws_frame_close(peer->end.code, peer->reason));
}

static void mute(struct ws_peer *peer)
{
	struct ws_client *client = client_of(peer);

	if (!client->lws || peer->state == WS_OPENING)
		return;
	lws_rx_flow_control(client->lws, peer->is_muted ? 0 : 1);
	start_pings(client);
}

/* A handler may still read the message: then it goes when the callback returns. */
static void cut(struct ws_peer *peer)
{
	struct ws_client *client = client_of(peer);

	resolve_cancel(client->resolve);
	client->resolve = NULL;
	timer_destroy(client->timer);
	client->timer = NULL;
	let_go(client);
	forget_path(client);
	mem_free(client->addresses);
	client->addresses = NULL;
	if (!client->is_inside)
		buf_fini(&client->message);
}

static const struct ws_transport transport = {
	.flush = flush, .finish = finish, .cut = cut, .mute = mute
};

/* ---- what the library calls -------------------------------------------------------------- */

static void dispatch(struct ws_client *client, struct lws *lws, enum lws_callback_reasons reason,
		     void *in, size_t len)
{
	switch ((int)reason) { /* most of them are none of our business */
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		client->has_asked = true;
		break;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		on_refused(client, lws, in); /* terminated */
		break;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		on_opened(client);
		break;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		on_bytes(client, lws, in, len);
		break;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		sign_of_life(client);
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		on_writable(client);
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		on_close_frame(client, in, len);
		break;
	case LWS_CALLBACK_CLIENT_CLOSED:
		on_lost(client, lws);
		break;
	}
}

/* Of a connection that has been let go of, only these would keep it alive by a result of 0. */
static bool is_of_the_living(enum lws_callback_reasons reason)
{
	return reason == LWS_CALLBACK_CLIENT_ESTABLISHED || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
	       reason == LWS_CALLBACK_CLIENT_RECEIVE_PONG ||
	       reason == LWS_CALLBACK_CLIENT_WRITEABLE ||
	       reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION;
}

/* While the library still tries to connect, within our call of it, there is no client->lws. */
static int on_event(struct lws *lws, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct ws_client *client = lws ? lws_get_opaque_user_data(lws) : NULL;
	bool is_ours;

	if (!client)
		return is_of_the_living(reason) ? -1 : 0;
	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION)
		return refuses(client, user, len == 1);
	is_ours = client->lws == lws;
	client->is_inside = is_ours;
	dispatch(client, lws, reason, in, len);
	client->is_inside = false;
	if (client->peer.state == WS_OVER)
		buf_fini(&client->message);
	return is_ours && client->lws != lws ? -1 : 0;
}

const struct lws_protocols ws_client_protocols[] = {
	{ .name = PROTOCOL,
	  .callback = on_event,
	  .rx_buffer_size = PIECE_MAX,
	  .tx_packet_size = PIECE_MAX },
	{ .name = NULL },
};

/* ---- starting ---------------------------------------------------------------------------- */

static bool is_path(const char *path)
{
	const char *c = path;

	while (*c > ' ' && *c < 0x7f)
		c++;
	return path[0] == '/' && *c == '\0' && strlen(path) <= PATH_LEN_MAX;
}

static bool check_target(struct ws_client *client, const struct ws_connect_config *config)
{
	if (!ws_url_parse(config->url, &client->url, &client->failure))
		return false;
	/* The library takes all before the first colon for the name to ask TLS for. */
	if (client->url.is_secure && strchr(client->url.host, ':'))
		return err_set(&client->failure, ERR_CONFIG,
			       "wss:// needs a host name, or an IPv4 address");
	if (is_path(config->path))
		return true;
	return err_set(&client->failure, ERR_CONFIG,
		       "no usable path for a WebSocket: visible ASCII, at most %d bytes",
		       PATH_LEN_MAX);
}

struct ws_peer *ws_connect(struct ws *ws, const struct ws_connect_config *config, void *arg)
{
	struct ws_client *client = mem_alloc(sizeof(*client));

	client->timer = loop_timer_create(ws->loop, on_timer, client);
	client->timeout_ms = config->timeout_ms;
	client->ping_ms = config->ping_ms;
	client->pong_ms = config->pong_ms;
	buf_init(&client->message, config->message_max);
	if (!ws_peer_init(&client->peer, ws, &transport, config->handlers, arg))
		return &client->peer;
	if (!check_target(client, config)) {
		fail(client, 0);
		return &client->peer;
	}
	client->path = mem_strdup(config->path);
	client->deadline = mono_after_ms(loop_now(ws->loop), config->timeout_ms);
	call_at(client, client->deadline, on_late_resolve);
	client->resolve = resolve_start(ws->loop, client->url.host, on_resolved, client);
	return &client->peer;
}
