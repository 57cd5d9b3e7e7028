-- Up Migration
-- the groups that may read the document, as the _docent.yml files above it say; NULL: everyone
ALTER TABLE document ADD COLUMN readers text[];

-- Down Migration
ALTER TABLE document DROP COLUMN readers;
