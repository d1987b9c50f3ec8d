-- The clean-up asks of everything in the store whether a row names it.
CREATE INDEX matches_replay_blob ON matches (replay_blob) WHERE replay_blob IS NOT NULL;
