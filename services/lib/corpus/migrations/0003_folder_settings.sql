-- Up Migration
-- what the _docent.yml files above a document say; NULL: the configuration's default
ALTER TABLE document
  ADD COLUMN language text,
  ADD COLUMN chunk_size integer,
  ADD COLUMN chunk_overlap integer;

-- .docentignore and each _docent.yml: the text that was last understood stays in force while a newer one is not
CREATE TABLE control_file (
  path text PRIMARY KEY,
  content text,
  problem text,
  updated_at timestamptz NOT NULL DEFAULT now()
);
