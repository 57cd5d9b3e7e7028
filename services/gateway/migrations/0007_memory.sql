-- facts go with the answer they were learned after, and so with its conversation
ALTER TABLE memory ADD COLUMN answer uuid NOT NULL REFERENCES message (id) ON DELETE CASCADE;
ALTER TABLE memory ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX memory_principal ON memory (principal, updated_at DESC);
CREATE INDEX memory_answer ON memory (answer);

-- who opted in; `epoch` moves with each switching off and each deletion, so that what was being learned then is not stored
CREATE TABLE memory_reader (
  principal text PRIMARY KEY,
  enabled boolean NOT NULL,
  epoch integer NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT now()
);
