#include "server/auth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/limiter.h"
#include "net/httpd.h"
#include "net/loop.h"

#define KEY_LEN        32
#define HASH_LEN       32
#define TOKEN_ID_CHARS 12 /* 60 bits */
#define SECRET_CHARS   52 /* 256 bits and a few */
#define TOKEN_CHARS    (3 + TOKEN_ID_CHARS + 1 + SECRET_CHARS)
#define KEY_PATH_LEN   4096
#define BURST_FACTOR   2     /* requests at once, in seconds of the rate */
#define LOOK_MAX_MS    60000 /* between looks for what has expired: the wall clock may be set */

/* Crockford's: without i, l, o and u, which are read for others. */
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct entry {
	struct list_node node;
	struct journal_token token;
	uint8_t hash[HASH_LEN];
	struct bucket requests;
	bool is_void; /* and that was told */
};

struct auth {
	struct loop *loop;
	struct journal *journal;
	struct secret *key;
	int64_t requests_per_second;
	struct map *by_id;
	struct list entries; /* oldest first */
	struct journal_token local;
	struct timer *expiry;
	auth_void_fn *on_void; /* NULL: nobody listens */
	void *void_arg;
};

/* A token on its way into the journal. */
struct making {
	struct auth *auth;
	struct journal_token token;
	journal_done_fn *done;
	void *arg;
};

/* ---- scopes ----------------------------------------------------------------------------- */

static const char *const scope_words[AUTH_BIT_COUNT] = {
#define X(name, word) word,
	AUTH_SCOPES(X)
#undef X
};

bool auth_scope_parse(const char *word, uint32_t *bit)
{
	for (unsigned i = 0; i < AUTH_BIT_COUNT; i++) {
		if (strcmp(word, scope_words[i]) == 0) {
			*bit = 1u << i;
			return true;
		}
	}
	return false;
}

const char *auth_scope_word(enum auth_scope_bit bit)
{
	return scope_words[bit];
}

bool auth_allows(const struct journal_token *token, uint32_t scopes)
{
	return (token->scopes & (scopes | AUTH_ADMIN)) != 0;
}

/* ---- the key of the hashes -------------------------------------------------------------- */

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, text, len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		text += wrote;
		len -= (size_t)wrote;
	}
	return true;
}

static void sync_folder_of(const char *path)
{
	char folder[KEY_PATH_LEN];
	char *slash;
	int fd;

	STR_SET(folder, path);
	slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd); /* at worst the key is made anew, before any token was */
		close(fd);
	}
}

/* Under another name first: a half-written key would be mistaken for the key. */
static bool write_key(const char *path, const char *text, struct err *err)
{
	char fresh[KEY_PATH_LEN];
	bool is_written;
	int fd;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
		return err_set(err, ERR_CONFIG, "the path of the token key is too long");
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_IO, "cannot make %s: %s", fresh, strerror(errno));
	CRASH_POINT("token_key.made");
	is_written = write_all(fd, text, strlen(text)) && fsync(fd) == 0;
	CRASH_POINT("token_key.written");
	if (close(fd) != 0 || !is_written || link(fresh, path) != 0) {
		err_set(err, ERR_IO, "cannot make %s: %s", path, strerror(errno));
		(void)unlink(fresh);
		return false;
	}
	CRASH_POINT("token_key.linked");
	(void)unlink(fresh);
	sync_folder_of(path);
	CRASH_POINT("token_key.synced");
	return true;
}

static bool make_key(const char *path, struct err *err)
{
	uint8_t key[KEY_LEN];
	char text[2 * KEY_LEN + 2];
	bool is_fine;

	randombytes_buf(key, sizeof(key));
	hex_encode(key, sizeof(key), text);
	text[2 * KEY_LEN] = '\n';
	text[2 * KEY_LEN + 1] = '\0';
	is_fine = write_key(path, text, err);
	secret_wipe(key, sizeof(key));
	secret_wipe(text, sizeof(text));
	return is_fine;
}

static bool load_key(struct auth *auth, const char *path, struct err *err)
{
	struct secret *text = NULL;
	size_t len;
	bool is_fine;

	if (access(path, F_OK) != 0 && errno == ENOENT && !make_key(path, err))
		return false;
	if (!secret_read_file(path, 2 * KEY_LEN, &text, err))
		return false;
	auth->key = secret_create(KEY_LEN);
	is_fine = hex_decode((const char *)secret_open(text), secret_len(text),
			     secret_open(auth->key), KEY_LEN, &len) &&
		  len == KEY_LEN;
	secret_close(auth->key);
	secret_close(text);
	secret_destroy(text);
	return is_fine ||
	       err_set(err, ERR_CONFIG, "%s is damaged: remove it to void every token", path);
}

/* Of the whole token, id included, so that a hash is of use under its own id only. */
static void hash_token(const struct auth *auth, const char *text, uint8_t hash[HASH_LEN])
{
	crypto_generichash(hash, HASH_LEN, (const uint8_t *)text, strlen(text),
			   secret_open(auth->key), KEY_LEN);
	secret_close(auth->key);
}

/* ---- tokens that cease to be ------------------------------------------------------------ */

static void tell_void(struct auth *auth, struct entry *entry)
{
	if (entry->is_void)
		return;
	entry->is_void = true;
	if (auth->on_void)
		auth->on_void(auth->void_arg, entry->token.token_id);
}

/* Looks again when the next one expires. */
static void arm_expiry(struct auth *auth)
{
	int64_t now_us = wall_now().us, soonest_us = 0, wait_ms;

	LIST_EACH (&auth->entries, node) {
		const struct entry *entry = CONTAINER_OF(node, const struct entry, node);
		int64_t at_us = entry->token.expires_at.us;

		if (at_us > 0 && !entry->is_void && (soonest_us == 0 || at_us < soonest_us))
			soonest_us = at_us;
	}
	if (soonest_us == 0)
		return;
	wait_ms = soonest_us > now_us ? (soonest_us - now_us) / 1000 + 1 : 0;
	timer_start(auth->expiry, wait_ms < LOOK_MAX_MS ? wait_ms : LOOK_MAX_MS);
}

static void look_for_expired(void *arg)
{
	struct auth *auth = arg;
	int64_t now_us = wall_now().us;

	LIST_EACH (&auth->entries, node) {
		struct entry *entry = CONTAINER_OF(node, struct entry, node);

		if (entry->token.expires_at.us > 0 && now_us >= entry->token.expires_at.us)
			tell_void(auth, entry);
	}
	arm_expiry(auth);
}

void auth_on_void(struct auth *auth, auth_void_fn *fn, void *arg)
{
	auth->on_void = fn;
	auth->void_arg = arg;
}

/* ---- the tokens ------------------------------------------------------------------------- */

static struct entry *entry_add(struct auth *auth, const struct journal_token *token)
{
	struct entry *entry = mem_alloc(sizeof(*entry));
	size_t len;

	entry->token = *token;
	if (!hex_decode(token->hash, strlen(token->hash), entry->hash, HASH_LEN, &len) ||
	    len != HASH_LEN) {
		mem_free(entry);
		return NULL;
	}
	if (auth->requests_per_second > 0)
		bucket_init(&entry->requests, auth->requests_per_second * BURST_FACTOR,
			    auth->requests_per_second * 1000, loop_now(auth->loop));
	list_push_back(&auth->entries, &entry->node);
	map_put(auth->by_id, entry->token.token_id, entry);
	return entry;
}

static void load_token(void *arg, const struct journal_token *token)
{
	struct auth *auth = arg;

	if (!entry_add(auth, token))
		LOG(ERROR, "auth.token_unreadable", F_STR("token", token->token_id));
}

static void init_local(struct auth *auth)
{
	STR_SET(auth->local.token_id, "local");
	STR_SET(auth->local.name, "local");
	auth->local.scopes = AUTH_ADMIN;
	auth->local.weight = 1;
}

bool auth_create(struct loop *loop, const struct auth_config *config, struct journal *journal,
		 struct auth **result, struct err *err)
{
	struct auth *auth = mem_alloc(sizeof(*auth));
	bool is_fine;

	auth->loop = loop;
	auth->journal = journal;
	auth->requests_per_second = config->requests_per_second;
	auth->by_id = map_create();
	list_init(&auth->entries);
	auth->expiry = loop_timer_create(loop, look_for_expired, auth);
	init_local(auth);
	is_fine = load_key(auth, config->key_path, err) &&
		  journal_load_tokens(journal, load_token, auth, err);
	if (is_fine) {
		arm_expiry(auth);
		*result = auth;
	} else {
		auth_destroy(auth);
	}
	return is_fine;
}

void auth_destroy(struct auth *auth)
{
	struct list_node *node;

	if (!auth)
		return;
	while ((node = list_pop_front(&auth->entries)))
		mem_free(CONTAINER_OF(node, struct entry, node));
	timer_destroy(auth->expiry);
	map_destroy(auth->by_id);
	secret_destroy(auth->key);
	mem_free(auth);
}

const struct journal_token *auth_token_find(const struct auth *auth, const char *token_id)
{
	const struct entry *entry = map_get(auth->by_id, token_id);

	return entry ? &entry->token : NULL;
}

void auth_each_token(const struct auth *auth,
		     void (*fn)(void *arg, const struct journal_token *token), void *arg)
{
	LIST_EACH (&auth->entries, node)
		fn(arg, &CONTAINER_OF(node, const struct entry, node)->token);
}

/* ---- who is it? ------------------------------------------------------------------------- */

static bool is_own_user(const struct http_peer *peer)
{
	return peer->is_unix && (peer->uid == 0 || peer->uid == (uint32_t)geteuid());
}

/* The token in "Bearer dg_<id>_<secret>", and its id; NULL for what does not look like one. */
static const char *token_in(const char *authorization, char id[TOKEN_ID_LEN])
{
	const char *text;

	if (strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	text = authorization + 7 + strspn(authorization + 7, " ");
	if (strlen(text) != TOKEN_CHARS || strncmp(text, "dg_", 3) != 0 ||
	    strspn(text + 3, alphabet) != TOKEN_ID_CHARS || text[3 + TOKEN_ID_CHARS] != '_')
		return NULL;
	memcpy(id, text + 3, TOKEN_ID_CHARS);
	id[TOKEN_ID_CHARS] = '\0';
	return text;
}

static bool is_valid(const struct journal_token *token)
{
	return token->revoked_at.us == 0 &&
	       (token->expires_at.us == 0 || wall_now().us < token->expires_at.us);
}

bool auth_is_valid(const struct auth *auth, const char *token_id)
{
	const struct entry *entry = map_get(auth->by_id, token_id);

	return entry ? is_valid(&entry->token) : strcmp(token_id, auth->local.token_id) == 0;
}

/* An id that does not exist takes as long as a secret that is wrong. */
static const struct entry *entry_of(const struct auth *auth, const char *authorization)
{
	static const uint8_t nobody[HASH_LEN];
	char id[TOKEN_ID_LEN];
	const char *text = token_in(authorization, id);
	const struct entry *entry = text ? map_get(auth->by_id, id) : NULL;
	uint8_t hash[HASH_LEN];
	bool is_same;

	if (!text)
		return NULL;
	hash_token(auth, text, hash);
	is_same = sodium_memcmp(hash, entry ? entry->hash : nobody, HASH_LEN) == 0;
	return is_same && entry && is_valid(&entry->token) ? entry : NULL;
}

bool auth_check(struct auth *auth, const struct http_peer *peer, const char *authorization,
		const struct journal_token **token, struct err *err)
{
	const struct entry *entry;

	assert(loop_is_mine(auth->loop));
	if (!authorization) {
		if (!is_own_user(peer))
			return err_set(err, ERR_UNAUTHORIZED, "this needs a token");
		*token = &auth->local;
		return true;
	}
	entry = entry_of(auth, authorization);
	if (!entry)
		return err_set(err, ERR_UNAUTHORIZED, "the token is not valid (any more)");
	*token = &entry->token;
	return true;
}

bool auth_charge(struct auth *auth, const struct journal_token *token, int64_t *retry_ms,
		 struct err *err)
{
	struct entry *entry = map_get(auth->by_id, token->token_id);
	struct mono now = loop_now(auth->loop);

	if (!entry || auth->requests_per_second == 0 || bucket_take(&entry->requests, now))
		return true;
	*retry_ms = mono_diff_ms(bucket_ready(&entry->requests, now), now) + 1;
	return err_set(err, ERR_BUSY, "this token may send %lld requests a second",
		       (long long)auth->requests_per_second);
}

/* ---- making and revoking ---------------------------------------------------------------- */

static void random_chars(char *text, size_t count)
{
	uint8_t bytes[SECRET_CHARS];

	assert(count <= sizeof(bytes));
	randombytes_buf(bytes, count);
	for (size_t i = 0; i < count; i++)
		text[i] = alphabet[bytes[i] % 32];
	text[count] = '\0';
	secret_wipe(bytes, sizeof(bytes));
}

static void made(void *arg, const struct err *err)
{
	struct making *making = arg;

	if (!err) {
		(void)entry_add(making->auth, &making->token);
		arm_expiry(making->auth);
		LOG(INFO, "auth.token_made", F_STR("token", making->token.token_id),
		    F_STR("name", making->token.name));
	}
	making->done(making->arg, err);
	mem_free(making);
}

static void new_text(const struct auth *auth, char text[AUTH_TOKEN_TEXT_LEN], char *token_id)
{
	char secret[SECRET_CHARS + 1];

	do
		random_chars(token_id, TOKEN_ID_CHARS);
	while (map_get(auth->by_id, token_id));
	random_chars(secret, SECRET_CHARS);
	snprintf(text, AUTH_TOKEN_TEXT_LEN, "dg_%s_%s", token_id, secret);
	secret_wipe(secret, sizeof(secret));
}

void auth_token_create(struct auth *auth, const struct journal_token *template,
		       char text[AUTH_TOKEN_TEXT_LEN], struct journal_token *token,
		       journal_done_fn *done, void *arg)
{
	struct making *making = mem_alloc(sizeof(*making));
	struct journal_write *write = journal_write_create();
	uint8_t hash[HASH_LEN];

	making->auth = auth;
	making->token = *template;
	making->token.created_at = wall_now();
	making->done = done;
	making->arg = arg;
	new_text(auth, text, making->token.token_id);
	hash_token(auth, text, hash);
	hex_encode(hash, sizeof(hash), making->token.hash);
	*token = making->token;
	journal_write_token(write, &making->token);
	journal_append(auth->journal, JOURNAL_INTENT, write, made, making);
}

bool auth_token_revoke(struct auth *auth, const char *token_id, journal_done_fn *done, void *arg,
		       struct err *err)
{
	struct entry *entry = map_get(auth->by_id, token_id);
	struct journal_write *write;

	if (!entry)
		return err_set(err, ERR_NOT_FOUND, "no such token");
	if (entry->token.revoked_at.us == 0) {
		entry->token.revoked_at = wall_now();
		LOG(INFO, "auth.token_revoked", F_STR("token", token_id),
		    F_STR("name", entry->token.name));
		tell_void(auth, entry);
	}
	write = journal_write_create();
	journal_write_token(write, &entry->token);
	journal_append(auth->journal, JOURNAL_FACT, write, done, arg);
	return true;
}
