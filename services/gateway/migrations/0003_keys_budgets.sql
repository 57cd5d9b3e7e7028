-- the part of a key that names it; the secret itself is nowhere
ALTER TABLE api_key ADD COLUMN prefix text UNIQUE;
-- after a rotation the old secret works until then
ALTER TABLE api_key ADD COLUMN previous_hash bytea;
ALTER TABLE api_key ADD COLUMN previous_until timestamptz;
ALTER TABLE api_key ADD COLUMN rotated_at timestamptz;

ALTER TABLE usage ADD COLUMN reserved_money numeric NOT NULL DEFAULT 0;
