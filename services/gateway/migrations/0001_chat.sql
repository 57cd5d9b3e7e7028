CREATE TABLE conversation (
  id uuid PRIMARY KEY,
  principal text NOT NULL,
  title text NOT NULL DEFAULT '',
  persona text NOT NULL DEFAULT 'neutral',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversation_principal ON conversation (principal, updated_at DESC);

-- a question and its answer: two rows; order is seq, never time
CREATE TABLE message (
  id uuid PRIMARY KEY,
  conversation uuid NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  role text NOT NULL CHECK (role IN ('question', 'answer')),
  text text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('streaming', 'done', 'stopped', 'interrupted', 'error')),
  error_code text,
  error_text text,
  owner text,
  heartbeat_at timestamptz,
  last_event integer NOT NULL DEFAULT 0,
  body jsonb NOT NULL DEFAULT '{}',   -- sources, citations, degraded, usage, model: the rest of Answer
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX message_conversation ON message (conversation, seq);
CREATE INDEX message_streaming ON message (heartbeat_at) WHERE state = 'streaming';

CREATE TABLE record (
  answer uuid PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  trace_id text NOT NULL,
  principal text NOT NULL,
  question text NOT NULL,
  settings_version integer NOT NULL,
  record jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX record_created ON record (created_at DESC);

CREATE TABLE citation (
  id text PRIMARY KEY,
  answer uuid NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  n integer NOT NULL,
  document uuid NOT NULL,
  version integer NOT NULL,
  chunk text NOT NULL,
  passage text NOT NULL,
  source jsonb NOT NULL
);

CREATE TABLE feedback (
  answer uuid NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  principal text NOT NULL,
  rating smallint NOT NULL CHECK (rating IN (-1, 1)),
  comment text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (answer, principal)
);

CREATE TABLE persona (
  id text NOT NULL,
  version integer NOT NULL,
  title text NOT NULL,
  prompt text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted boolean NOT NULL DEFAULT false,
  PRIMARY KEY (id, version)
);

CREATE TABLE prompt (
  id uuid NOT NULL,
  version integer NOT NULL,
  name text NOT NULL,
  content text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted boolean NOT NULL DEFAULT false,
  PRIMARY KEY (id, version)
);

CREATE TABLE setting (
  version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  body jsonb NOT NULL,
  author text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO setting (body, author) VALUES ('{}', 'migration');

CREATE TABLE api_key (
  id uuid PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,
  name text NOT NULL,
  scopes text[] NOT NULL,
  collections text[],
  budget jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
);

CREATE TABLE usage (
  day date NOT NULL,
  principal text NOT NULL,
  requests integer NOT NULL DEFAULT 0,
  input_tokens bigint NOT NULL DEFAULT 0,
  output_tokens bigint NOT NULL DEFAULT 0,
  reserved_tokens bigint NOT NULL DEFAULT 0,
  money numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (day, principal)
);

CREATE TABLE memory (
  id uuid PRIMARY KEY,
  principal text NOT NULL,
  fact text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE saved_answer (
  id uuid PRIMARY KEY,
  question text NOT NULL,
  answer text NOT NULL,
  sources jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE idempotency (
  principal text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  answer uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, key)
);
