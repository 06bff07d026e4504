/* loop.h - one thread's event loop: descriptors, timers, signals, work put elsewhere.
 *
 * libuv underneath; nothing outside net/ knows. Everything here is for the thread that runs the
 * loop, except wake_send(). Objects are created and destroyed explicitly; a destroyed object
 * calls nobody back, and it may be destroyed inside its own callback (the memory goes at the end
 * of the turn). Nothing on the loop thread may block: no files, no name look-ups. */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct loop;
struct timer;
struct watch;
struct hook;
struct wake;
struct signal_watch;

struct loop *loop_create(void);
void loop_destroy(struct loop *loop); /* all its objects must be destroyed before; NULL is fine */
void loop_run(struct loop *loop);     /* until loop_stop() */
void loop_stop(struct loop *loop);
bool loop_is_mine(const struct loop *loop); /* called on the loop's thread (or not yet running)? */
struct mono loop_now(struct loop *loop);    /* read once a turn */
void *loop_uv(struct loop *loop);           /* the uv_loop_t, for net/ only */

/* fn(arg) at the end of this turn, after every callback in progress has returned. */
void loop_later(struct loop *loop, void (*fn)(void *arg), void *arg);
void loop_free_later(struct loop *loop, void *memory); /* mem_free() at the end of the turn */

/* Not timer_create(): POSIX has that name. Never fires before its time. */
struct timer *loop_timer_create(struct loop *loop, void (*fn)(void *arg), void *arg);
void timer_start(struct timer *timer, int64_t after_ms); /* once; replaces an earlier start */
void timer_start_at(struct timer *timer, struct mono deadline); /* "never" stops it */
void timer_stop(struct timer *timer);
bool timer_is_running(const struct timer *timer);
void timer_destroy(struct timer *timer); /* NULL is fine */

/* Readiness of a descriptor; the watch does not own it, and must be destroyed (or set to 0)
 * before the descriptor is closed or handed on, in the same callback. */
#define WATCH_READ       1u
#define WATCH_WRITE      2u
#define WATCH_DISCONNECT 4u
struct watch *watch_create(struct loop *loop, int fd, void (*fn)(void *arg, unsigned events),
			   void *arg);
void watch_set(struct watch *watch, unsigned events); /* 0: none */
void watch_destroy(struct watch *watch);              /* NULL is fine */

/* fn once a turn, after timers and events, just before the loop would sleep. */
struct hook *hook_create(struct loop *loop, void (*fn)(void *arg), void *arg);
void hook_destroy(struct hook *hook);

/* fn on the loop thread some time after wake_send(); several sends may make one call. */
struct wake *wake_create(struct loop *loop, void (*fn)(void *arg), void *arg);
void wake_send(struct wake *wake); /* any thread, while the wake exists */
void wake_destroy(struct wake *wake);

struct signal_watch *signal_create(struct loop *loop, int signum, void (*fn)(void *arg, int signum),
				   void *arg);
void signal_destroy(struct signal_watch *signal);

/* work(arg) on a pool thread, then done(arg) on the loop thread. There is no cancelling: arg must
 * live until done. For what is slow and rare: key derivation. */
void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg);
#endif
