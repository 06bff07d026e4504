/* err_codes.h - the one list of error codes.
 *
 * X(name, word, status, retry, title)
 *   word    stable: apps and scripts match it; append, never rename
 *   status  HTTP status of the local API
 *   retry   never     the same request will fail again
 *           same_key  safe to send again, with the same client_order_id
 *           after     the same request may pass later */
#ifndef BASE_ERR_CODES_H
#define BASE_ERR_CODES_H

/* clang-format off: one code, one line */
#define ERR_CODES(X)                                                                           \
	X(NONE, "none", 200, "never", "No error")                                              \
	/* The request itself. */                                                              \
	X(BAD_REQUEST, "bad-request", 400, "never", "Malformed request")                       \
	X(BAD_JSON, "bad-json", 400, "never", "Malformed JSON")                                \
	X(UNAUTHORIZED, "unauthorized", 401, "never", "Missing or unknown token")              \
	X(SCOPE, "scope-missing", 403, "never", "The token lacks a scope")                     \
	X(FOREIGN_HOST, "foreign-host", 403, "never", "Host not allowed")                      \
	X(FOREIGN_ORIGIN, "foreign-origin", 403, "never", "Origin not allowed")                \
	X(NOT_FOUND, "not-found", 404, "never", "Not found")                                   \
	X(METHOD, "method-not-allowed", 405, "never", "Method not allowed")                    \
	X(ID_CONFLICT, "client-order-id-conflict", 409, "never", "Same id, other order")       \
	X(ORDER_FINAL, "order-final", 409, "never", "The order is final")                      \
	X(BODY_TOO_LARGE, "body-too-large", 413, "never", "Body too large")                    \
	X(URI_TOO_LONG, "uri-too-long", 414, "never", "Request target too long")               \
	X(MEDIA_TYPE, "media-type", 415, "never", "Content-Type must be application/json")     \
	X(UNKNOWN_FIELD, "unknown-field", 422, "never", "Unknown field")                       \
	X(INVALID, "invalid-parameter", 422, "never", "Invalid parameter")                     \
	X(DECIMAL, "bad-decimal", 422, "never", "Not an exact decimal")                        \
	X(RISK, "risk-limit", 422, "never", "Refused by a local rule")                         \
	X(UPGRADE, "upgrade-required", 426, "never", "Upgrade on a fresh connection")          \
	X(HEAD_TOO_LARGE, "head-too-large", 431, "never", "Request head too large")            \
	/* Orders. */                                                                          \
	X(REFUSED, "exchange-refused", 422, "never", "Refused by the exchange")                \
	X(OPKEY_LOCKED, "operation-key-locked", 423, "after", "Operation key locked")          \
	X(BUSY, "too-many-requests", 429, "after", "Too many requests")                        \
	X(QUEUE_FULL, "queue-full", 429, "after", "Order queue full")                          \
	X(EXPIRED, "valid-until-passed", 429, "never", "valid_until would pass in the queue")  \
	X(ORDER_STATE, "order-state", 409, "never", "Move not allowed in this state")          \
	X(NOT_PLACED, "not-placed", 502, "never", "Proven not to be on the book")              \
	/* The exchange and the way to it. */                                                  \
	X(EXCHANGE, "exchange-error", 502, "after", "The exchange failed")                     \
	X(UNREACHABLE, "exchange-unreachable", 502, "after", "The exchange cannot be reached") \
	X(TLS, "tls-verification-failed", 502, "never", "TLS verification failed")             \
	X(EXCHANGE_AUTH, "exchange-unauthorized", 502, "after",                                \
	  "The exchange refused the API key")                                                  \
	X(EXCHANGE_ANSWER, "exchange-answer", 502, "after", "Unusable answer of the exchange") \
	X(ACCOUNT, "wrong-account", 409, "never", "Another account or network")                \
	/* The daemon. */                                                                      \
	X(INTERNAL, "internal", 500, "after", "Internal error")                                \
	X(JOURNAL, "journal-unavailable", 503, "after", "The journal cannot be written")       \
	X(HALTED, "halted", 503, "after", "Trading is halted")                                 \
	X(RECOVERING, "recovering", 503, "after", "Recovering after a restart")                \
	X(VENUE_LOCKED, "trading-locked", 503, "after", "The exchange has locked trading")     \
	X(STOPPING, "stopping", 503, "after", "The daemon is stopping")                        \
	X(NO_DATA, "no-market-data", 503, "after", "No market data yet")                       \
	/* Keys, files, command lines. */                                                      \
	X(OPKEY, "operation-key", 422, "never", "The operation key does not open")             \
	X(TX, "transaction-malformed", 502, "never", "Unsafe or malformed transaction")        \
	X(CONFIG, "configuration", 500, "never", "Configuration error")                        \
	X(USAGE, "usage", 500, "never", "Usage error")                                         \
	X(IO, "io", 500, "after", "Input or output failed")                                    \
	X(OVERFLOW, "overflow", 422, "never", "Number too large")
/* clang-format on */
#endif
