-- what records are filtered by, read out of the flight record itself
ALTER TABLE record ADD COLUMN state text GENERATED ALWAYS AS (record->>'state') STORED;
ALTER TABLE record ADD COLUMN model text GENERATED ALWAYS AS (record->>'model') STORED;
CREATE INDEX record_page ON record (created_at DESC, answer DESC);

ALTER TABLE setting ADD COLUMN note text NOT NULL DEFAULT '';
