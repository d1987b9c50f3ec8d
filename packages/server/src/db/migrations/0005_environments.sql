-- Environments that a space's organisers handed in, each checked by a worker before anything is played in it.
CREATE TABLE environments (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  digest text NOT NULL REFERENCES bundles,
  size_bytes bigint NOT NULL,
  state text NOT NULL DEFAULT 'checking' CHECK (state IN ('checking', 'ready', 'refused', 'cancelled', 'failed')),
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  findings jsonb NOT NULL DEFAULT '[]',
  -- What the worker read in its manifest and was told by the environment itself. Null until then.
  summary jsonb,
  created_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX environments_space ON environments (space_id, id DESC);
CREATE INDEX environments_digest ON environments (digest);

-- Over the files of a bundled environment, as its replays name it; null for a built-in one.
ALTER TABLE matches ADD env_files text;
