-- Up Migration
-- the chunking that the owner's settings ask for, in one row, as the newest version told says; NULL: what the configuration says
CREATE TABLE chunking (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  settings_version integer NOT NULL,
  chunk_size integer,
  chunk_overlap integer,
  told_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration
DROP TABLE chunking;
