-- Up Migration
-- the owner's edits of chunks, by the hash of the text as it was extracted: they outlive new versions whose text is the same
CREATE TABLE chunk_edit (
  document uuid NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  source_hash text NOT NULL,
  source_text text NOT NULL,
  is_disabled boolean NOT NULL,
  text text,                         -- indexed instead; NULL: the source
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document, source_hash)
);

ALTER TABLE chunk
  ADD COLUMN is_disabled boolean NOT NULL DEFAULT false,
  ADD COLUMN source_hash text,       -- of an overridden chunk: what was extracted
  ADD COLUMN source_text text;

-- counts the edits; a version made with fewer is indexed anew
ALTER TABLE document ADD COLUMN edit_revision integer NOT NULL DEFAULT 0;
ALTER TABLE version ADD COLUMN edit_revision integer NOT NULL DEFAULT 0;
