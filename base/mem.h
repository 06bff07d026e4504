/* mem.h - allocation that cannot fail.
 *
 * Memory is zeroed and never NULL: running out ends the process with a line on stderr, and the
 * journal makes the restart safe. So every size that comes from outside is bounded before it is
 * allocated. Any thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include <stdbool.h>
#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void *mem_alloc(size_t size); /* zeroed; free with mem_free() */
void *mem_array(size_t count,
		size_t item_size);      /* zeroed; an overflowing product ends the process */
void *mem_grow(void *old, size_t size); /* as realloc: the new part is NOT zeroed */
char *mem_strdup(const char *text);     /* NULL gives NULL */
char *mem_strndup(const char *text, size_t len); /* always terminated */
void mem_free(void *memory);                     /* NULL is fine */

/* Ends the process as the functions above do, for memory that comes from elsewhere. */
__attribute__((noreturn)) void mem_give_up(size_t size);

/* Copies text into a fixed array; true when it fitted whole. Always terminates, and cuts between
 * UTF-8 characters. */
#define STR_SET(array, text) mem_str_set((array), sizeof(array), (text))
bool mem_str_set(char *to, size_t to_size, const char *text);
#endif
