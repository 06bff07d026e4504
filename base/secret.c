#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define LOCK_TRIAL (64 * 1024) /* as much as a handful of secrets locks */

struct secret {
	uint8_t *bytes; /* len and a NUL; no access unless *opened > 0 */
	size_t len;
	unsigned *opened; /* apart, as reading a const secret opens it */
};

bool secret_init(bool *is_locked, struct err *err)
{
	uint8_t *trial;

	if (sodium_init() < 0)
		return err_set(err, ERR_INTERNAL, "libsodium cannot start");
	/* sodium_malloc() does not tell when locking fails, so it is tried once by hand. */
	trial = sodium_malloc(LOCK_TRIAL);
	*is_locked = trial && sodium_mlock(trial, LOCK_TRIAL) == 0;
	sodium_free(trial);
	return true;
}

struct secret *secret_create(size_t len)
{
	struct secret *secret = mem_alloc(sizeof(*secret));

	secret->len = len;
	secret->opened = mem_alloc(sizeof(*secret->opened));
	secret->bytes = len < SIZE_MAX ? sodium_malloc(len + 1) : NULL;
	if (!secret->bytes)
		mem_give_up(len);
	sodium_memzero(secret->bytes, len + 1);
	sodium_mprotect_noaccess(secret->bytes);
	return secret;
}

struct secret *secret_from(const void *bytes, size_t len)
{
	struct secret *secret = secret_create(len);

	if (len > 0)
		memcpy(secret_open(secret), bytes, len);
	else
		secret_open(secret);
	secret_close(secret);
	return secret;
}

struct secret *secret_from_str(const char *text)
{
	return secret_from(text, strlen(text));
}

struct secret *secret_copy(const struct secret *from)
{
	struct secret *copy;

	if (!from)
		return NULL;
	copy = secret_from(secret_open(from), from->len);
	secret_close(from);
	return copy;
}

void secret_destroy(struct secret *secret)
{
	if (!secret)
		return;
	sodium_free(secret->bytes); /* wipes */
	mem_free(secret->opened);
	mem_free(secret);
}

uint8_t *secret_open(const struct secret *secret)
{
	if ((*secret->opened)++ == 0)
		sodium_mprotect_readwrite(secret->bytes);
	return secret->bytes;
}

void secret_close(const struct secret *secret)
{
	assert(*secret->opened > 0);
	if (--(*secret->opened) == 0)
		sodium_mprotect_noaccess(secret->bytes);
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	bool is_equal;

	if (a->len != b->len)
		return false;
	is_equal = sodium_memcmp(secret_open(a), secret_open(b), a->len) == 0;
	secret_close(a);
	secret_close(b);
	return is_equal;
}

void secret_wipe(void *bytes, size_t len)
{
	sodium_memzero(bytes, len);
}

/* A pipe or /dev/stdin has no mode worth looking at. */
static bool check_kind(int fd, const char *path, struct err *err)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
		return err_set(err, ERR_CONFIG,
			       "%s: others than its owner have rights (mode %03o); chmod 600 it",
			       path, info.st_mode & 0777u);
	if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode) && !S_ISCHR(info.st_mode))
		return err_set(err, ERR_CONFIG, "%s: neither a file nor a pipe", path);
	return true;
}

static bool read_up_to(int fd, const char *path, uint8_t *bytes, size_t room, size_t *len,
		       struct err *err)
{
	*len = 0;
	while (*len < room) {
		ssize_t got = read(fd, bytes + *len, room - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		*len += (size_t)got;
	}
	return true;
}

static size_t without_newline(const uint8_t *bytes, size_t len)
{
	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	else
		return len;
	return len > 0 && bytes[len - 1] == '\r' ? len - 1 : len;
}

bool secret_read_file(const char *path, size_t max, struct secret **result, struct err *err)
{
	struct secret *whole = secret_create(max + 3); /* and CR, LF, one too many */
	uint8_t *bytes = secret_open(whole);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool is_done = false;
	size_t len;

	if (fd < 0) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		goto out;
	}
	if (!check_kind(fd, path, err) || !read_up_to(fd, path, bytes, max + 3, &len, err))
		goto out;
	len = without_newline(bytes, len);
	if (len == 0 || len > max) {
		err_set(err, ERR_CONFIG, len ? "%s: longer than %zu bytes" : "%s: empty", path,
			max);
		goto out;
	}
	*result = secret_from(bytes, len);
	is_done = true;
out:
	if (fd >= 0)
		close(fd);
	secret_close(whole);
	secret_destroy(whole);
	return is_done;
}

struct secret *secret_take_env(const char *name)
{
	const char *value = getenv(name);
	size_t name_len = strlen(name);
	struct secret *secret = value && *value ? secret_from_str(value) : NULL;

	/* Whoever started us may have put it there twice; getenv() only sees the first. */
	for (char **entry = environ; value && *entry; entry++)
		if (strncmp(*entry, name, name_len) == 0 && (*entry)[name_len] == '=')
			secret_wipe(*entry + name_len + 1, strlen(*entry + name_len + 1));
	unsetenv(name);
	return secret;
}
