-- Up Migration
-- an answer that is deleted takes its citations along: without this each one is a look through all of them
CREATE INDEX citation_answer ON citation (answer);

-- Down Migration
DROP INDEX citation_answer;
