#include "net/ws_context.h"

#include <assert.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "net/loop.h"

#define HEAD_MAX 8192 /* of an answer to a handshake */

struct ws_context {
	uv_loop_t *uv;
	struct lws_context *lws;
	struct lws_vhost *vhost;
};

/* The library's log is the process's, not a context's. */
static char complaint[256];

static void note_complaint(int level, const char *line)
{
	(void)level;
	snprintf(complaint, sizeof(complaint), "%s", line);
}

const char *ws_context_complaint(void)
{
	return complaint;
}

void ws_context_forget(void)
{
	complaint[0] = '\0';
}

static struct lws_context *create_lws(uv_loop_t *uv)
{
	void *loops[1] = { uv };
	struct lws_context_creation_info info = { 0 };

	info.port = CONTEXT_PORT_NO_LISTEN;
	info.foreign_loops = loops;
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		       LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.max_http_header_data = HEAD_MAX;
	return lws_create_context(&info);
}

static struct lws_vhost *create_vhost(struct lws_context *lws, const char *ca_file,
				      const struct lws_protocols *protocols)
{
	struct lws_context_creation_info info = { 0 };

	info.port = CONTEXT_PORT_NO_LISTEN;
	info.vhost_name = "client";
	info.protocols = protocols;
	/* A file of certificates is trusted instead of the system's, not besides. */
	info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
		       (ca_file ? LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS : 0);
	info.client_ssl_ca_filepath = ca_file;
	info.http_proxy_address = ""; /* else it would ask the environment for one */
	return lws_create_vhost(lws, &info);
}

/* The library would go on without, and trust nobody. */
static bool can_load(const char *ca_file)
{
	X509_STORE *store = X509_STORE_new();
	bool result = X509_STORE_load_file(store, ca_file) == 1;

	X509_STORE_free(store);
	return result;
}

bool ws_context_create(struct loop *loop, const char *ca_file,
		       const struct lws_protocols *protocols, struct ws_context **result,
		       struct err *err)
{
	struct ws_context *context = mem_alloc(sizeof(*context));

	assert(loop_is_mine(loop));
	lws_set_log_level(LLL_ERR | LLL_WARN, note_complaint);
	context->uv = loop_uv(loop);
	context->lws = create_lws(context->uv);
	if (!context->lws) {
		mem_free(context);
		return err_set(err, ERR_INTERNAL,
			       "libwebsockets does not start: is its plugin for libuv installed?");
	}
	if (!ca_file || can_load(ca_file))
		context->vhost = create_vhost(context->lws, ca_file, protocols);
	if (!context->vhost) {
		ws_context_destroy(context);
		return err_set(err, ERR_CONFIG, "the certificates in %s cannot be used",
			       ca_file ? ca_file : "the system's store");
	}
	*result = context;
	return true;
}

static void note_closing(uv_handle_t *handle, void *arg)
{
	bool *is_closing = arg;

	if (uv_is_closing(handle))
		*is_closing = true;
}

/* Closing takes the library two turns: connections and its pipe first, then its timers, which
 * are part of the context's memory. Whatever else closes meanwhile may. */
static void await_closing(uv_loop_t *uv)
{
	bool is_closing;

	do {
		uv_run(uv, UV_RUN_NOWAIT);
		is_closing = false;
		uv_walk(uv, note_closing, &is_closing);
	} while (is_closing);
}

void ws_context_destroy(struct ws_context *context)
{
	if (!context)
		return;
	lws_context_destroy(context->lws);
	await_closing(context->uv);
	lws_context_destroy(context->lws);
	await_closing(context->uv);
	mem_free(context);
}

struct lws_context *ws_context_lws(struct ws_context *context)
{
	return context->lws;
}

struct lws_vhost *ws_context_vhost(struct ws_context *context)
{
	return context->vhost;
}
