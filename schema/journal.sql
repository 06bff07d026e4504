-- The journal's tables and views after all migrations. Made by make schema.

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

CREATE TABLE fills (
	fill_number        INTEGER PRIMARY KEY, -- in the order of booking
	execution_id       TEXT NOT NULL UNIQUE,
	order_id           TEXT REFERENCES orders, -- NULL: of an order that is none of ours
	exchange_order_id  TEXT,
	token_id           TEXT,
	symbol             TEXT NOT NULL,
	side               TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
	price              TEXT NOT NULL CHECK (price GLOB '*[0-9]' AND price NOT GLOB '*[^-0-9.]*'),
	base_qty           TEXT NOT NULL CHECK (base_qty GLOB '*[0-9]' AND base_qty NOT GLOB '*[^-0-9.]*'),
	quote_qty          TEXT NOT NULL CHECK (quote_qty NOT GLOB '*[^-0-9.]*'), -- base x price, exact
	exchange_quote_qty TEXT CHECK (exchange_quote_qty NOT GLOB '*[^-0-9.]*'), -- as stated, right or wrong
	commission         TEXT NOT NULL CHECK (commission NOT GLOB '*[^-0-9.]*'),
	commission_unit    TEXT,
	role               TEXT NOT NULL CHECK (role IN ('maker', 'taker')),
	executed_at        TEXT NOT NULL CHECK (executed_at GLOB '????-??-??T??:??:??.??????Z'),
	booked_at          TEXT NOT NULL CHECK (booked_at GLOB '????-??-??T??:??:??.??????Z'),
	-- The latest executed_at of this row and all before it. Fills come late after a gap, so their
	-- own times do not rise with their numbers; this does, and leads from a time to the number
	-- where fills since then begin.
	latest_at          TEXT NOT NULL
) STRICT;

CREATE INDEX fills_by_order ON fills (order_id);

CREATE INDEX fills_by_token ON fills (token_id);

CREATE INDEX fills_by_symbol ON fills (symbol);

CREATE INDEX fills_by_token_and_symbol ON fills (token_id, symbol);

CREATE INDEX fills_by_time ON fills (latest_at);

CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;

CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;

CREATE TABLE balances (
	balance_id INTEGER PRIMARY KEY,
	asset      TEXT NOT NULL,
	unit       TEXT NOT NULL,
	free       TEXT NOT NULL CHECK (free GLOB '*[0-9]' AND free NOT GLOB '*[^-0-9.]*'),
	locked     TEXT NOT NULL CHECK (locked GLOB '*[0-9]' AND locked NOT GLOB '*[^-0-9.]*'),
	as_of      TEXT NOT NULL CHECK (as_of GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE INDEX balances_by_asset ON balances (asset, unit);

CREATE TABLE tokens (
	token_id        TEXT NOT NULL PRIMARY KEY,
	name            TEXT NOT NULL,
	hash            TEXT NOT NULL, -- keyed; of the secret, which is nowhere
	scopes          INTEGER NOT NULL,
	symbols         TEXT NOT NULL, -- 'ADAUSDM,NIGHTUSDM'; '' for all
	max_order_value TEXT CHECK (max_order_value NOT GLOB '*[^0-9.]*'), -- in quote units
	max_open_orders INTEGER NOT NULL CHECK (max_open_orders >= 0), -- 0: no limit of its own
	weight          INTEGER NOT NULL CHECK (weight >= 1),
	created_at      TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.??????Z'),
	expires_at      TEXT CHECK (expires_at GLOB '????-??-??T??:??:??.??????Z'),
	revoked_at      TEXT CHECK (revoked_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE TABLE settings (
	name       TEXT NOT NULL PRIMARY KEY,
	value      TEXT NOT NULL,
	updated_at TEXT NOT NULL CHECK (updated_at GLOB '????-??-??T??:??:??.??????Z')
) STRICT;

CREATE VIEW v_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state);

CREATE VIEW v_open_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state)
WHERE o.state IN (SELECT state FROM order_states WHERE may_be_live);

CREATE VIEW v_fills AS
SELECT execution_id, order_id, exchange_order_id, symbol, side, price, base_qty, quote_qty,
       commission, commission_unit, role, executed_at
FROM fills;

CREATE VIEW v_audit AS
SELECT e.at, e.order_id, o.client_order_id, o.app, e.event, s.name AS state, e.cause,
       e.request_id, e.token_id, e.exchange_order_id, e.http_status, e.exchange_code, e.detail
FROM order_events AS e
JOIN orders AS o USING (order_id)
JOIN order_states AS s ON s.state = e.state
ORDER BY e.event_id;

CREATE TABLE channels (
	channel INTEGER PRIMARY KEY,
	name    TEXT NOT NULL UNIQUE,
	pruned  INTEGER NOT NULL DEFAULT 0 -- the highest number that was deleted of it
) STRICT;

CREATE TABLE channel_events (
	seq      INTEGER PRIMARY KEY,
	channel  INTEGER NOT NULL REFERENCES channels,
	type     TEXT NOT NULL,
	token_id TEXT NOT NULL, -- whose; '' for what belongs to nobody
	symbol   TEXT NOT NULL, -- '' where it does not apply
	at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
	data     TEXT NOT NULL CHECK (data GLOB '{*}') -- a JSON object
) STRICT;

CREATE INDEX channel_events_by_channel ON channel_events (channel);

CREATE INDEX channel_events_by_token ON channel_events (channel, token_id);

CREATE INDEX channel_events_by_symbol ON channel_events (channel, symbol);

CREATE TRIGGER channel_events_are_not_changed BEFORE UPDATE ON channel_events
BEGIN SELECT RAISE(ABORT, 'channel_events is append-only'); END;

CREATE TRIGGER channel_events_go_oldest_first BEFORE DELETE ON channel_events
WHEN EXISTS (SELECT 1 FROM channel_events WHERE seq < old.seq)
BEGIN SELECT RAISE(ABORT, 'channel_events is pruned from its oldest row on'); END;

CREATE TRIGGER channel_events_keep_the_newest BEFORE DELETE ON channel_events
WHEN NOT EXISTS (SELECT 1 FROM channel_events WHERE seq > old.seq)
BEGIN SELECT RAISE(ABORT, 'the newest row of channel_events holds its number'); END;

CREATE TRIGGER channel_events_note_what_goes AFTER DELETE ON channel_events
BEGIN UPDATE channels SET pruned = old.seq WHERE channel = old.channel; END;

CREATE TABLE reconciliations (
	run_id     INTEGER PRIMARY KEY,
	began_at   TEXT NOT NULL CHECK (began_at GLOB '????-??-??T??:??:??.??????Z'), -- of the first
	ended_at   TEXT NOT NULL CHECK (ended_at GLOB '????-??-??T??:??:??.??????Z'), -- of the last
	runs       INTEGER NOT NULL CHECK (runs >= 1),
	cause      TEXT NOT NULL CHECK (cause IN ('routine', 'demand')),
	orders     INTEGER NOT NULL, -- compared by the last run
	executions INTEGER NOT NULL,
	assets     INTEGER NOT NULL,
	findings   INTEGER NOT NULL CHECK (findings >= 0)
) STRICT;

CREATE TABLE reconciliation_findings (
	finding_id        INTEGER PRIMARY KEY,
	run_id            INTEGER NOT NULL REFERENCES reconciliations,
	at                TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.??????Z'),
	class             TEXT NOT NULL CHECK (class IN ('foreign_order', 'missed_fill', 'state_lag',
	                                                 'balance_drift', 'unknown_settled',
	                                                 'amount_mismatch')),
	about             TEXT NOT NULL, -- an exchange order id, an order id, an execution id, an asset
	order_id          TEXT,          -- NULL: of no order of ours
	exchange_order_id TEXT,
	symbol            TEXT,
	journal           TEXT NOT NULL, -- what it said
	exchange          TEXT NOT NULL,
	action            TEXT NOT NULL CHECK (action IN ('followed', 'booked', 'asked', 'settled',
	                                                  'reported'))
) STRICT;

CREATE INDEX reconciliation_findings_by_run ON reconciliation_findings (run_id);

CREATE TRIGGER reconciliation_findings_are_not_changed BEFORE UPDATE ON reconciliation_findings
BEGIN SELECT RAISE(ABORT, 'reconciliation_findings is append-only'); END;

CREATE TRIGGER reconciliation_findings_are_not_deleted BEFORE DELETE ON reconciliation_findings
BEGIN SELECT RAISE(ABORT, 'reconciliation_findings is append-only'); END;

CREATE VIEW v_reconciliation AS
SELECT r.run_id, r.began_at, r.ended_at, r.runs, r.cause, f.at, f.class, f.about, f.order_id,
       f.exchange_order_id, f.symbol, f.journal, f.exchange, f.action
FROM reconciliations AS r LEFT JOIN reconciliation_findings AS f USING (run_id)
ORDER BY r.run_id, f.finding_id;
