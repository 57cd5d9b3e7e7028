-- Up Migration
-- edits of other chunks, by the hash of their source, whose text was taken out of this one: the document is cut otherwise than when they were made
ALTER TABLE chunk ADD COLUMN cut_by text[] NOT NULL DEFAULT '{}';

-- what was taken out before may have come back with another chunking: these documents are indexed anew
UPDATE document SET edit_revision = edit_revision + 1 WHERE id IN (SELECT document FROM chunk_edit);

-- Down Migration
ALTER TABLE chunk DROP COLUMN cut_by;
