/* auth.h - who a local request comes from, and what it may do.
 *
 * Tokens are dg_<id>_<secret>: 60 bits of id and 256 bits of secret, in base 32. Only a keyed
 * hash of the secret is kept (BLAKE2b under a key in <data-dir>/token.key, mode 0600), compared
 * in constant time. Over the Unix socket the daemon's own user and root are admin without a
 * token, as "local". Tokens are read from the journal at the start and changed through it.
 * Loop thread only. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "server/journal.h"

struct auth;
struct http_peer;
struct loop;

/* X(NAME, "word"): bits in the journal, words in the API: append only. */
#define AUTH_SCOPES(X) \
	X(MARKET, "market") X(READ, "read") X(TRADE, "trade") X(OPS, "ops") X(ADMIN, "admin")
enum auth_scope_bit {
#define X(name, word) AUTH_BIT_##name,
	AUTH_SCOPES(X)
#undef X
		AUTH_BIT_COUNT
};
#define AUTH_MARKET (1u << AUTH_BIT_MARKET)
#define AUTH_READ   (1u << AUTH_BIT_READ)
#define AUTH_TRADE  (1u << AUTH_BIT_TRADE)
#define AUTH_OPS    (1u << AUTH_BIT_OPS)
#define AUTH_ADMIN  (1u << AUTH_BIT_ADMIN) /* implies every other */

struct auth_config {
	const char *key_path;        /* made at first use */
	int64_t requests_per_second; /* per token, with a burst of twice as many; 0: no limit */
};

MUST_CHECK bool auth_create(struct loop *loop, const struct auth_config *config,
			    struct journal *journal, struct auth **result, struct err *err);
void auth_destroy(struct auth *auth);

/* The request's token, borrowed until the end of the turn. authorization is the header's value or
 * NULL. ERR_UNAUTHORIZED for none, unknown, expired or revoked ones, without telling which. */
MUST_CHECK bool auth_check(struct auth *auth, const struct http_peer *peer,
			   const char *authorization, const struct journal_token **token,
			   struct err *err);
bool auth_allows(const struct journal_token *token, uint32_t scopes); /* one of them is enough */
bool auth_is_valid(const struct auth *auth, const char *token_id);    /* now; "local" always is */
/* When a token has just ceased to be: revoked, or expired. For what outlives a request. One
 * listener. */
typedef void auth_void_fn(void *arg, const char *token_id);
void auth_on_void(struct auth *auth, auth_void_fn *fn, void *arg);
/* Counts a request; ERR_BUSY above the token's rate, *retry_ms says for how long. */
MUST_CHECK bool auth_charge(struct auth *auth, const struct journal_token *token, int64_t *retry_ms,
			    struct err *err);

/* Makes a token from a template (name, scopes, limits, expiry). text gets the only copy of the
 * secret; wipe it. It is valid once done came without err. */
#define AUTH_TOKEN_TEXT_LEN 96
void auth_token_create(struct auth *auth, const struct journal_token *template,
		       char text[AUTH_TOKEN_TEXT_LEN], struct journal_token *made,
		       journal_done_fn *done, void *arg);
/* ERR_NOT_FOUND. It is refused at once; done comes when that is durable. */
MUST_CHECK bool auth_token_revoke(struct auth *auth, const char *token_id, journal_done_fn *done,
				  void *arg, struct err *err);
const struct journal_token *auth_token_find(const struct auth *auth, const char *token_id);
void auth_each_token(const struct auth *auth,
		     void (*fn)(void *arg, const struct journal_token *token), void *arg);

bool auth_scope_parse(const char *word, uint32_t *bit);
const char *auth_scope_word(enum auth_scope_bit bit);
#endif
