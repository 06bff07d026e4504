#include "server/documents.h"

/* Paths are from where the compiler runs: the root. */
__asm__(".pushsection .rodata\n"
	".global documents_openapi, documents_openapi_size\n"
	".hidden documents_openapi, documents_openapi_size\n"
	"documents_openapi:\n"
	"	.incbin \"openapi.yaml\"\n"
	"1:\n"
	"	.byte 0\n"
	"	.balign 8\n"
	"documents_openapi_size:\n"
	"	.8byte 1b - documents_openapi\n"
	".popsection\n");
