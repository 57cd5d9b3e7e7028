-- Up Migration
-- the last scan did not see its file: it is about to be removed, or its removal waits for a yes; nobody can index it meanwhile
ALTER TABLE document ADD COLUMN is_missing boolean NOT NULL DEFAULT false;

-- Down Migration
ALTER TABLE document DROP COLUMN is_missing;
