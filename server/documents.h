/* documents.h - the files of this repository that the daemon serves, byte for byte: they are in the
 * binary. Any thread. */
#ifndef SERVER_DOCUMENTS_H
#define SERVER_DOCUMENTS_H
#include <stdint.h>

extern const char documents_openapi[]; /* openapi.yaml */
extern const uint64_t documents_openapi_size;
extern const char documents_asyncapi[]; /* schema/asyncapi.yaml */
extern const uint64_t documents_asyncapi_size;
extern const char documents_events_schema[]; /* schema/events.schema.json */
extern const uint64_t documents_events_schema_size;
extern const char documents_dashboard[]; /* server/dashboard.html */
extern const uint64_t documents_dashboard_size;
#endif
