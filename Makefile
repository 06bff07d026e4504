# deltagate. The targets people use: all run test asan tsan fuzz bench lint cover clean install.
# Objects go to $(BUILD); every .c file is found by its folder.
BUILD    ?= build
CC       ?= gcc
CFLAGS   ?= -O2 -g
PKGS     := libuv libmicrohttpd libwebsockets libcurl jansson libsodium sqlite3 libcrypto yaml-0.1
WARNINGS := -Wall -Wextra -Werror -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef \
	    -Wformat=2 -Wvla -Wconversion -Wno-sign-conversion
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
DG_CFLAGS = -std=gnu11 -I. -D_GNU_SOURCE -pthread $(WARNINGS) $(HARDEN) $(PKG_CFLAGS) $(CFLAGS) $(SAN)
DG_LDFLAGS = -pie -Wl,-z,relro,-z,now -pthread $(SAN) $(LDFLAGS)

ifeq ($(filter clean,$(MAKECMDGOALS)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
endif

lib_srcs  = $(filter-out %_test.c,$(wildcard $(1)/*.c))
objs      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
BASE_OBJ := $(call objs,$(call lib_srcs,base))
NET_OBJ  := $(call objs,$(call lib_srcs,net))
CLI_OBJ  := $(call objs,$(call lib_srcs,cli))
SIM_OBJ  := $(call objs,$(call lib_srcs,sim))
LIB_OBJ  := $(call objs,$(call lib_srcs,client))
SRV_OBJ  := $(call objs,$(call lib_srcs,server))
UNITS    := $(patsubst %.c,$(BUILD)/unit/%,$(wildcard base/*_test.c net/*_test.c client/*_test.c server/*_test.c sim/*_test.c cli/*_test.c))

.PHONY: all
all: $(BUILD)/deltagated $(BUILD)/deltagate $(BUILD)/deltasim

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(DG_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libbase.a: $(BASE_OBJ)
$(BUILD)/libnet.a: $(NET_OBJ)
$(BUILD)/libdeltadefi.a: $(LIB_OBJ)
$(BUILD)/libserver.a: $(filter-out $(BUILD)/obj/server/main.o,$(SRV_OBJ))
$(BUILD)/libsim.a: $(filter-out $(BUILD)/obj/sim/main.o,$(SIM_OBJ))
$(BUILD)/libcli.a: $(filter-out $(BUILD)/obj/cli/main.o,$(CLI_OBJ))
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

LIBS_base   = $(BUILD)/libbase.a
LIBS_net    = $(BUILD)/libnet.a $(LIBS_base)
LIBS_client = $(BUILD)/libdeltadefi.a $(LIBS_net)
LIBS_server = $(BUILD)/libserver.a $(LIBS_client)
LIBS_sim    = $(BUILD)/libsim.a $(LIBS_net)
LIBS_cli    = $(BUILD)/libcli.a $(LIBS_net)

$(BUILD)/deltagated: $(BUILD)/obj/server/main.o $(LIBS_server)
	$(CC) $(DG_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/deltasim: $(BUILD)/obj/sim/main.o $(LIBS_sim)
	$(CC) $(DG_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/deltagate: $(BUILD)/obj/cli/main.o $(LIBS_cli)
	$(CC) $(DG_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/vectors: $(BUILD)/obj/tests/vectors.o $(LIBS_client)
	$(CC) $(DG_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# A unit test x_test.c links the libraries of its folder.
.SECONDEXPANSION:
$(UNITS): $(BUILD)/unit/%: $(BUILD)/obj/%.o $$(LIBS_$$(word 1,$$(subst /, ,$$*)))
	@mkdir -p $(@D)
	$(CC) $(DG_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

.PHONY: units
units: $(UNITS)
	@status=0; for unit in $(UNITS); do ASAN_OPTIONS=handle_segv=2 $$unit || status=1; done; exit $$status

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
