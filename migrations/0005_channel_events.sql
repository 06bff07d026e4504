-- What the lossless channels told, so that a reader who was away can be told it again.

-- Numbers are in channel_events and words are in the stream.
CREATE TABLE channels (
	channel INTEGER PRIMARY KEY,
	name    TEXT NOT NULL UNIQUE,
	pruned  INTEGER NOT NULL DEFAULT 0 -- the highest number that was deleted of it
) STRICT;

INSERT INTO channels (channel, name) VALUES
	(1, 'orders'),
	(2, 'fills'),
	(3, 'balances'),
	(4, 'system');

-- One row for each event, written together with what it tells of. Numbers rise over all channels
-- and are never given twice: a new row's is the newest one's and one more, so the newest stays.
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

-- Append-only but for pruning, which takes the oldest first and leaves a note of how far it went.
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
