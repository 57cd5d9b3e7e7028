-- Up Migration
-- what the owner switched by hand, for all replicas and over restarts
CREATE TABLE ingest_switch (
  name text PRIMARY KEY,
  is_on boolean NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- what each scan of the folder found and did; scans in a row that found nothing new are one row
CREATE TABLE scan (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  ms integer NOT NULL,
  times integer NOT NULL DEFAULT 1,
  files integer NOT NULL,
  added integer NOT NULL,
  changed integer NOT NULL,
  renamed integer NOT NULL,
  removed integer NOT NULL,
  resettled integer NOT NULL,
  skipped integer NOT NULL,
  held integer NOT NULL,
  problem text,
  changes jsonb NOT NULL DEFAULT '[]'
);

-- the pace of indexing is read from the attempts that ended lately
CREATE INDEX attempt_ended ON attempt (ended_at);
