-- answers the owner approved: `normal` is the question's key form, one live row for each
ALTER TABLE saved_answer ADD COLUMN normal text NOT NULL DEFAULT '';
ALTER TABLE saved_answer ADD COLUMN citations jsonb NOT NULL DEFAULT '[]';
ALTER TABLE saved_answer ADD COLUMN author text NOT NULL DEFAULT '';
ALTER TABLE saved_answer ADD COLUMN aside_at timestamptz;
ALTER TABLE saved_answer ADD COLUMN aside_why text;
CREATE UNIQUE INDEX saved_answer_normal ON saved_answer (normal) WHERE aside_at IS NULL AND normal <> '';

-- questions with their right source, for the evaluation of retrieval
CREATE TABLE golden (
  id uuid PRIMARY KEY,
  lang text NOT NULL CHECK (lang IN ('zh', 'en')),
  question text NOT NULL,
  doc text,
  answer text,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now()
);
