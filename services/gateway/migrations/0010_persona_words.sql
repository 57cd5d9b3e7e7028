-- how a persona speaks, what it says first, and what it says when the documents hold no answer: a text, or {"zh", "en"}; null: as without
ALTER TABLE persona ADD COLUMN tone text;
ALTER TABLE persona ADD COLUMN greeting jsonb;
ALTER TABLE persona ADD COLUMN refusal jsonb;
