#include "server/documents.h"

/* Paths are from where the compiler runs: the root. */
#define DOCUMENT(symbol, path)                                       \
	__asm__(".pushsection .rodata\n"                             \
		".global " symbol ", " symbol "_size\n"              \
		".hidden " symbol ", " symbol "_size\n" symbol ":\n" \
		"	.incbin \"" path "\"\n"                      \
		"1:\n"                                               \
		"	.byte 0\n"                                         \
		"	.balign 8\n" symbol "_size:\n"               \
		"	.8byte 1b - " symbol "\n"                    \
		".popsection\n")

DOCUMENT("documents_openapi", "openapi.yaml");
DOCUMENT("documents_asyncapi", "schema/asyncapi.yaml");
DOCUMENT("documents_events_schema", "schema/events.schema.json");
DOCUMENT("documents_dashboard", "server/dashboard.html");
