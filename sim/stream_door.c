#include "sim/stream_door.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/front.h"
#include "net/httpd.h"
#include "sim/rest.h"
#include "sim/serve.h"
#include "sim/sim.h"

#define REFUSALS_MAX 256
#define WS_KEY_MAX   64

/* Between the front's question and the request that serve.c gets, told apart by the key that the
 * client drew for its handshake. */
struct refusal {
	struct list_node node;
	struct fault_rule *rule;
	char key[WS_KEY_MAX];
};

struct stream_door {
	struct sim *sim;
	struct list refusals;
	size_t count;
};

struct stream_door *door_create(struct sim *sim)
{
	struct stream_door *door = mem_alloc(sizeof(*door));

	door->sim = sim;
	list_init(&door->refusals);
	return door;
}

static struct fault_rule *take(struct stream_door *door, struct refusal *refusal)
{
	struct fault_rule *rule = refusal->rule;

	list_remove(&refusal->node);
	mem_free(refusal);
	door->count--;
	return rule;
}

static bool forget_oldest(struct stream_door *door)
{
	struct list_node *oldest = list_first(&door->refusals);

	if (oldest)
		faults_release(take(door, CONTAINER_OF(oldest, struct refusal, node)));
	return oldest;
}

void door_destroy(struct stream_door *door)
{
	if (!door)
		return;
	while (forget_oldest(door))
		;
	mem_free(door);
}

/* ---- who may ---- */

static const struct account *account_of(const struct sim *sim, const char *query)
{
	char key[API_KEY_MAX + 1];

	if (!stream_query(query, "api_key", key, sizeof(key)) || !*key)
		return NULL;
	return exchange_account_by_key(sim->exchange, key);
}

/* 0: it may listen. */
static int check(const struct sim *sim, enum stream_path found, const struct stream_name *name,
		 const struct account *account)
{
	bool needs_key = name->kind == STREAM_ACCOUNT || !sim->faults.switches[SWITCH_KEYLESS];

	if (needs_key && !account)
		return CODE_UNAUTHORIZED;
	return found == STREAM_PATH_FOUND ? CODE_DONE : CODE_SYMBOL;
}

bool door_answer(const struct sim *sim, const struct http_request *request, const char *path,
		 struct reply *reply)
{
	struct stream_name name;
	enum stream_path found = stream_find(path, &name);
	int code;

	if (found == STREAM_PATH_OTHER)
		return false;
	code = check(sim, found, &name, account_of(sim, http_query(request)));
	if (code)
		reply_error(reply, code, NULL, false);
	else
		reply_text(reply, 400, "text/plain", "Bad Request");
	if (code == CODE_SYMBOL)
		reply->status = 404;
	return true;
}

/* ---- faults ---- */

static void refuse(struct stream_door *door, struct fault_rule *rule, const char *key)
{
	struct refusal *refusal = mem_alloc(sizeof(*refusal));

	if (door->count >= REFUSALS_MAX)
		forget_oldest(door);
	refusal->rule = rule;
	(void)STR_SET(refusal->key, key ? key : "");
	list_push_back(&door->refusals, &refusal->node);
	door->count++;
}

struct fault_rule *door_take_refusal(struct stream_door *door, const struct http_request *request)
{
	const char *key = http_header(request, "Sec-WebSocket-Key");

	LIST_EACH_SAFE (&door->refusals, node) {
		struct refusal *refusal = CONTAINER_OF(node, struct refusal, node);

		if (key && strcmp(refusal->key, key) == 0)
			return take(door, refusal);
	}
	return NULL;
}

static struct fault_rule *decide(struct stream_door *door, const char *path,
				 const struct door_visit *visit)
{
	char text[STREAM_NAME_LEN];
	const struct fault_request handshake = { .method = "GET",
						 .path = path,
						 .account =
							 visit->account ? visit->account->name : "",
						 .body = "",
						 .stream = stream_print(&visit->name, text),
						 .is_handshake = true };

	return faults_decide(&door->sim->faults, &handshake);
}

/* ---- coming in ---- */

static uint64_t note(struct stream_door *door, const struct upgrade *upgrade,
		     const struct door_visit *visit)
{
	static const char *const headers[] = { "Host",
					       "Origin",
					       "User-Agent",
					       "Authorization",
					       "X-API-KEY",
					       "Sec-WebSocket-Protocol",
					       "Sec-WebSocket-Extensions" };
	struct record_entry *entry = record_begin(&door->sim->record, "GET", upgrade_path(upgrade),
						  upgrade_query(upgrade), "", 0);

	entry->proto = "ws";
	entry->arrived = wall_now();
	entry->arrived_mono = mono_now();
	entry->came_after = sim_came_after(door->sim, entry->arrived_mono);
	entry->state = RECORD_OPEN;
	entry->status = 101;
	entry->account = visit->account ? mem_strdup(visit->account->name) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		const char *value = upgrade_header(upgrade, headers[i]);

		if (value)
			record_add_header(entry, headers[i], value);
	}
	return entry->seq;
}

static size_t limit_of(const char *query)
{
	char text[8];

	if (!stream_query(query, "limit", text, sizeof(text)) ||
	    strspn(text, "0123456789") != strlen(text))
		return 0;
	return strtoul(text, NULL, 10);
}

bool door_admit(struct stream_door *door, const struct upgrade *upgrade, struct door_visit *visit)
{
	struct sim *sim = door->sim;
	char path[SERVE_PATH_MAX];
	enum stream_path found;
	struct fault_rule *rule;

	serve_collapse(upgrade_path(upgrade), path);
	found = stream_find(path, &visit->name);
	visit->account = account_of(sim, upgrade_query(upgrade));
	if (found == STREAM_PATH_OTHER || check(sim, found, &visit->name, visit->account) ||
	    serve_is_restarting(sim))
		return false;
	rule = decide(door, path, visit);
	if (rule) {
		refuse(door, rule, upgrade_header(upgrade, "Sec-WebSocket-Key"));
		return false;
	}
	visit->limit = limit_of(upgrade_query(upgrade));
	visit->record_seq = note(door, upgrade, visit);
	return true;
}
