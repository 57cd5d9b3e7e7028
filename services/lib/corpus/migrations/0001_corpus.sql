-- Up Migration
CREATE TABLE document (
  id uuid PRIMARY KEY,
  collection text NOT NULL DEFAULT 'default',
  path text NOT NULL,
  content_hash text NOT NULL,
  media_type text NOT NULL,
  size bigint NOT NULL,
  modified_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'indexing', 'ready', 'failed', 'skipped', 'removed')),
  error_code text,
  error_text text,
  active_version integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  indexed_at timestamptz
);
-- one live document per path; removed rows stay for citations
CREATE UNIQUE INDEX document_path ON document (path) WHERE state <> 'removed';
CREATE INDEX document_state ON document (state, path);

CREATE TABLE version (
  document uuid NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  version integer NOT NULL,
  content_hash text NOT NULL,
  settings_hash text NOT NULL,
  title text NOT NULL DEFAULT '',
  language text NOT NULL DEFAULT 'en',
  pages integer,
  notes text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document, version)
);

CREATE TABLE chunk (
  id text PRIMARY KEY,               -- hash(document, version, ordinal)
  document uuid NOT NULL,
  version integer NOT NULL,
  ordinal integer NOT NULL,
  text text NOT NULL,
  header text NOT NULL,
  page integer,
  heading text[] NOT NULL,
  start_at integer NOT NULL,
  end_at integer NOT NULL,
  text_hash text NOT NULL,
  parent_start integer NOT NULL,
  parent_end integer NOT NULL,
  parent_text text NOT NULL,
  UNIQUE (document, version, ordinal),
  FOREIGN KEY (document, version) REFERENCES version (document, version) ON DELETE CASCADE
);
CREATE INDEX chunk_text_hash ON chunk (text_hash);

CREATE TABLE generation (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model text NOT NULL,
  dimension integer NOT NULL,
  chroma_collection text NOT NULL UNIQUE,
  state text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
  gate_results jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX generation_active ON generation (state) WHERE state = 'active';

-- vectors as float16 bytes, little endian; shared by every chunk with the same text
CREATE TABLE embedding (
  text_hash text NOT NULL,
  model text NOT NULL,
  vector bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (text_hash, model)
);

CREATE TABLE attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document uuid NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  content_hash text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  outcome text,
  code text,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX attempt_document ON attempt (document, id);

-- the sequence that retrieval replicas follow
CREATE TABLE change_feed (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('activated', 'moved', 'removed')),
  version integer,
  at timestamptz NOT NULL DEFAULT now()
);
