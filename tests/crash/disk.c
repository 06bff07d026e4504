/* disk.c - a disk in trouble, for one program and one folder, switched on and off from outside.
 *
 * A file system layer for tests: preloaded (LD_PRELOAD), it stands between a program and libc and
 * fails calls on files of the folder DISK_FOLDER as the shared file DISK_CONTROL says at that
 * moment (struct control; tests/disk.py writes it).
 *
 * A full disk is modelled by blocks: what a file has, by writes or by allocation behind its end,
 * can be written; more is ENOSPC. What is given back is free again, unless somebody else is so
 * greedy that it takes it at once. What a file has is asked of the real file system when the
 * program starts, so that allocation outlives the program as it does in life.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_MAX    16384
#define FILES_MAX 256
#define BLOCK     4096

/* Numbers and layout are those of tests/disk.py. */
struct control {
	int32_t write_errno; /* of writes, truncations, allocations; EROFS: also of opening to write
			      */
	int32_t sync_errno;
	int32_t read_errno;
	int32_t allocate_errno; /* of allocation ahead alone */
	int32_t is_full, is_greedy;
	int32_t refusals; /* counted here */
	int32_t unused;
	int64_t free_bytes;
	char only[32]; /* the end of the names that this is about; "" for all */
};

struct file {
	ino_t inode;
	off_t allocated; /* bytes from its start on */
	char name[NAME_MAX + 1];
};

static struct {
	char folder[PATH_MAX];
	size_t folder_len;
	struct control *control; /* NULL: nothing is watched */
	pthread_mutex_t lock;
	struct file files[FILES_MAX];
	size_t file_count;
	struct file *by_fd[FD_MAX];
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Libraries that are set up before this one may call already. */
#define REAL(type, name, ...) static type (*real_##name)(__VA_ARGS__);
REAL(int, openat, int, const char *, int, ...)
REAL(int, close, int)
REAL(ssize_t, write, int, const void *, size_t)
REAL(ssize_t, pwrite, int, const void *, size_t, off_t)
REAL(ssize_t, pread, int, void *, size_t, off_t)
REAL(int, ftruncate, int, off_t)
REAL(int, fallocate, int, int, off_t, off_t)
REAL(int, fsync, int)
REAL(int, fdatasync, int)

#define FIND(name) *(void **)&real_##name = dlsym(RTLD_NEXT, #name)
static void find_real(void)
{
	if (real_fdatasync)
		return;
	FIND(openat), FIND(close), FIND(write), FIND(pwrite), FIND(pread), FIND(ftruncate);
	FIND(fallocate), FIND(fsync), FIND(fdatasync);
}

static void __attribute__((constructor)) begin(void)
{
	const char *folder = getenv("DISK_FOLDER"), *control = getenv("DISK_CONTROL");
	void *shared;
	int fd;

	find_real();
	if (!folder || !control || strlen(folder) >= sizeof(disk.folder))
		return;
	strcpy(disk.folder, folder);
	disk.folder_len = strlen(folder);
	fd = real_openat(AT_FDCWD, control, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		abort();
	real_close(fd);
	disk.control = shared;
}

/* ---- what is watched -------------------------------------------------------------------- */

static struct file *file_of(int fd)
{
	find_real();
	return disk.control && fd >= 0 && fd < FD_MAX ? disk.by_fd[fd] : NULL;
}

static bool is_meant(const char *name)
{
	size_t len = strlen(name), only_len = strnlen(disk.control->only, 31);

	return len >= only_len && strcmp(name + len - only_len, disk.control->only) == 0;
}

static int refuse(int error)
{
	disk.control->refusals++;
	errno = error;
	return -1;
}

static bool fails(const struct file *file, int error)
{
	return error != 0 && is_meant(file->name);
}

static void watch(int fd, const char *name)
{
	struct stat stat_;
	struct file *file = disk.files;

	if (fd >= FD_MAX || fstat(fd, &stat_) != 0 || !S_ISREG(stat_.st_mode))
		return;
	while (file < disk.files + disk.file_count && file->inode != stat_.st_ino)
		file++;
	if (file == disk.files + FILES_MAX)
		abort();
	if (file == disk.files + disk.file_count) {
		disk.file_count++;
		file->inode = stat_.st_ino;
		file->allocated = 0;
	}
	if (file->allocated < stat_.st_size || file->allocated == 0)
		file->allocated = stat_.st_blocks * 512;
	strncpy(file->name, name, sizeof(file->name) - 1);
	disk.by_fd[fd] = file;
}

static off_t whole_blocks(off_t bytes)
{
	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* Is there a block for each byte up to end, or can there be? */
static bool allocate(struct file *file, off_t end)
{
	off_t more = whole_blocks(end) - file->allocated;

	if (more <= 0)
		return true;
	if (disk.control->is_full && is_meant(file->name)) {
		if (more > disk.control->free_bytes)
			return false;
		disk.control->free_bytes -= more;
	}
	file->allocated += more;
	return true;
}

/* ---- opening ---------------------------------------------------------------------------- */

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
	bool is_watched, may_write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
	const char *name = path + disk.folder_len + 1;
	int fd;

	find_real();
	is_watched = disk.control && strncmp(path, disk.folder, disk.folder_len) == 0 &&
		     path[disk.folder_len] == '/' && !strchr(name, '/');
	if (is_watched && may_write && disk.control->write_errno == EROFS && is_meant(name))
		return refuse(EROFS);
	fd = real_openat(dir, path, flags, mode);
	if (fd >= 0 && is_watched) {
		pthread_mutex_lock(&disk.lock);
		watch(fd, name);
		pthread_mutex_unlock(&disk.lock);
	}
	return fd;
}

#define OPEN(name)                                                                         \
	int name(const char *path, int flags, ...)                                         \
	{                                                                                  \
		va_list args;                                                              \
		mode_t mode;                                                               \
                                                                                           \
		va_start(args, flags);                                                     \
		mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(args, unsigned) : 0; \
		va_end(args);                                                              \
		return open_any(AT_FDCWD, path, flags, mode);                              \
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
		disk.by_fd[fd] = NULL;
	return real_close(fd);
}

/* ---- contents --------------------------------------------------------------------------- */

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	struct file *file = file_of(fd);
	ssize_t wrote = -1;

	if (!file)
		return real_pwrite(fd, data, len, offset);
	pthread_mutex_lock(&disk.lock);
	if (fails(file, disk.control->write_errno))
		refuse(disk.control->write_errno);
	else if (!allocate(file, offset + (off_t)len))
		refuse(ENOSPC);
	else
		wrote = real_pwrite(fd, data, len, offset);
	pthread_mutex_unlock(&disk.lock);
	return wrote;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t wrote;
	off_t at;

	if (!file_of(fd))
		return real_write(fd, data, len);
	at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
	wrote = pwrite(fd, data, len, at);
	if (wrote > 0)
		lseek(fd, at + wrote, SEEK_SET);
	return wrote;
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	struct file *file = file_of(fd);

	if (file && fails(file, disk.control->read_errno))
		return refuse(disk.control->read_errno);
	return real_pread(fd, data, len, offset);
}

ssize_t pread64(int fd, void *data, size_t len, off_t offset)
{
	return pread(fd, data, len, offset);
}

int ftruncate(int fd, off_t size)
{
	struct file *file = file_of(fd);
	int status = -1;

	if (!file)
		return real_ftruncate(fd, size);
	pthread_mutex_lock(&disk.lock);
	if (fails(file, disk.control->write_errno))
		refuse(disk.control->write_errno);
	else
		status = real_ftruncate(fd, size);
	if (status == 0 && whole_blocks(size) < file->allocated) {
		if (disk.control->is_full && !disk.control->is_greedy)
			disk.control->free_bytes += file->allocated - whole_blocks(size);
		file->allocated = whole_blocks(size);
	}
	pthread_mutex_unlock(&disk.lock);
	return status;
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	struct file *file = file_of(fd);
	int status = -1;

	if (!file)
		return real_fallocate(fd, mode, offset, len);
	pthread_mutex_lock(&disk.lock);
	if (fails(file, disk.control->write_errno))
		refuse(disk.control->write_errno);
	else if (fails(file, disk.control->allocate_errno))
		refuse(disk.control->allocate_errno);
	else if (!allocate(file, offset + len))
		refuse(ENOSPC);
	else
		status = real_fallocate(fd, mode, offset, len);
	pthread_mutex_unlock(&disk.lock);
	return status;
}

int fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t offset, off_t len)
{
	return posix_fallocate(fd, offset, len);
}

/* ---- syncs ------------------------------------------------------------------------------ */

int fsync(int fd)
{
	struct file *file = file_of(fd);

	if (file && fails(file, disk.control->sync_errno))
		return refuse(disk.control->sync_errno);
	return real_fsync(fd);
}

int fdatasync(int fd)
{
	struct file *file = file_of(fd);

	if (file && fails(file, disk.control->sync_errno))
		return refuse(disk.control->sync_errno);
	return real_fdatasync(fd);
}
