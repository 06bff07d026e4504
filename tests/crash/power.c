/* power.c - writes down what a program does to its files, and what of it was synced.
 *
 * A file system layer for tests: preloaded (LD_PRELOAD), it stands between a program and libc and
 * watches the folder POWER_FOLDER. Before each write, truncation, creation, link, rename or unlink
 * there, and after each sync that succeeded, a record goes to the file POWER_LOG. Killed at any
 * moment, the program leaves a log from which tests/power.py makes what a disk may hold after a
 * power cut: what was synced, and any part of the rest.
 *
 * POWER_LIES=1 is a disk that lies: syncs are not recorded. What relies on them must then be seen
 * to lose. Not watched: memory maps (of SQLite's -shm only, which it never relies upon) and stdio.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_MAX 16384
#define MAGIC  0x72776f50u

/* Numbers and layout are those of tests/power.py. */
enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, LINK };

struct record {
	uint32_t magic, kind;
	uint64_t inode;
	int64_t offset; /* of a write; the size of a truncation */
	uint32_t len;   /* of what follows: a write's data; names, each ended by a NUL */
	uint32_t unused;
};

static struct {
	char folder[PATH_MAX];
	size_t folder_len;
	int log_fd;
	bool lies;
	pthread_mutex_t lock; /* a record and what it is about stay together */
	uint64_t inodes[FD_MAX];
	bool is_folder[FD_MAX];
} power = { .log_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

/* Libraries that are set up before this one may call already. */
#define REAL(type, name, ...) static type (*real_##name)(__VA_ARGS__);
REAL(int, openat, int, const char *, int, ...)
REAL(int, close, int)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
REAL(int, ftruncate, int, off_t)
REAL(int, fallocate, int, int, off_t, off_t)
REAL(int, posix_fallocate, int, off_t, off_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)
REAL(int, rename, const char *, const char *)
REAL(int, link, const char *, const char *)
REAL(int, unlink, const char *)

#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)
static void find_real(void)
{
	if (real_unlink)
		return;
	FIND(openat), FIND(close), FIND(write), FIND(pwrite), FIND(ftruncate), FIND(fallocate);
	FIND(posix_fallocate), FIND(fsync), FIND(fdatasync), FIND(rename), FIND(link);
	FIND(unlink);
}

static void __attribute__((constructor)) begin(void)
{
	const char *folder = getenv("POWER_FOLDER"), *log = getenv("POWER_LOG");

	find_real();
	if (!folder || !log || !realpath(folder, power.folder))
		return;
	power.folder_len = strlen(power.folder);
	power.lies = getenv("POWER_LIES") != NULL;
	power.log_fd = real_openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- the log ---------------------------------------------------------------------------- */

static void note(enum kind kind, uint64_t inode, int64_t offset, const void *data, size_t len)
{
	struct record record = {
		.magic = MAGIC, .kind = kind, .inode = inode, .offset = offset, .len = (uint32_t)len
	};
	char *whole = malloc(sizeof(record) + len);

	memcpy(whole, &record, sizeof(record));
	if (len > 0)
		memcpy(whole + sizeof(record), data, len);
	if (real_write(power.log_fd, whole, sizeof(record) + len) !=
	    (ssize_t)(sizeof(record) + len))
		abort(); /* a log with a hole proves nothing */
	free(whole);
}

/* The name within the folder; NULL for what is elsewhere or in a folder below. */
static const char *name_of(const char *path)
{
	if (power.log_fd < 0 || strncmp(path, power.folder, power.folder_len) != 0 ||
	    path[power.folder_len] != '/' || strchr(path + power.folder_len + 1, '/'))
		return NULL;
	return path + power.folder_len + 1;
}

static void note_names(enum kind kind, uint64_t inode, const char *one, const char *two)
{
	char names[2 * PATH_MAX];
	int len = snprintf(names, sizeof(names), "%s%c%s", one, '\0', two);

	note(kind, inode, 0, names, (size_t)len + 1);
}

static bool is_watched(int fd)
{
	find_real();
	return fd >= 0 && fd < FD_MAX && power.inodes[fd] != 0;
}

/* ---- opening ---------------------------------------------------------------------------- */

static void watch(int fd, const char *name, bool is_new, bool is_cut)
{
	struct stat stat_;

	if (fd < 0 || fd >= FD_MAX || fstat(fd, &stat_) != 0)
		return;
	power.inodes[fd] = stat_.st_ino;
	power.is_folder[fd] = S_ISDIR(stat_.st_mode);
	if (is_new)
		note_names(CREATE, stat_.st_ino, name, "");
	else if (is_cut)
		note(TRUNCATE, stat_.st_ino, 0, NULL, 0);
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
	const char *name = name_of(path);
	bool is_folder = power.log_fd >= 0 && strcmp(path, power.folder) == 0;
	struct stat before;
	bool is_new;
	int fd;

	find_real();
	if (!name && !is_folder)
		return real_openat(dir, path, flags, mode);
	pthread_mutex_lock(&power.lock);
	is_new = name && (flags & O_CREAT) && lstat(path, &before) != 0;
	fd = real_openat(dir, path, flags, mode);
	if (fd >= 0)
		watch(fd, name, is_new, flags & O_TRUNC);
	pthread_mutex_unlock(&power.lock);
	return fd;
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & O_CREAT ? (mode_t)va_arg(args, unsigned) : 0;
}

#define OPEN(name)                                            \
	int name(const char *path, int flags, ...)            \
	{                                                     \
		va_list args;                                 \
		mode_t mode;                                  \
                                                              \
		va_start(args, flags);                        \
		mode = mode_of(flags, args);                  \
		va_end(args);                                 \
		return open_any(AT_FDCWD, path, flags, mode); \
	}
OPEN(open)
OPEN(open64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int close(int fd)
{
	find_real();
	if (fd >= 0 && fd < FD_MAX)
		power.inodes[fd] = 0;
	return real_close(fd);
}

/* ---- contents --------------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t wrote;

	if (!is_watched(fd))
		return real_pwrite(fd, data, len, offset);
	pthread_mutex_lock(&power.lock);
	note(WRITE, power.inodes[fd], offset, data, len);
	wrote = real_pwrite(fd, data, len, offset);
	if (wrote != (ssize_t)len)
		abort(); /* the log says otherwise: give the tests a disk with room */
	pthread_mutex_unlock(&power.lock);
	return wrote;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
	off_t at;

	if (!is_watched(fd))
		return real_write(fd, data, len);
	at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
	if (pwrite(fd, data, len, at) != (ssize_t)len)
		return -1;
	lseek(fd, at + (off_t)len, SEEK_SET);
	return (ssize_t)len;
}

int ftruncate(int fd, off_t size)
{
	int status;

	if (!is_watched(fd))
		return real_ftruncate(fd, size);
	pthread_mutex_lock(&power.lock);
	note(TRUNCATE, power.inodes[fd], size, NULL, 0);
	status = real_ftruncate(fd, size);
	pthread_mutex_unlock(&power.lock);
	return status;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

/* Room at the end is a longer file; elsewhere it changes nothing one could read. */
static void note_room(int fd, off_t end)
{
	struct stat stat_;

	if (is_watched(fd) && fstat(fd, &stat_) == 0 && end > stat_.st_size)
		note(TRUNCATE, power.inodes[fd], end, NULL, 0);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	find_real();
	if (mode == 0)
		note_room(fd, offset + len);
	return real_fallocate(fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	find_real();
	note_room(fd, offset + len);
	return real_posix_fallocate(fd, offset, len);
}

int posix_fallocate64(int fd, off_t offset, off_t len)
{
	return posix_fallocate(fd, offset, len);
}

/* ---- syncs ------------------------------------------------------------------------------ */

/* All that was written before the call is on disk after it, and nothing is promised of the rest. */
static int sync_any(int fd, int (*real)(int fd))
{
	int status;

	if (!is_watched(fd))
		return real(fd);
	pthread_mutex_lock(&power.lock);
	status = real(fd);
	if (status == 0 && !power.lies)
		note(power.is_folder[fd] ? SYNC_FOLDER : SYNC, power.inodes[fd], 0, NULL, 0);
	pthread_mutex_unlock(&power.lock);
	return status;
}

int fsync(int fd)
{
	return sync_any(fd, real_fsync);
}

int fdatasync(int fd)
{
	return sync_any(fd, real_fdatasync);
}

/* ---- names ------------------------------------------------------------------------------ */

static uint64_t inode_of(const char *path)
{
	struct stat stat_;

	return lstat(path, &stat_) == 0 ? stat_.st_ino : 0;
}

static int two_names(enum kind kind, const char *from, const char *to,
		     int (*real)(const char *from, const char *to))
{
	const char *old = name_of(from), *fresh = name_of(to);
	int status;

	if (!old || !fresh)
		return real(from, to);
	pthread_mutex_lock(&power.lock);
	if (inode_of(from) && (kind == RENAME || !inode_of(to)))
		note_names(kind, inode_of(from), old, fresh);
	status = real(from, to);
	pthread_mutex_unlock(&power.lock);
	return status;
}

int rename(const char *from, const char *to)
{
	find_real();
	return two_names(RENAME, from, to, real_rename);
}

int link(const char *from, const char *to)
{
	find_real();
	return two_names(LINK, from, to, real_link);
}

int unlink(const char *path)
{
	const char *name = name_of(path);
	int status;

	find_real();
	if (!name || !inode_of(path))
		return real_unlink(path);
	pthread_mutex_lock(&power.lock);
	note_names(UNLINK, inode_of(path), name, "");
	status = real_unlink(path);
	pthread_mutex_unlock(&power.lock);
	return status;
}
