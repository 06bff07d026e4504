/* cpu.h - the processor time of another process. */
#ifndef TESTS_BENCH_CPU_H
#define TESTS_BENCH_CPU_H
#include <stdint.h>

int64_t cpu_of(long pid); /* nanoseconds so far, of all its threads that live */
#endif
