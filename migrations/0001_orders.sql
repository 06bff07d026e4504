-- Orders: what was asked for, what became of it, and every step in between.
--
-- Amounts are exact decimals as text, times are RFC 3339 UTC with microseconds as text, both
-- never numbers. States are numbers here and words in the views; order_states joins them.

CREATE TABLE schema_migrations (
	version    INTEGER PRIMARY KEY,
	name       TEXT NOT NULL,
	checksum   TEXT NOT NULL, -- SHA-256 of the file
	applied_at TEXT NOT NULL
) STRICT;

CREATE TABLE order_states (
	state       INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE,
	is_final    INTEGER NOT NULL CHECK (is_final IN (0, 1)),
	may_be_live INTEGER NOT NULL CHECK (may_be_live IN (0, 1)) -- on the book, for all we know
) STRICT;

INSERT INTO order_states (state, name, is_final, may_be_live) VALUES
	(1, 'accepted', 0, 0),
	(2, 'building', 0, 0),
	(3, 'submitting', 0, 1),
	(4, 'unknown', 0, 1),
	(5, 'open', 0, 1),
	(6, 'partially_filled', 0, 1),
	(7, 'filled', 1, 0),
	(8, 'cancelled', 1, 0),
	(9, 'rejected', 1, 0),
	(10, 'failed', 1, 0);

-- One row each, as the order is now. The first block never changes.
CREATE TABLE orders (
	order_id        TEXT NOT NULL PRIMARY KEY, -- sorts by time
	client_order_id TEXT NOT NULL,
	token_id        TEXT NOT NULL, -- whose it is; 'local' for the Unix socket's own user
	app             TEXT NOT NULL, -- the token's name then
	request_id      TEXT NOT NULL,
	body_hash       TEXT NOT NULL, -- tells a repeated request from another one with the same id
	symbol          TEXT NOT NULL,
	side            TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
	type            TEXT NOT NULL CHECK (type IN ('limit', 'market')),
	base_qty        TEXT CHECK (base_qty GLOB '*[0-9]' AND base_qty NOT GLOB '*[^0-9.]*'),
	quote_qty       TEXT CHECK (quote_qty GLOB '*[0-9]' AND quote_qty NOT GLOB '*[^0-9.]*'),
	price           TEXT CHECK (price GLOB '*[0-9]' AND price NOT GLOB '*[^0-9.]*'),
	max_slippage_bp INTEGER CHECK (max_slippage_bp >= 0),
	post_only       INTEGER NOT NULL CHECK (post_only IN (0, 1)),
	valid_until     TEXT CHECK (valid_until GLOB '????-??-??T??:??:??.??????Z'),
	created_at      TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),

	state                       INTEGER NOT NULL REFERENCES order_states,
	exchange_order_id           TEXT, -- of the latest build
	tx_hash                     TEXT,
	attempt                     INTEGER NOT NULL CHECK (attempt >= 0), -- builds begun
	cancel_requested            INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
	exchange_base_qty           TEXT CHECK (exchange_base_qty NOT GLOB '*[^-0-9.]*'),
	executed_base_qty           TEXT NOT NULL CHECK (executed_base_qty NOT GLOB '*[^-0-9.]*'),
	executed_quote_qty          TEXT NOT NULL CHECK (executed_quote_qty NOT GLOB '*[^-0-9.]*'), -- base x price
	exchange_executed_quote_qty TEXT NOT NULL CHECK (exchange_executed_quote_qty NOT GLOB '*[^-0-9.]*'), -- as stated
	average_price               TEXT CHECK (average_price NOT GLOB '*[^-0-9.]*'), -- to 12 places
	commission                  TEXT NOT NULL CHECK (commission NOT GLOB '*[^-0-9.]*'),
	commission_unit             TEXT,
	error_code                  TEXT,
	exchange_code               INTEGER,
	error                       TEXT,
	queued_ms                   INTEGER NOT NULL, -- waited for its turn
	updated_at                  TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z'),

	UNIQUE (client_order_id, token_id)
) STRICT;

CREATE INDEX orders_by_exchange_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL;
CREATE INDEX orders_by_state ON orders (state, order_id, symbol);
CREATE INDEX orders_by_token ON orders (token_id, state, order_id, symbol);
CREATE INDEX orders_by_symbol ON orders (symbol, order_id);
CREATE INDEX orders_by_token_and_symbol ON orders (token_id, symbol, order_id);

-- Every step of every order, in the order in which it was taken. Append-only.
CREATE TABLE order_events (
	event_id          INTEGER PRIMARY KEY,
	order_id          TEXT NOT NULL REFERENCES orders,
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
	state             INTEGER NOT NULL REFERENCES order_states, -- after the step
	event             TEXT NOT NULL,
	cause             TEXT, -- who or what: app, exchange, poll, recovery ...
	request_id        TEXT,
	token_id          TEXT, -- who asked, for what an app asked for
	exchange_order_id TEXT,
	http_status       INTEGER, -- of the exchange's answer
	exchange_code     INTEGER,
	detail            TEXT
) STRICT;

CREATE INDEX order_events_by_order ON order_events (order_id);

CREATE TRIGGER order_events_are_not_changed BEFORE UPDATE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;
CREATE TRIGGER order_events_are_not_deleted BEFORE DELETE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;

-- What was signed, durable before it was sent: to be sent again as it is, never anew. Append-only.
CREATE TABLE order_submissions (
	submission_id     INTEGER PRIMARY KEY,
	order_id          TEXT NOT NULL REFERENCES orders,
	exchange_order_id TEXT NOT NULL UNIQUE,
	tx_hash           TEXT,
	attempt           INTEGER NOT NULL,
	signed_tx         TEXT NOT NULL CHECK (signed_tx != ''), -- hex
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE INDEX order_submissions_by_order ON order_submissions (order_id);

CREATE TRIGGER order_submissions_are_not_changed BEFORE UPDATE ON order_submissions
BEGIN SELECT RAISE(ABORT, 'order_submissions is append-only'); END;
CREATE TRIGGER order_submissions_are_not_deleted BEFORE DELETE ON order_submissions
BEGIN SELECT RAISE(ABORT, 'order_submissions is append-only'); END;
