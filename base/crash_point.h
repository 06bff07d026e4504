/* crash_point.h - named places at which `make crash` lets the daemon die.
 *
 * In a build without CRASH_POINTS all of this expands to nothing. With it, each place leaves its
 * name in the program itself, so that the list (DELTAGATE_CRASH_LIST=1 deltagated) cannot forget
 * one, and DELTAGATE_CRASH_AT=name or name:nth ends the process there with SIGKILL, the nth time
 * it is passed. What stands behind the macros is tests/crash/points.c; any thread.
 *
 * A request has three: before it leaves, after it left, after its answer came. The second one is
 * in net/, which does not know whose request it is: CRASH_POINT_LEFT(), just before the request is
 * made, names it, and the two CRASH_FETCH_ macros carry the name along. */
#ifndef BASE_CRASH_POINT_H
#define BASE_CRASH_POINT_H
#ifdef CRASH_POINTS

struct journal_write;
struct list;

struct crash_point {
	const char *name;
};
#define CRASH_POINT_LISTED __attribute__((section("crash_points"), used, aligned(8)))

void crash_point_pass(const char *name);
void crash_point_leaves_next(const char *name);
void crash_point_fetch_begun(const void *fetch);
void crash_point_fetch_leaves(const void *fetch);
void crash_point_fetch_left(void);
/* The points of a write are named by what is in it: journal.<what>.<stage>. */
void crash_point_write(const struct journal_write *write, const char *stage);
void crash_point_group(const struct list *jobs, const char *stage);

#define CRASH_POINT_DO(fn, word)                                                 \
	do {                                                                     \
		static struct crash_point CRASH_POINT_LISTED here_ = { (word) }; \
		fn(here_.name);                                                  \
	} while (0)
#define CRASH_POINT(word)         CRASH_POINT_DO(crash_point_pass, word)
#define CRASH_POINT_LEFT(word)    CRASH_POINT_DO(crash_point_leaves_next, word)
#define CRASH_FETCH_BEGUN(fetch)  crash_point_fetch_begun(fetch)
#define CRASH_FETCH_LEAVES(fetch) crash_point_fetch_leaves(fetch)
#define CRASH_FETCH_LEFT()        crash_point_fetch_left()
#define CRASH_WRITE(write, stage) crash_point_write(write, stage)
#define CRASH_GROUP(jobs, stage)  crash_point_group(jobs, stage)
#else
#define CRASH_POINT(word)         ((void)0)
#define CRASH_POINT_LEFT(word)    ((void)0)
#define CRASH_FETCH_BEGUN(fetch)  ((void)0)
#define CRASH_FETCH_LEAVES(fetch) ((void)0)
#define CRASH_FETCH_LEFT()        ((void)0)
#define CRASH_WRITE(write, stage) ((void)0)
#define CRASH_GROUP(jobs, stage)  ((void)0)
#endif
#endif
