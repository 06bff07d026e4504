#include "net/farewell.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/patience.h"

#define FAREWELL_MS    2000
#define FAREWELLS_MAX  256 /* at a time; more are closed at once */
#define DRAIN_MAX      (1 << 20)
#define DRAIN_PER_TURN 65536

struct farewells {
	struct loop *loop;
	struct patience *patience;
	struct list list;
	size_t count;
};

struct farewell {
	struct list_node node;
	struct farewells *farewells;
	struct watch *watch;
	struct patient patient;
	size_t drained;
	int fd;
};

static void farewell_end(struct farewell *farewell)
{
	patient_done(&farewell->patient);
	watch_destroy(farewell->watch);
	close(farewell->fd);
	list_remove(&farewell->node);
	farewell->farewells->count--;
	loop_free_later(farewell->farewells->loop, farewell);
}

static void on_readable(void *arg, unsigned events)
{
	struct farewell *farewell = arg;
	char away[4096];
	ssize_t len = 1;

	(void)events;
	for (size_t turn = 0; turn < DRAIN_PER_TURN && len > 0; turn += sizeof(away)) {
		len = recv(farewell->fd, away, sizeof(away), MSG_DONTWAIT);
		if (len > 0)
			farewell->drained += (size_t)len;
	}
	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR) ||
	    farewell->drained > DRAIN_MAX)
		farewell_end(farewell);
}

static void on_late(struct patient *patient)
{
	farewell_end(CONTAINER_OF(patient, struct farewell, patient));
}

struct farewells *farewells_create(struct loop *loop)
{
	struct farewells *farewells = mem_alloc(sizeof(*farewells));

	farewells->loop = loop;
	farewells->patience = patience_create(loop, FAREWELL_MS, on_late);
	list_init(&farewells->list);
	return farewells;
}

void farewells_destroy(struct farewells *farewells)
{
	struct list_node *node;

	if (!farewells)
		return;
	while ((node = list_first(&farewells->list)))
		farewell_end(CONTAINER_OF(node, struct farewell, node));
	patience_destroy(farewells->patience);
	loop_free_later(farewells->loop, farewells);
}

void farewell_say(struct farewells *farewells, int fd, const void *bytes, size_t len)
{
	struct farewell *farewell;

	send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (shutdown(fd, SHUT_WR) != 0 || farewells->count == FAREWELLS_MAX) {
		close(fd);
		return;
	}
	farewell = mem_alloc(sizeof(*farewell));
	farewell->farewells = farewells;
	farewell->fd = fd;
	farewell->watch = watch_create(farewells->loop, fd, on_readable, farewell);
	patient_init(&farewell->patient);
	patient_wait(&farewell->patient, farewells->patience);
	list_push_back(&farewells->list, &farewell->node);
	farewells->count++;
	watch_set(farewell->watch, WATCH_READ);
}
