/* documents.h - the files of this repository that the daemon serves, byte for byte: they are in the
 * binary. Any thread. */
#ifndef SERVER_DOCUMENTS_H
#define SERVER_DOCUMENTS_H
#include <stdint.h>

extern const char documents_openapi[]; /* openapi.yaml */
extern const uint64_t documents_openapi_size;
#endif
