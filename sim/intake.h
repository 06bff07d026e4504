/* intake.h - how orders come in: build, its checks, and submit.
 *
 * Checks run in one fixed order, so that a request with several faults gets one certain code.
 * Quantities and prices arrive as exact decimals, not yet checked. */
#ifndef SIM_INTAKE_H
#define SIM_INTAKE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "sim/codes.h"
#include "sim/order.h"

struct exchange;

struct intake {
	char symbol[32];
	enum side side;
	enum order_type type;
	bool has_base, has_quote, has_price, has_slippage, post_only;
	struct decimal base, quote, price;
	char price_text[DECIMAL_TEXT_LEN]; /* as it came */
	int64_t slippage_bp;
	bool has_foreign_payee; /* a fault: see tx_build() */
};

/* CODE_DONE gives an order in status building with its transaction. */
MUST_USE enum code intake_build(struct exchange *x, struct account *account,
				const struct intake *in, struct order **order);

/* CODE_DONE: the order is on its way. *why tells people more than the code does, or is "". */
MUST_USE enum code intake_submit(struct exchange *x, struct account *account, const char *order_id,
				 const uint8_t *signed_tx, size_t len, struct order **order,
				 const char **why);

/* For the simulator's own traders: builds and submits without transaction, delay, minimum size
 * or number limit. */
MUST_USE enum code intake_place(struct exchange *x, struct account *account,
				const struct intake *in, struct order **order);

/* A house order that will take so much of maker (match_one() does it), in status processing; NULL
 * when account cannot be made rich enough. */
struct order *intake_counter(struct exchange *x, struct account *account, const struct order *maker,
			     int64_t base_units);
#endif
