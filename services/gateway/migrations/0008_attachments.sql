-- files of one conversation: their text only, in chunks; never part of the corpus, so no search of anyone else can reach them
CREATE TABLE attachment (
  id uuid PRIMARY KEY,
  conversation uuid NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  name text NOT NULL,
  title text NOT NULL,
  media_type text NOT NULL,
  pages integer,
  characters integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attachment_conversation ON attachment (conversation, created_at);
CREATE INDEX attachment_created ON attachment (created_at);

CREATE TABLE attachment_chunk (
  attachment uuid NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
  ordinal integer NOT NULL,
  text text NOT NULL,
  header text NOT NULL,
  locator jsonb NOT NULL,
  parent jsonb NOT NULL,
  PRIMARY KEY (attachment, ordinal)
);
