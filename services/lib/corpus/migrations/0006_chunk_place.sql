-- Up Migration
-- slide, sheet, rows, chapter, attachment: what a locator holds beside the page
ALTER TABLE chunk ADD COLUMN place jsonb;

-- Down Migration
ALTER TABLE chunk DROP COLUMN place;
