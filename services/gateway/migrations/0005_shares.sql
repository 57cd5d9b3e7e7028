-- a read-only link to a conversation as far as it was when shared
CREATE TABLE share (
  id text PRIMARY KEY,
  conversation uuid NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  upto bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX share_conversation ON share (conversation);
