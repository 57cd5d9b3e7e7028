-- Up Migration
-- building: filled beside the one that serves. standby: served before and is kept current, so that going back costs nothing.
-- retired: neither serves nor is kept current
ALTER TABLE generation
  DROP CONSTRAINT generation_state_check,
  ADD CONSTRAINT generation_state_check CHECK (state IN ('building', 'active', 'standby', 'retired')),
  ADD COLUMN requested_by text,
  ADD COLUMN activated_at timestamptz,
  ADD COLUMN compared_at timestamptz,            -- when Chroma last had all of it; NULL since vectors were made that it may lack
  ADD COLUMN embedded integer NOT NULL DEFAULT 0, -- texts, and how long that took: the pace
  ADD COLUMN busy_ms bigint NOT NULL DEFAULT 0,
  ADD COLUMN problem jsonb,                      -- why it does not go on
  ADD COLUMN holder text,                        -- the process that fills it, and how long it may be silent
  ADD COLUMN held_until timestamptz;

-- Down Migration
UPDATE generation SET state = 'retired' WHERE state = 'standby';
ALTER TABLE generation
  DROP CONSTRAINT generation_state_check,
  ADD CONSTRAINT generation_state_check CHECK (state IN ('building', 'active', 'retired')),
  DROP COLUMN requested_by,
  DROP COLUMN activated_at,
  DROP COLUMN compared_at,
  DROP COLUMN embedded,
  DROP COLUMN busy_ms,
  DROP COLUMN problem,
  DROP COLUMN holder,
  DROP COLUMN held_until;
