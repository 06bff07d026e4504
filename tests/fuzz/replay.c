/* replay FILE|FOLDER... - gives files to a fuzz target, without a fuzzer: so that what was once
 * found stays found, with any compiler. Prints each name before it is tried: the last one is the
 * culprit when the target crashes. A target must take any bytes, so it gets the others' corpora
 * as well. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_MAX 1048576

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

struct tally {
	size_t passed;
	size_t failed; /* could not be read */
};

static void fail(struct tally *tally, const char *path, const char *why)
{
	printf("FAIL %s: %s\n", path, why);
	tally->failed++;
}

/* In memory of exactly its size, so that reading past the end is seen. */
static void try_file(struct tally *tally, const char *path, int fd, size_t size)
{
	uint8_t *bytes = mem_alloc(size);

	if (read(fd, bytes, size) != (ssize_t)size) {
		fail(tally, path, "cannot be read");
	} else {
		printf("%s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput(bytes, size);
		tally->passed++;
	}
	mem_free(bytes);
}

static void try_path(struct tally *tally, const char *path);

static void try_folder(struct tally *tally, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	if (count < 0)
		fail(tally, path, "cannot be listed");
	for (int i = 0; i < count; i++) {
		char inner[4096];

		snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			try_path(tally, inner);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void try_path(struct tally *tally, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		fail(tally, path, "cannot be opened");
	else if (S_ISDIR(info.st_mode))
		try_folder(tally, path);
	else if (info.st_size > FILE_MAX)
		fail(tally, path, "is too long");
	else
		try_file(tally, path, fd, (size_t)info.st_size);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct tally tally = { 0 };

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		try_path(&tally, argv[i]);
	printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
	return tally.failed > 0 || tally.passed == 0;
}
