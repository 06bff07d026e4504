/* codes.h - what the exchange's integer codes and status words mean to us.
 *
 * Decisions are made on the integer code of the body, never on the HTTP status or a text: the
 * exchange answers HTTP 400 to nearly every coded error. Sources: the exchange's status-code
 * page of 2026-01-13 and what was seen on the wire; a code not listed here is classed by its
 * thousand (4xxx refused, 5xxx unknown). */
#ifndef CLIENT_CODES_H
#define CLIENT_CODES_H

/* X(name, word)
 *   REFUSED    definite no; the same request will be refused again
 *   STATE      says something of an order: 4200 to 4202; whoever asked decides what it means
 *   RETRY      not executed, try later
 *   EXPIRED    4300, definite no: the transaction is too old
 *   SPENT      4301: a competing transaction, perhaps our own doubled submit: ask first
 *   DUPLICATE  4302: an earlier submit got through
 *   LOCKED     5002: trading is locked for everyone
 *   RATE       4290: not executed, slow down
 *   AUTH       4010: the API key is refused
 *   UNKNOWN    5000, 5001: on a submit the order may exist; on anything else, try again */
#define DD_CLASSES(X)             \
	X(NONE, "none")           \
	X(REFUSED, "refused")     \
	X(STATE, "state")         \
	X(RETRY, "retry")         \
	X(EXPIRED, "expired")     \
	X(SPENT, "spent")         \
	X(DUPLICATE, "duplicate") \
	X(LOCKED, "locked")       \
	X(RATE, "rate")           \
	X(AUTH, "auth")           \
	X(UNKNOWN, "unknown")

/* X(code, class, message) with the exchange's own message */
#define DD_ERROR_CODES(X)                                                    \
	X(4000, REFUSED, "Invalid request data")                             \
	X(4010, AUTH, "Unauthorized access")                                 \
	X(4050, REFUSED, "Insufficient balance to place order")              \
	X(4100, REFUSED, "Order size must be at least 5 ADA")                \
	X(4101, REFUSED, "Order price must be greater than 0")               \
	X(4102, REFUSED, "Price must have at most 4 decimal places")         \
	X(4103, REFUSED, "Quantity must have at most 4 decimal places")      \
	X(4104, REFUSED, "Post-only order would match with existing orders") \
	X(4105, REFUSED, "Post-only flag only with limit orders")            \
	X(4106, REFUSED, "Invalid trading pair symbol")                      \
	X(4107, REFUSED, "Order quantity must be greater than 0")            \
	X(4108, REFUSED, "Max slippage basis point must be 0 to 10000")      \
	X(4109, REFUSED, "Insufficient liquidity to execute market order")   \
	X(4110, REFUSED, "Maximum number of open orders exceeded")           \
	X(4111, REFUSED, "Price above the limit of this market")             \
	X(4112, REFUSED, "Price below the limit of this market")             \
	X(4200, STATE, "Order not found")                                    \
	X(4201, STATE, "Order is not open")                                  \
	X(4202, STATE, "Order state invalid")                                \
	X(4290, RATE, "Rate limit exceeded")                                 \
	X(4300, EXPIRED, "Transaction expired, please build again")          \
	X(4301, SPENT, "UTxO has already been spent")                        \
	X(4302, DUPLICATE, "Transaction has already been submitted")         \
	X(4400, REFUSED, "User not found")                                   \
	X(4402, REFUSED, "Transaction not found")                            \
	X(4404, REFUSED, "Invalid status parameter")                         \
	X(4405, REFUSED, "Invalid interval parameter")                       \
	X(4406, REFUSED, "Account is missing required operation key")        \
	X(4407, REFUSED, "Failed to sign transaction")                       \
	X(5000, UNKNOWN, "Internal Server Error")                            \
	X(5001, UNKNOWN, "System resources temporarily unavailable")         \
	X(5002, LOCKED, "Trading is currently locked")

/* X(name, word): the six statuses of today and the older vocabulary, one meaning each.
 * FULLY_FILLED, PARTIALLY_FILLED and PARTIALLY_CANCELLED stand in the Python SDK and legacy
 * objects; "canceled" is accepted as CANCELLED. */
#define DD_STATUSES(X)                          \
	X(UNKNOWN, "")                          \
	X(BUILDING, "building")                 \
	X(PROCESSING, "processing")             \
	X(OPEN, "open")                         \
	X(CLOSED, "closed")                     \
	X(CANCELLED, "cancelled")               \
	X(FAILED, "failed")                     \
	X(PARTIALLY_FILLED, "partially_filled") \
	X(FULLY_FILLED, "fully_filled")         \
	X(PARTIALLY_CANCELLED, "partially_cancelled")
#endif
