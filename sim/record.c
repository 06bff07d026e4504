#include "sim/record.h"

#include <ctype.h>

#include "base/mem.h"

void record_init(struct record *record)
{
	*record = (struct record){ 0 };
	list_init(&record->entries);
}

static void forget(struct record *record, struct record_entry *entry)
{
	list_remove(&entry->node);
	record->count--;
	record->bytes -= entry->body_kept;
	for (size_t i = 0; i < entry->header_count; i++) {
		mem_free(entry->headers[i].name);
		mem_free(entry->headers[i].value);
	}
	mem_free(entry->method);
	mem_free(entry->path);
	mem_free(entry->query);
	mem_free(entry->body);
	mem_free(entry->account);
	mem_free(entry);
}

void record_fini(struct record *record)
{
	struct list_node *node;

	while ((node = list_first(&record->entries)))
		forget(record, CONTAINER_OF(node, struct record_entry, node));
}

void record_clear(struct record *record)
{
	LIST_EACH_SAFE (&record->entries, node) {
		struct record_entry *entry = CONTAINER_OF(node, struct record_entry, node);

		if (entry->state != RECORD_PENDING)
			forget(record, entry);
	}
}

static bool forget_oldest(struct record *record)
{
	LIST_EACH_SAFE (&record->entries, node) {
		struct record_entry *entry = CONTAINER_OF(node, struct record_entry, node);

		if (entry->state == RECORD_PENDING)
			continue;
		forget(record, entry);
		return true;
	}
	return false; /* all are pending */
}

struct record_entry *record_begin(struct record *record, const char *method, const char *path,
				  const char *query, const char *body, size_t body_len)
{
	struct record_entry *entry = mem_alloc(sizeof(*entry));

	while (record->count >= RECORD_KEPT || record->bytes > RECORD_BYTES_MAX)
		if (!forget_oldest(record))
			break;
	entry->seq = ++record->made;
	entry->proto = "http";
	entry->method = mem_strdup(method);
	entry->path = mem_strdup(path);
	entry->query = mem_strdup(query);
	entry->body_kept = body_len < RECORD_BODY_MAX ? body_len : RECORD_BODY_MAX;
	entry->body = mem_strndup(body, entry->body_kept);
	entry->body_len = body_len;
	list_push_back(&record->entries, &entry->node);
	record->count++;
	record->bytes += entry->body_kept;
	return entry;
}

struct record_entry *record_find(const struct record *record, uint64_t seq)
{
	LIST_EACH (&record->entries, node) {
		struct record_entry *entry = CONTAINER_OF(node, struct record_entry, node);

		if (entry->seq == seq)
			return entry;
	}
	return NULL;
}

void record_add_header(struct record_entry *entry, const char *name, const char *value)
{
	struct record_header *header;

	if (entry->header_count == RECORD_HEADERS_MAX)
		return;
	header = &entry->headers[entry->header_count++];
	header->name = mem_strdup(name);
	header->value = mem_strdup(value);
	for (char *c = header->name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

void record_end(struct record_entry *entry, enum record_state state, int status, int code,
		struct mono now)
{
	entry->state = state;
	entry->status = status;
	entry->code = code;
	entry->ended_mono = now;
}
