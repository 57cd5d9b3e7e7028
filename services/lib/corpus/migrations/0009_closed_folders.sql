-- Up Migration
-- what lies below is for the admin alone: the file cannot be followed and may name readers
ALTER TABLE control_file ADD COLUMN closed boolean NOT NULL DEFAULT false;

-- Down Migration
ALTER TABLE control_file DROP COLUMN closed;
