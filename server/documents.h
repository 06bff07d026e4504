/* documents.h - the files of this repository that the daemon serves, byte for byte: they are in the
 * binary. Any thread. */
#ifndef SERVER_DOCUMENTS_H
#define SERVER_DOCUMENTS_H
#include <stddef.h>

extern const char documents_openapi[]; /* openapi.yaml */
size_t documents_openapi_len(void);
#endif
