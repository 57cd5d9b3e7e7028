-- Up Migration
-- what a text file was read as: its original is served with it; null where the file is no text
ALTER TABLE version ADD COLUMN charset text;

-- what was read before said its charset in a note where it was not UTF-8
UPDATE version v SET charset = coalesce((SELECT substring(note FROM '(?:^| be )read as ([a-z0-9_-]{2,30})$') FROM unnest(v.notes) AS note
    WHERE note ~ '(?:^| be )read as [a-z0-9_-]{2,30}$' LIMIT 1), 'utf-8')
  FROM document d WHERE d.id = v.document AND (d.media_type LIKE 'text/%' OR d.media_type IN ('application/json', 'application/jsonl'));

-- Down Migration
ALTER TABLE version DROP COLUMN charset;
