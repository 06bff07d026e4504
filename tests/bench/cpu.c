#include "tests/bench/cpu.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/bench/rounds.h"

/* The first number of schedstat, which is more exact than the ticks in stat. */
static int64_t cpu_of_thread(long pid, const char *thread)
{
	char path[320];
	int64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", pid, thread);
	file = fopen(path, "re");
	if (!file)
		return 0; /* it has just ended */
	if (fscanf(file, "%" SCNd64, &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

int64_t cpu_of(long pid)
{
	const struct dirent *entry;
	char path[64];
	int64_t ns = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", pid);
	threads = opendir(path);
	if (!threads)
		rounds_fail("the server has ended");
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			ns += cpu_of_thread(pid, entry->d_name);
	closedir(threads);
	return ns;
}
