-- The account as the exchange states it, the tokens of the apps, and what the daemon remembers.

-- A row for each change; the latest row of an asset is what holds.
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
