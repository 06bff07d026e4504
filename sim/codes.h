/* codes.h - the exchange's refusals: the one list of its error codes.
 *
 * Numbers and messages (their typing errors included) are those of the exchange's status-code
 * page. On the wire nearly all of them came with HTTP 400 whatever the specification declares;
 * the third column is what is declared, for the switch of that name. */
#ifndef SIM_CODES_H
#define SIM_CODES_H
#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

/* X(name, code, declared HTTP status, message) */
#define EXCHANGE_CODES(X)                                                                 \
	X(INVALID, 4000, 422, "Invalid request data")                                     \
	X(UNAUTHORIZED, 4010, 401, "Unauthorized access")                                 \
	X(BALANCE, 4050, 422, "Insufficient balance to place order")                      \
	X(TOO_SMALL, 4100, 422, "Order size must be at least 5 ADA")                      \
	X(PRICE_ZERO, 4101, 422, "Order price must be greater than 0")                    \
	X(PRICE_PLACES, 4102, 422, "Price must have at most 4 decimal places")            \
	X(QUANTITY_PLACES, 4103, 422, "Quantity must have at most 4 decimal places")      \
	X(WOULD_MATCH, 4104, 422, "Post-only order would match with existing orders")     \
	X(POST_ONLY_TYPE, 4105, 422, "Post-only flag can only be used with limit orders") \
	X(SYMBOL, 4106, 422, "Invalid trading pair symbol")                               \
	X(QUANTITY_ZERO, 4107, 422, "Order quantity must be greater than 0")              \
	X(SLIPPAGE, 4108, 422, "Max slippage basis point must be between 0 and 10000")    \
	X(LIQUIDITY, 4109, 422, "Insufficient liquidity to execute market order")         \
	X(OPEN_ORDERS, 4110, 422, "Maximum number of open orders exceeded")               \
	X(PRICE_HIGH, 4111, 422, "Order price is above the limit of this market")         \
	X(PRICE_LOW, 4112, 422, "Order price is below the limit of this market")          \
	X(NO_ORDER, 4200, 404, "Order not found")                                         \
	X(NOT_OPEN, 4201, 422, "Order is not open")                                       \
	X(ORDER_STATE, 4202, 422, "Order state invalid")                                  \
	X(RATE, 4290, 429, "Rate limit exceeded, please try again later")                 \
	X(TX_EXPIRED, 4300, 422, "Transaction expired, please build again")               \
	X(TX_SPENT, 4301, 422, "UTxO has already been spent")                             \
	X(TX_TWICE, 4302, 422, "Transaction has already been submitted")                  \
	X(NO_USER, 4400, 404, "User not found")                                           \
	X(NO_TX, 4402, 404, "Transaction not found")                                      \
	X(RECORD_STATUS, 4404, 422, "Invalid status parameter")                           \
	X(INTERVAL, 4405, 422, "Invalid interval parameter")                              \
	X(NO_OPKEY, 4406, 422, "Account is missing required operation key")               \
	X(UNSIGNED, 4407, 422, "Failed to sign transaction")                              \
	X(INTERNAL, 5000, 500, "Internal Server Error")                                   \
	X(RESOURCES, 5001, 500, "System resources temporarily unavailable")               \
	X(LOCKED, 5002, 500, "Trading is currently locked")

/* The answer of everything that can be refused; CODE_DONE is 0. */
enum code {
	CODE_DONE = 0,
#define X(name, number, declared, message) CODE_##name = number,
	EXCHANGE_CODES(X)
#undef X
};

const char *code_message(int code); /* "" for a number that is not in the list */

/* As seen in practice: 401 for 4010, 429 for 4290, else 400; or as declared. */
int code_status(int code, bool as_declared);
#endif
