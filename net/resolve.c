#include "net/resolve.h"

#include <assert.h>
#include <netdb.h>
#include <string.h>
#include <uv.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"

#define ADDRESSES_MAX 16 /* to try one after the other; nobody needs more */

struct resolve {
	uv_getaddrinfo_t uv;
	struct loop *loop;
	resolve_fn *done; /* NULL once cancelled */
	void *arg;
	char *host;
	char addresses[ADDRESSES_MAX][RESOLVE_ADDRESS_LEN];
	unsigned count;
};

static void destroy(struct resolve *resolve)
{
	mem_free(resolve->host);
	mem_free(resolve);
}

static void fail(struct resolve *resolve, const char *why)
{
	struct err err;

	err_set(&err, ERR_UNREACHABLE, "%s: %s", resolve->host, why);
	resolve->done(resolve->arg, &err, NULL, 0);
}

static void succeed(struct resolve *resolve)
{
	const char(*addresses)[RESOLVE_ADDRESS_LEN] =
		(const char(*)[RESOLVE_ADDRESS_LEN])resolve->addresses;

	resolve->done(resolve->arg, NULL, addresses, resolve->count);
}

static bool is_known(const struct resolve *resolve, const char *address)
{
	for (unsigned i = 0; i < resolve->count; i++)
		if (strcmp(resolve->addresses[i], address) == 0)
			return true;
	return false;
}

/* In figures, with the scope of a link-local address. */
static void add(struct resolve *resolve, const struct addrinfo *info)
{
	char address[RESOLVE_ADDRESS_LEN];

	if (resolve->count < ADDRESSES_MAX &&
	    getnameinfo(info->ai_addr, info->ai_addrlen, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) == 0 &&
	    !is_known(resolve, address))
		mem_str_set(resolve->addresses[resolve->count++], sizeof(address), address);
}

static void tell(struct resolve *resolve, int status)
{
	if (status < 0)
		fail(resolve, uv_strerror(status));
	else if (resolve->count == 0)
		fail(resolve, "has no address");
	else
		succeed(resolve);
}

static void on_found(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
	struct resolve *resolve = CONTAINER_OF(uv, struct resolve, uv);

	for (const struct addrinfo *info = found; info; info = info->ai_next)
		add(resolve, info);
	uv_freeaddrinfo(found);
	if (resolve->done)
		tell(resolve, status);
	destroy(resolve);
}

static void on_known(void *arg)
{
	struct resolve *resolve = arg;

	if (resolve->done)
		succeed(resolve);
	destroy(resolve);
}

static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

/* Asks nobody, so it may be done on the loop thread. */
static bool is_number(struct resolve *resolve)
{
	struct addrinfo numeric = hints, *found = NULL;

	numeric.ai_flags = AI_NUMERICHOST;
	if (getaddrinfo(resolve->host, NULL, &numeric, &found) != 0)
		return false;
	add(resolve, found);
	freeaddrinfo(found);
	return resolve->count > 0;
}

static void on_refused(void *arg)
{
	struct resolve *resolve = arg;

	if (resolve->done)
		fail(resolve, "is no host name");
	destroy(resolve);
}

struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *arg)
{
	struct resolve *resolve = mem_alloc(sizeof(*resolve));

	assert(loop_is_mine(loop));
	resolve->loop = loop;
	resolve->done = done;
	resolve->arg = arg;
	resolve->host = mem_strdup(host);
	if (is_number(resolve))
		loop_later(loop, on_known, resolve);
	else if (uv_getaddrinfo(loop_uv(loop), &resolve->uv, on_found, host, NULL, &hints) != 0)
		loop_later(loop, on_refused, resolve); /* too long, or not UTF-8 */
	return resolve;
}

void resolve_cancel(struct resolve *resolve)
{
	if (!resolve)
		return;
	assert(loop_is_mine(resolve->loop));
	resolve->done = NULL;
	/* Fine when it has begun, or is not the pool's at all: on_...() looks. */
	uv_cancel((uv_req_t *)&resolve->uv);
}
