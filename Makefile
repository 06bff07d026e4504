# deltagate. People use: all run test chaos soak soak-reconcile crash asan tsan fuzz bench lint cover install clean.
# Objects go to $(BUILD); every .c file is found by its folder. V=1 shows the commands.
BUILD    ?= build
CC       := $(if $(filter default,$(origin CC)),gcc,$(CC))
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
PYTHON   := /usr/bin/python3
PKGS     := libuv libmicrohttpd libwebsockets libcurl jansson libsodium sqlite3 libcrypto yaml-0.1
WARNINGS := -Wall -Wextra -Werror -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef \
	    -Wformat=2 -Wvla -Wconversion -Wno-sign-conversion
HARDEN   ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LANGUAGE  = -std=gnu11 -I. -D_GNU_SOURCE $(PKG_CFLAGS)
DG_CFLAGS = $(LANGUAGE) -pthread -fPIE $(WARNINGS) $(HARDEN) $(CFLAGS) $(SAN)
DG_LDFLAGS = -pie -Wl,-z,relro,-z,now -pthread $(SAN) $(LDFLAGS)
Q        := $(if $(V),,@)

# What runs when no target is named.
.PHONY: all
all:

# One compiler a processor, unless the command line says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --no-print-directory -j$(shell nproc)
endif
# `make clean all` means one after the other.
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
.DELETE_ON_ERROR:
.PHONY: FORCE
FORCE:

# ---- Debian packages, before anything else: make remakes what it includes, then starts over ----
DEPS_run   := run
DEPS_test  := run test
DEPS_units := test
DEPS_chaos := run test
DEPS_soak-reconcile := run test
DEPS_soak  := run test
DEPS_asan  := run test
DEPS_tsan  := run test
DEPS_fuzz  := fuzz
DEPS_lint  := lint test
DEPS_cover := run test cover
DEPS_bench := run test bench
DEPS_crash := run test
DEPS       := $(sort build $(foreach goal,$(MAKECMDGOALS),$(DEPS_$(goal))))
GOALS      := $(or $(MAKECMDGOALS),all)

ifneq ($(filter-out clean fresh,$(GOALS)),)
include $(BUILD)/packages.mk
endif
$(BUILD)/packages.mk: FORCE
	@tests/install-deps.sh $(DEPS)
	@mkdir -p $(@D)
	@cflags=$$(pkg-config --cflags $(PKGS)) && libs=$$(pkg-config --libs $(PKGS)) && \
		printf 'PKG_CFLAGS := %s\nPKG_LIBS := %s\n' "$$cflags" "$$libs" >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# ---- Libraries and programs ----
sources   = $(filter-out %_test.c,$(wildcard $(1)/*.c))
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
BASE_OBJ := $(call objects,$(call sources,base))
NET_OBJ  := $(call objects,$(call sources,net))
CLI_OBJ  := $(call objects,$(call sources,cli))
SIM_OBJ  := $(call objects,$(call sources,sim))
LIB_OBJ  := $(call objects,$(call sources,client))
SRV_OBJ  := $(call objects,$(call sources,server))
FOLDERS  := base net client server sim cli
UNITS    := $(patsubst %.c,$(BUILD)/unit/%,$(wildcard $(addsuffix /*_test.c,$(FOLDERS))))
PROGRAMS := $(addprefix $(BUILD)/,deltagated deltagate deltasim)

all: $(PROGRAMS)

# Other flags mean other objects, and a file that came or went means another archive: both are
# written down, and the note is touched only when it changes.
note = mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
$(BUILD)/flags: FORCE
	@$(call note,$(CC) $(DG_CFLAGS) $(DG_LDFLAGS))
$(BUILD)/obj/%/files: FORCE
	@$(call note,$(sort $(call sources,$*)))

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(DG_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libbase.a: $(BASE_OBJ) $(BUILD)/obj/base/files
$(BUILD)/libnet.a: $(NET_OBJ) $(BUILD)/obj/net/files
$(BUILD)/libdeltadefi.a: $(LIB_OBJ) $(BUILD)/obj/client/files
$(BUILD)/libserver.a: $(filter-out $(BUILD)/obj/server/main.o,$(SRV_OBJ)) $(BUILD)/obj/server/files
$(BUILD)/libsim.a: $(filter-out $(BUILD)/obj/sim/main.o,$(SIM_OBJ)) $(BUILD)/obj/sim/files
$(BUILD)/libcli.a: $(filter-out $(BUILD)/obj/cli/main.o,$(CLI_OBJ)) $(BUILD)/obj/cli/files
$(BUILD)/%.a:
	@echo "  AR   $@"
	@rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

# ---- Migrations: embedded in the daemon; schema/journal.sql is what they add up to ----
MIGRATIONS := $(sort $(wildcard migrations/[0-9]*.sql))
$(BUILD)/obj/migrations/files: FORCE
	@$(call note,$(MIGRATIONS))
$(BUILD)/gen/migrations.c: migrations/embed.sh $(MIGRATIONS) $(BUILD)/obj/migrations/files
	@mkdir -p $(@D)
	@echo "  GEN  $@"
	$(Q)migrations/embed.sh $(MIGRATIONS) >$@
$(BUILD)/obj/gen/migrations.o: $(BUILD)/gen/migrations.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(DG_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/libserver.a: $(BUILD)/obj/gen/migrations.o
# The API's documents likewise, by the assembler: the compiler does not see them.
$(BUILD)/obj/server/documents.o: openapi.yaml schema/asyncapi.yaml schema/events.schema.json \
	server/dashboard.html

# After a new migration; journal_test compares.
.PHONY: schema
schema:
	@(echo "-- The journal's tables and views after all migrations. Made by make schema."; \
	  cat $(MIGRATIONS) schema/dump.sql | sqlite3 -batch :memory:) >schema/journal.sql

LIBS_base   = $(BUILD)/libbase.a
LIBS_net    = $(BUILD)/libnet.a $(LIBS_base)
LIBS_client = $(BUILD)/libdeltadefi.a $(LIBS_net)
LIBS_server = $(BUILD)/libserver.a $(LIBS_client)
LIBS_sim    = $(BUILD)/libsim.a $(LIBS_net)
LIBS_cli    = $(BUILD)/libcli.a $(LIBS_net)

define LINK
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(DG_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) -lm
endef

$(BUILD)/deltagated: $(BUILD)/obj/server/main.o $(LIBS_server)
	$(LINK)
$(BUILD)/deltasim: $(BUILD)/obj/sim/main.o $(LIBS_sim)
	$(LINK)
$(BUILD)/deltagate: $(BUILD)/obj/cli/main.o $(LIBS_cli)
	$(LINK)
$(BUILD)/vectors: $(call objects,$(wildcard tests/vectors*.c)) $(LIBS_client)
	$(LINK)

# A unit test x_test.c links the libraries of its folder.
.SECONDEXPANSION:
$(UNITS): $(BUILD)/unit/%: $(BUILD)/obj/%.o $$(LIBS_$$(word 1,$$(subst /, ,$$*)))
	$(LINK) -lcmocka

# ---- Fuzzing: a target tests/fuzz/fuzz_x.c for each parser, its corpus in tests/fuzz/corpus/x ----
# A target links $(LIBS_fuzz_x) if that is set, else what client/ needs. With any compiler it
# becomes replay_x, which tries the corpora once and is part of `make test`; `make fuzz` lets
# libFuzzer search each for SECONDS. What it finds belongs into the corpus.
SECONDS  ?= 60
FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
LIBS_fuzz_config = $(LIBS_server)
LIBS_fuzz_json = $(LIBS_server)
LIBS_fuzz_message = $(LIBS_server)
LIBS_fuzz_sse = $(LIBS_cli)
REPLAYS  := $(addprefix $(BUILD)/fuzz/replay_,$(FUZZ))
FUZZERS  := $(addprefix $(BUILD)/fuzz/fuzz_,$(FUZZ))

$(REPLAYS): $(BUILD)/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o \
		$(BUILD)/obj/tests/fuzz/replay.o $$(or $$(LIBS_fuzz_$$*),$$(LIBS_client))
	$(LINK)
$(FUZZERS): $(BUILD)/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o \
		$$(or $$(LIBS_fuzz_$$*),$$(LIBS_client))
	$(LINK) -fsanitize=fuzzer

.PHONY: fuzz fuzzers
fuzzers: $(FUZZERS)
fuzz:
	@$(MAKE) BUILD=$(BUILD)/clang CC=clang-14 HARDEN= WARNINGS= CFLAGS="-O1 -g" \
		SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" fuzzers
	@cd $(BUILD)/clang && for name in $(FUZZ); do mkdir -p grown/$$name && \
		setarch --addr-no-randomize fuzz/fuzz_$$name -max_total_time=$(SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
			grown/$$name $(CURDIR)/tests/fuzz/corpus/$$name || exit 1; done

# ---- Speed: tests/bench/bench.py, beside what one would use instead ----
BENCH    := $(addprefix $(BUILD)/bench/,bare load sign append crowd fan plain)
MEASURE  := $(call objects,$(addprefix tests/bench/,rounds.c cpu.c dialect.c))

$(BENCH): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(MEASURE) $(LIBS_server)
	$(LINK)

.PHONY: bench
bench: all $(BENCH)
	@DELTAGATE_BUILD=$(BUILD) PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON) tests/bench/bench.py $(BENCH_FLAGS)

# ---- Crashes: tests/crash_matrix.py kills a daemon that has named points to die at ----
# Only files with such points are compiled again; linked first, they replace the library's.
# RUNS random schedules come after the matrix; CRASH_FLAGS as crash_matrix.py --help has them.
RUNS     ?= 2000
CRASH     = $(BUILD)/crash/deltagated $(BUILD)/crash/power.so $(BUILD)/crash/disk.so
BROKEN   := submit_first rebuild
CRASHERS := $(shell grep -l '^.include "base/crash_point.h"' net/*.c server/*.c tests/crash/*.c)
CRASH_OBJ := $(patsubst %.c,$(BUILD)/obj/crash/%.o,$(CRASHERS))
MATRIX    = DELTAGATE_BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/crash_matrix.py

$(BUILD)/obj/crash/%.o: DG_CFLAGS += -DCRASH_POINTS -DCHECKPOINT_IDLE=60
$(BUILD)/obj/crash/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $< (crash)"
	$(Q)$(CC) $(DG_CFLAGS) -MMD -MP -c $< -o $@
$(BUILD)/crash/deltagated: $(CRASH_OBJ) $(BUILD)/obj/server/main.o $(LIBS_server)
	$(LINK)
$(BUILD)/crash/%.so: tests/crash/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(LANGUAGE) $(WARNINGS) -O1 -g -shared -fPIC -o $@ $<
# Broken on purpose, each in one place: place.c and settle.c once more, instead of the others.
$(BUILD)/obj/crash/broken/submit_first/server/place.o: DG_CFLAGS += -DBREAK_SUBMIT_FIRST
$(BUILD)/obj/crash/broken/rebuild/server/settle.o: DG_CFLAGS += -DBREAK_REBUILD
$(BUILD)/crash/submit_first/deltagated: $(BUILD)/obj/crash/broken/submit_first/server/place.o \
		$(filter-out %/place.o,$(CRASH_OBJ))
$(BUILD)/crash/rebuild/deltagated: $(BUILD)/obj/crash/broken/rebuild/server/settle.o \
		$(filter-out %/settle.o,$(CRASH_OBJ))
$(BUILD)/obj/crash/broken/submit_first/%.o $(BUILD)/obj/crash/broken/rebuild/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $< (broken)"
	$(Q)$(CC) $(DG_CFLAGS) -MMD -MP -c $< -o $@
$(BROKEN:%=$(BUILD)/crash/%/deltagated): $(BUILD)/obj/server/main.o $(LIBS_server)
	$(LINK)

.PHONY: crash crash-broken
crash: all $(CRASH) $(BROKEN:%=$(BUILD)/crash/%/deltagated)
	@$(MATRIX) --runs $(RUNS) $(CRASH_FLAGS)
	@$(MATRIX) $(BROKEN:%=--broken %) --broken lying_disk
# The test of the test: what is broken on purpose must be seen.
crash-broken: all $(CRASH) $(BROKEN:%=$(BUILD)/crash/%/deltagated)
	@$(MATRIX) $(BROKEN:%=--broken %) --broken lying_disk

# ---- Running ----
.PHONY: run
run: all
	@exec tests/demo.sh $(BUILD)

# ---- Tests: each ends with one line, N passed, N failed, N skipped ----
.PHONY: units test chaos soak asan tsan cover lint fresh
units: $(UNITS)
	@$(PYTHON) tests/run_tests.py --build $(BUILD) --only units

test: all $(UNITS) $(BUILD)/vectors $(REPLAYS) $(CRASH)
	@$(PYTHON) tests/run_tests.py --build $(BUILD) $(TEST_FLAGS)

# Subscribers of all kinds, a thousand orders, lying streams and a daemon killed thirty times; the
# suite has a short form of it. SEED=N repeats what was random.
chaos: all
	@DELTAGATE_BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -q -s \
		tests/test_stream_chaos.py --full $(if $(SEED),--seed $(SEED))

# Half an hour of trading by several apps under streams that drop, and a reconciliation that must
# find nothing; the suite has a short form of it. SEED=N as above.
SOAK_SECONDS ?= 1800
.PHONY: soak-reconcile
soak-reconcile: all
	@DELTAGATE_BUILD=$(BUILD) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/soak_reconcile.py \
		$(SOAK_SECONDS) $(SEED)

# The daemon killed for MINUTES under load: nothing lost, doubled or untrue. SEED=N likewise.
MINUTES  ?= 10
soak: all
	@DELTAGATE_BUILD=$(BUILD) $(if $(SEED),SEED=$(SEED)) tests/soak.sh $(MINUTES)

# The same suite with other objects, in a folder of their own.
asan:
	@$(MAKE) BUILD=$(BUILD)/asan HARDEN= CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" test
tsan:
	@$(MAKE) BUILD=$(BUILD)/tsan HARDEN= CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SAN="-fsanitize=thread" TEST_FLAGS="--threads" test
cover:
	@$(MAKE) BUILD=$(BUILD)/cover HARDEN= CFLAGS="-O0 -g" SAN="--coverage" test
	@mkdir -p $(BUILD)/cover/report
	@gcovr --root . --exclude '.*_test\.c' --exclude tests/ --print-summary \
		--html-details $(BUILD)/cover/report/index.html $(BUILD)/cover/obj | tail -n 5
	@echo "line by line: $(BUILD)/cover/report/index.html"

lint:
	@$(PYTHON) tests/lint.py --build $(BUILD) -- $(LANGUAGE)

# From nothing: a bare Debian in a folder of its own, as root.
fresh:
	@tests/fresh.sh

# ---- Installing ----
.PHONY: install clean
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/deltagate
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 README.md openapi.yaml $(wildcard schema/*.yaml schema/*.json) schema/journal.sql \
		$(DESTDIR)$(PREFIX)/share/doc/deltagate
	sed 's|/usr/local/bin|$(PREFIX)/bin|' docker/deltagated.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/deltagated.service

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
