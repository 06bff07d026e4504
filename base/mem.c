#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

/* Without stdio: it might want memory. */
void mem_give_up(size_t size)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "out of memory: %zu bytes wanted\n", size);

	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		_exit(1); /* nobody listens; the status says it too */
	_exit(1);
}

void *mem_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		mem_give_up(size);
	return memory;
}

void *mem_array(size_t count, size_t item_size)
{
	size_t size;

	if (__builtin_mul_overflow(count, item_size, &size))
		mem_give_up(SIZE_MAX);
	return mem_alloc(size);
}

void *mem_grow(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		mem_give_up(size);
	return memory;
}

char *mem_strdup(const char *text)
{
	return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

void mem_free(void *memory)
{
	free(memory);
}

bool mem_str_set(char *to, size_t to_size, const char *text)
{
	size_t len = strlen(text);
	size_t fits = utf8_fit(text, len, to_size - 1);

	memcpy(to, text, fits);
	to[fits] = '\0';
	return fits == len;
}
