#include "server/documents.h"

extern const char documents_openapi_end[];

/* Paths are from where the compiler runs: the root. */
__asm__(".pushsection .rodata\n"
	".global documents_openapi\n"
	".hidden documents_openapi\n"
	"documents_openapi:\n"
	"	.incbin \"openapi.yaml\"\n"
	".global documents_openapi_end\n"
	".hidden documents_openapi_end\n"
	"documents_openapi_end:\n"
	"	.byte 0\n"
	".popsection\n");

size_t documents_openapi_len(void)
{
	return (size_t)(documents_openapi_end - documents_openapi);
}
