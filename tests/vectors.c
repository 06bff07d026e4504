/* vectors - runs the signing vectors of a folder: every case of its five files.
 *
 * Prints a line for each failure, a sum for each file, and last "N passed, N failed". Exit 1 if
 * anything failed, or if a file is missing or has no cases. Not part of the daemon. */
#include "tests/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"

#define VALUE_MAX 65536 /* bytes of the longest value */

bool vectors_fail(struct run *run, const char *format, ...)
{
	va_list args;

	run->has_failed = true;
	printf("FAIL %s %s: ", run->file, run->id);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return false;
}

const char *vectors_text(struct run *run, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	if (!text)
		vectors_fail(run, "no text under \"%s\"", name);
	return text ? text : "";
}

size_t vectors_bytes(struct run *run, const json_t *object, const char *name, void *bytes,
		     size_t room)
{
	const char *hex = vectors_text(run, object, name);
	size_t len = 0;

	if (!hex_decode(hex, strlen(hex), bytes, room, &len))
		vectors_fail(run, "\"%s\" is not hex of at most %zu bytes", name, room);
	return len;
}

bool vectors_check(struct run *run, const json_t *object, const char *name, const void *bytes,
		   size_t len)
{
	static uint8_t wanted[VALUE_MAX];
	size_t wanted_len = vectors_bytes(run, object, name, wanted, sizeof(wanted));

	if (run->has_failed)
		return false;
	if (len != wanted_len || (len > 0 && memcmp(bytes, wanted, len) != 0))
		return vectors_fail(run, "\"%s\" is another", name);
	return true;
}

enum expect vectors_expect(struct run *run, const json_t *item)
{
	static const char *const words[] = { "ok", "refuse", "either" };
	const char *word = vectors_text(run, item, "expect");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum expect)i;
	vectors_fail(run, "expects neither \"ok\" nor \"refuse\" nor \"either\"");
	return EXPECT_EITHER;
}

void vectors_each(struct run *run, const json_t *array, vectors_case_fn *body, void *arg)
{
	size_t i;
	const json_t *item;

	json_array_foreach(array, i, item)
	{
		run->id = json_string_value(json_object_get(item, "id"));
		if (!run->id)
			run->id = json_string_value(json_object_get(item, "name"));
		if (!run->id)
			run->id = "without a name";
		run->has_failed = false;
		body(run, item, arg);
		if (run->has_failed)
			run->failed++;
		else
			run->passed++;
	}
}

static void run_file(const char *dir, const char *name, const char *format,
		     void (*body)(struct run *run, const json_t *root), struct run *total)
{
	struct run run = { .file = name, .id = "as a whole" };
	struct buf path;
	json_error_t why;
	json_t *root;

	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s", dir, name);
	root = json_load_file(buf_str(&path), JSON_ALLOW_NUL, &why);
	if (!root)
		vectors_fail(&run, "cannot be read: %s", why.text);
	else if (json_array_size(json_object_get(root, "cases")) == 0)
		vectors_fail(&run, "has no cases");
	else if (strcmp(vectors_text(&run, root, "format"), format) != 0)
		vectors_fail(&run, "is not of format %s", format);
	if (run.has_failed)
		run.failed++;
	else
		body(&run, root);
	printf("%s: %zu passed, %zu failed\n", name, run.passed, run.failed);
	total->passed += run.passed;
	total->failed += run.failed;
	json_decref(root);
	buf_fini(&path);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		const char *format;
		void (*body)(struct run *run, const json_t *root);
	} files[] = {
		{ "decrypt.json", "order-signing-vectors/decrypt/1", vectors_decrypt },
		{ "bech32.json", "order-signing-vectors/bech32/1", vectors_bech32 },
		{ "derivation.json", "order-signing-vectors/derivation/1", vectors_derivation },
		{ "signing.json", "order-signing-vectors/signing/1", vectors_signing },
		{ "malformed.json", "order-signing-vectors/malformed/1", vectors_malformed },
	};
	struct run total = { 0 };
	struct err err;
	bool is_locked;

	if (argc != 2) {
		fprintf(stderr, "usage: vectors DIR\n");
		return 2;
	}
	if (!secret_init(&is_locked, &err)) {
		fprintf(stderr, "vectors: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		run_file(argv[1], files[i].name, files[i].format, files[i].body, &total);
	printf("%zu passed, %zu failed\n", total.passed, total.failed);
	return total.failed > 0;
}
