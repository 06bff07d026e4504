#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct queue {
	void (*wake)(void *arg); /* these three never change */
	void *arg;
	size_t max;

	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t filled_or_closed;
	struct list items;
	size_t len;
	bool is_closed;
};

struct queue *queue_create(size_t max, void (*wake)(void *arg), void *arg)
{
	struct queue *queue = mem_alloc(sizeof(*queue));
	pthread_condattr_t attr;

	queue->wake = wake;
	queue->arg = arg;
	queue->max = max;
	list_init(&queue->items);
	pthread_mutex_init(&queue->lock, NULL);
	/* The wall clock may jump, a timeout must not. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->filled_or_closed, &attr);
	pthread_condattr_destroy(&attr);
	return queue;
}

void queue_destroy(struct queue *queue)
{
	if (!queue)
		return;
	assert(queue->len == 0);
	pthread_cond_destroy(&queue->filled_or_closed);
	pthread_mutex_destroy(&queue->lock);
	mem_free(queue);
}

static bool push(struct queue *queue, struct list_node *item, bool is_bounded)
{
	bool is_in, was_empty;

	pthread_mutex_lock(&queue->lock);
	was_empty = queue->len == 0;
	is_in = !queue->is_closed && !(is_bounded && queue->len >= queue->max);
	if (is_in) {
		list_push_back(&queue->items, item);
		queue->len++;
		pthread_cond_signal(&queue->filled_or_closed);
	}
	pthread_mutex_unlock(&queue->lock);
	if (is_in && was_empty && queue->wake)
		queue->wake(queue->arg);
	return is_in;
}

bool queue_push(struct queue *queue, struct list_node *item)
{
	return push(queue, item, true);
}

bool queue_push_always(struct queue *queue, struct list_node *item)
{
	return push(queue, item, false);
}

static size_t take_locked(struct queue *queue, struct list *to)
{
	size_t len = queue->len;

	list_move_all(&queue->items, to);
	queue->len = 0;
	return len;
}

size_t queue_take(struct queue *queue, struct list *to)
{
	size_t len;

	pthread_mutex_lock(&queue->lock);
	len = take_locked(queue, to);
	pthread_mutex_unlock(&queue->lock);
	return len;
}

static struct timespec deadline_after_ms(int ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += ms / 1000;
	time.tv_nsec += (long)(ms % 1000) * 1000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000;
	}
	return time;
}

size_t queue_wait(struct queue *queue, struct list *to, int timeout_ms)
{
	struct timespec deadline = deadline_after_ms(timeout_ms < 0 ? 0 : timeout_ms);
	int status = 0;
	size_t len;

	pthread_mutex_lock(&queue->lock);
	while (queue->len == 0 && !queue->is_closed && status != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&queue->filled_or_closed, &queue->lock);
		else
			status = pthread_cond_timedwait(&queue->filled_or_closed, &queue->lock,
							&deadline);
	}
	len = take_locked(queue, to);
	pthread_mutex_unlock(&queue->lock);
	return len;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_closed = true;
	pthread_cond_broadcast(&queue->filled_or_closed);
	pthread_mutex_unlock(&queue->lock);
}

bool queue_is_closed(struct queue *queue)
{
	bool is_closed;

	pthread_mutex_lock(&queue->lock);
	is_closed = queue->is_closed;
	pthread_mutex_unlock(&queue->lock);
	return is_closed;
}

size_t queue_len(struct queue *queue)
{
	size_t len;

	pthread_mutex_lock(&queue->lock);
	len = queue->len;
	pthread_mutex_unlock(&queue->lock);
	return len;
}
