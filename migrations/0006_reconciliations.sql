-- Reconciliations: the journal held against the exchange, and what differed.

-- One row for each run that found something. Clean runs in a row share one, which moves on with
-- them, so that a quiet day is one row.
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

-- What differed on two looks, once for each pair of figures. Append-only.
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

-- Every finding with its run; a run that found nothing has a row without one.
CREATE VIEW v_reconciliation AS
SELECT r.run_id, r.began_at, r.ended_at, r.runs, r.cause, f.at, f.class, f.about, f.order_id,
       f.exchange_order_id, f.symbol, f.journal, f.exchange, f.action
FROM reconciliations AS r LEFT JOIN reconciliation_findings AS f USING (run_id)
ORDER BY r.run_id, f.finding_id;
