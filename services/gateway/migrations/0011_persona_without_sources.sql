-- whether a model may answer without sources while the search is down
ALTER TABLE persona ADD COLUMN answers_without_sources boolean NOT NULL DEFAULT false;
