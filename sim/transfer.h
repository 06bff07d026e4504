/* transfer.h - deposits, withdrawals and transferals, as records only: the simulator moves no
 * funds between layers; /_sim/transfers makes them. Quantities are whole smallest units. */
#ifndef SIM_TRANSFER_H
#define SIM_TRANSFER_H
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "sim/market.h"

struct account;

enum transfer_kind { TRANSFER_DEPOSIT, TRANSFER_WITHDRAWAL, TRANSFER_TRANSFERAL, TRANSFER_KINDS };

struct transfer {
	struct list_node node; /* exchange->transfers, oldest first */
	const struct account *account;
	enum transfer_kind kind;
	struct wall created;
	int64_t units[ASSET_COUNT]; /* 0: not part of it */
	char status[32];
	char tx_hash[65];
	char type[32], direction[16], to_address[128], from_address[128]; /* transferals */
};

const char *transfer_kind_name(enum transfer_kind kind); /* "deposit" ... */
bool transfer_kind_parse(const char *word, enum transfer_kind *kind);
#endif
