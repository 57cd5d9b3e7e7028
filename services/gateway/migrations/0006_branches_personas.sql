-- a conversation that began as a copy of another one's messages up to one of them
ALTER TABLE conversation ADD COLUMN parent uuid REFERENCES conversation (id) ON DELETE SET NULL;
ALTER TABLE conversation ADD COLUMN parent_message uuid;
CREATE INDEX conversation_parent ON conversation (parent);

-- what was said up to the message of that seq, in few words
ALTER TABLE conversation ADD COLUMN summary text;
ALTER TABLE conversation ADD COLUMN summary_upto bigint;

-- settings that a persona changes, and the collections it answers from (null: all)
ALTER TABLE persona ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';
ALTER TABLE persona ADD COLUMN collections text[];
