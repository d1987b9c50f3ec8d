-- Every table of the server. Later changes are new files; a file that was released is never edited.

-- Accounts: "user", "session", "account" and "verification" are better-auth's tables (core schema), with three columns
-- of ours on "user". Text ids are better-auth's own.
CREATE TABLE "user" (
  "id" text PRIMARY KEY,
  "name" text NOT NULL,
  "email" text NOT NULL UNIQUE,
  "emailVerified" boolean NOT NULL DEFAULT false,
  "image" text,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now(),
  "administrator" boolean NOT NULL DEFAULT false,
  "organiser" boolean NOT NULL DEFAULT false,
  "locked" boolean NOT NULL DEFAULT false
);
CREATE TABLE "session" (
  "id" text PRIMARY KEY,
  "expiresAt" timestamptz NOT NULL,
  "token" text NOT NULL UNIQUE,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now(),
  "ipAddress" text,
  "userAgent" text,
  "userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE INDEX session_by_user ON "session" ("userId");
CREATE TABLE "account" (
  "id" text PRIMARY KEY,
  "accountId" text NOT NULL,
  "providerId" text NOT NULL,
  "userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  "scope" text,
  "password" text,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_by_user ON "account" ("userId");
CREATE TABLE "verification" (
  "id" text PRIMARY KEY,
  "identifier" text NOT NULL,
  "value" text NOT NULL,
  "expiresAt" timestamptz NOT NULL,
  "createdAt" timestamptz NOT NULL DEFAULT now(),
  "updatedAt" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX verification_identifier ON "verification" ("identifier");

-- What the server remembers of itself: secrets it drew at its first start, the digest of the administrator's one-time token.
CREATE TABLE settings (
  key text PRIMARY KEY,
  value jsonb NOT NULL
);

CREATE TABLE spaces (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  title text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  max_running int NOT NULL DEFAULT 0,
  max_running_per_participant int NOT NULL DEFAULT 0,
  daily_submissions int NOT NULL DEFAULT 0,
  quota_bytes bigint NOT NULL DEFAULT 0
);
CREATE TABLE members (
  space_id uuid NOT NULL REFERENCES spaces,
  user_id text NOT NULL REFERENCES "user",
  role text NOT NULL CHECK (role IN ('participant', 'organiser')),
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (space_id, user_id)
);
CREATE INDEX members_user ON members (user_id);
CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  role text NOT NULL CHECK (role IN ('participant', 'organiser')),
  code_hash bytea NOT NULL UNIQUE,
  note text NOT NULL DEFAULT '',
  uses_left int NOT NULL CHECK (uses_left >= 0),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  created_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitations_space ON invitations (space_id, id);

-- Tokens: the SHA-256 of the secret alone. user_id is whose it is; machines' have none but who made them.
CREATE TABLE tokens (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  prefix text NOT NULL,
  secret_hash bytea NOT NULL UNIQUE,
  scope text NOT NULL CHECK (scope IN ('participant', 'organiser', 'administrator', 'worker', 'executor')),
  user_id text REFERENCES "user",
  created_by text REFERENCES "user",
  space_id uuid REFERENCES spaces,
  queues text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX tokens_user ON tokens (user_id, id);

CREATE TABLE audit (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL DEFAULT '',
  space_id uuid,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_space ON audit (space_id, id DESC);

-- Answers to mutations that came with a key, so that the same request again gives the same answer.
CREATE TABLE idempotency (
  caller text NOT NULL,
  key text NOT NULL,
  method text NOT NULL,
  request_hash bytea NOT NULL,
  response bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Bundles: the bytes lie in the store under their digest; this says whose quota they count against.
CREATE TABLE bundles (
  digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
  size_bytes bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE uploads (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  user_id text NOT NULL REFERENCES "user",
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  complete boolean NOT NULL DEFAULT false,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX uploads_age ON uploads (expires_at);

CREATE TABLE agents (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  owner_id text NOT NULL REFERENCES "user",
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (space_id, name)
);
CREATE INDEX agents_owner ON agents (owner_id, space_id, id);
CREATE TABLE agent_versions (
  id uuid PRIMARY KEY,
  agent_id uuid NOT NULL REFERENCES agents,
  number int NOT NULL,
  digest text NOT NULL REFERENCES bundles,
  size_bytes bigint NOT NULL,
  validation text NOT NULL DEFAULT 'waiting' CHECK (validation IN ('waiting', 'valid', 'invalid')),
  errors text[] NOT NULL DEFAULT '{}',
  warnings text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agent_id, number)
);

CREATE TABLE ladders (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  slug text NOT NULL,
  title text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'frozen', 'finals', 'finished')),
  public boolean NOT NULL DEFAULT false,
  rules jsonb NOT NULL,
  -- The log's length: the next logged match gets log_length + 1, under this row's lock.
  log_length bigint NOT NULL DEFAULT 0,
  -- How many agents are active.
  agents int NOT NULL DEFAULT 0,
  -- A round or the finals while they are made: who, how often; and the next match to make of it.
  plan jsonb,
  plan_next bigint NOT NULL DEFAULT 0,
  -- The log's length when the last finals began.
  finals_from bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (space_id, slug)
);
-- An agent on a ladder, and its rating: what replaying the log gives.
CREATE TABLE ladder_agents (
  ladder_id uuid NOT NULL REFERENCES ladders,
  agent_id uuid NOT NULL REFERENCES agents,
  version_id uuid NOT NULL REFERENCES agent_versions,
  active boolean NOT NULL DEFAULT true,
  mu double precision NOT NULL,
  sigma double precision NOT NULL,
  -- mu - 3 sigma: the board's order.
  rating double precision GENERATED ALWAYS AS (mu - 3 * sigma) STORED,
  matches int NOT NULL DEFAULT 0,
  wins int NOT NULL DEFAULT 0,
  draws int NOT NULL DEFAULT 0,
  losses int NOT NULL DEFAULT 0,
  faults int NOT NULL DEFAULT 0,
  last_match_at timestamptz,
  -- The version of the latest logged match.
  rated_version_id uuid REFERENCES agent_versions,
  -- What the matchmaker goes by: sigma as the next match will begin with, and 100 more before the placement is over.
  urgency double precision NOT NULL,
  -- Rated matches on this day (UTC).
  day date,
  day_matches int NOT NULL DEFAULT 0,
  -- Faults of ours in a row, and until when no match is made for it because of them.
  infra_streak int NOT NULL DEFAULT 0,
  held_until timestamptz,
  final_elo double precision,
  final_low double precision,
  final_high double precision,
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (ladder_id, agent_id)
);
CREATE INDEX ladder_board ON ladder_agents (ladder_id, rating DESC, agent_id) WHERE active;
CREATE INDEX ladder_turns ON ladder_agents (ladder_id, urgency DESC, agent_id) WHERE active;
CREATE INDEX ladder_finals ON ladder_agents (ladder_id, final_elo DESC, agent_id) WHERE active AND final_elo IS NOT NULL;

CREATE TABLE queues (
  name text PRIMARY KEY,
  space_id uuid REFERENCES spaces,
  max_running int NOT NULL DEFAULT 0,
  paused boolean NOT NULL DEFAULT false,
  keep_free jsonb NOT NULL DEFAULT '{}'
);
INSERT INTO queues (name) VALUES ('default'), ('gpu'), ('private');

-- Jobs: this row is the truth. waiting → running → ended; a fault of ours leads back to waiting, or to dead.
CREATE TABLE jobs (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  queue text NOT NULL REFERENCES queues,
  space_id uuid REFERENCES spaces,
  owner_id text REFERENCES "user",
  -- Whose turn it is: jobs of one key share a fair part of the queue. The owner, or `executor`, or a ladder.
  fair_key text NOT NULL,
  -- The place in the fair order within a priority: the n-th waiting job of a key waits behind the n-1st of every key.
  fair_tag bigint NOT NULL DEFAULT 0,
  -- What decides who may take it, as one word: its space, owner, kind, tier and needs. A claim that finds only blocked
  -- jobs at the queue's front goes from class to class instead of through every job.
  class text NOT NULL,
  priority int NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'ended', 'dead')),
  payload jsonb NOT NULL,
  cpus double precision NOT NULL DEFAULT 0,
  memory_bytes bigint NOT NULL DEFAULT 0,
  gpus int NOT NULL DEFAULT 0,
  vram_bytes bigint NOT NULL DEFAULT 0,
  tier text NOT NULL DEFAULT '',
  not_before timestamptz NOT NULL DEFAULT now(),
  -- It waits for not_before, out of every claim's way; the sweep lets it go.
  held boolean NOT NULL DEFAULT false,
  -- It ends as infra_fault if it still waits then.
  wait_until timestamptz NOT NULL,
  timeout_seconds int NOT NULL,
  attempt int NOT NULL DEFAULT 0,
  max_attempts int NOT NULL DEFAULT 3,
  -- Grows with every lease, cancel and retry; a word under another number is refused.
  fence bigint NOT NULL DEFAULT 0,
  worker_id uuid,
  lease_until timestamptz,
  -- A running attempt is lost then however often its worker called.
  attempt_until timestamptz,
  outcome jsonb,
  result jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  CHECK ((state = 'running') = (lease_until IS NOT NULL)),
  CHECK ((state = 'running') = (attempt_until IS NOT NULL)),
  CHECK ((state = 'running') = (worker_id IS NOT NULL)),
  CHECK (state = 'waiting' OR NOT held),
  CHECK ((state IN ('ended', 'dead')) = (ended_at IS NOT NULL)),
  CHECK ((state IN ('ended', 'dead')) = (outcome IS NOT NULL))
) WITH (fillfactor = 80);
-- The claim reads this one from its front; ended jobs are not in it.
CREATE INDEX jobs_claim ON jobs (queue, priority DESC, fair_tag, id) WHERE state = 'waiting' AND NOT held;
CREATE INDEX jobs_class ON jobs (queue, class, priority DESC, fair_tag, id) WHERE state = 'waiting' AND NOT held;
CREATE INDEX jobs_fair ON jobs (queue, priority, fair_key, fair_tag) WHERE state = 'waiting';
CREATE INDEX jobs_held ON jobs (not_before) WHERE state = 'waiting' AND held;
-- lease_until is in no index: a heartbeat changes the row in its place. There are never many that run.
CREATE INDEX jobs_running ON jobs (queue) WHERE state = 'running';
CREATE INDEX jobs_wait_until ON jobs (wait_until) WHERE state = 'waiting';
CREATE INDEX jobs_live_space ON jobs (space_id, owner_id) WHERE state = 'running';
CREATE INDEX jobs_list_space ON jobs (space_id, id DESC);
CREATE INDEX jobs_list_owner ON jobs (owner_id, id DESC);
CREATE INDEX jobs_dead ON jobs (queue, id) WHERE state = 'dead';
CREATE INDEX jobs_ended ON jobs (queue, ended_at) WHERE state = 'ended';

-- How far the fair order of a queue's priority has come: who was not waiting begins here.
CREATE TABLE queue_clocks (
  queue text NOT NULL REFERENCES queues,
  priority int NOT NULL,
  tag bigint NOT NULL,
  PRIMARY KEY (queue, priority)
);

CREATE TABLE attempts (
  job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
  number int NOT NULL,
  fence bigint NOT NULL,
  worker_id uuid,
  worker_name text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  outcome jsonb,
  -- SHA-256 of the report that ended it; null where none did. The same report again is accepted again.
  report_hash bytea,
  -- Bytes stored of its output so far, by seat: {"-1": 100}.
  output_bytes jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (job_id, number)
);
CREATE INDEX attempts_fence ON attempts (job_id, fence);
-- What a worker has lost without having reported it: told to it as long as it may still be at it.
CREATE INDEX attempts_lost ON attempts (worker_id, ended_at) WHERE report_hash IS NULL AND ended_at IS NOT NULL;
-- What running jobs gave so far: logs and moves, in order. Moves go when the replay is there.
CREATE TABLE job_output (
  job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
  attempt int NOT NULL,
  seq bigint NOT NULL,
  -- -1: moves; else the seat whose log it is.
  seat int NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (job_id, attempt, seq)
);
CREATE INDEX job_output_moves ON job_output (job_id) WHERE seat = -1;

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  token_id uuid NOT NULL REFERENCES tokens,
  name text NOT NULL,
  version text NOT NULL,
  queues text[] NOT NULL,
  kinds text[] NOT NULL,
  concurrency int NOT NULL,
  total jsonb NOT NULL DEFAULT '{}',
  free jsonb NOT NULL DEFAULT '{}',
  tiers jsonb NOT NULL DEFAULT '[]',
  draining boolean NOT NULL DEFAULT false,
  paused text NOT NULL DEFAULT '',
  health jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX workers_seen ON workers (seen_at);

CREATE TABLE submissions (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  ladder_id uuid NOT NULL REFERENCES ladders,
  agent_id uuid NOT NULL REFERENCES agents,
  version_id uuid NOT NULL REFERENCES agent_versions,
  owner_id text NOT NULL REFERENCES "user",
  job_id uuid NOT NULL REFERENCES jobs,
  state text NOT NULL DEFAULT 'validating'
    CHECK (state IN ('validating', 'accepted', 'rejected', 'cancelled', 'failed')),
  errors text[] NOT NULL DEFAULT '{}',
  warnings text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX submissions_job ON submissions (job_id);
CREATE INDEX submissions_owner ON submissions (owner_id, space_id, created_at);
CREATE INDEX submissions_space ON submissions (space_id, id DESC);

CREATE TABLE matches (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  space_id uuid REFERENCES spaces,
  ladder_id uuid REFERENCES ladders,
  owner_id text REFERENCES "user",
  reason text NOT NULL CHECK (reason IN ('ladder', 'placement', 'finals', 'requested', 'executor')),
  env text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  seed numeric(20) NOT NULL,
  rated boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'ended', 'dead')),
  outcome jsonb,
  episodes int NOT NULL DEFAULT 0,
  steps bigint NOT NULL DEFAULT 0,
  replay_hash text NOT NULL DEFAULT '',
  -- The replay's own place in the store: the digest of its gzipped bytes.
  replay_blob text,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
CREATE INDEX matches_space ON matches (space_id, id DESC);
CREATE INDEX matches_ladder ON matches (ladder_id, id DESC);
CREATE INDEX matches_live ON matches (ladder_id) WHERE rated AND state IN ('waiting', 'running');
CREATE INDEX matches_requested ON matches (owner_id) WHERE reason = 'requested' AND state IN ('waiting', 'running');
CREATE TABLE match_seats (
  match_id uuid NOT NULL REFERENCES matches ON DELETE CASCADE,
  seat int NOT NULL,
  agent_id uuid REFERENCES agents,
  version_id uuid REFERENCES agent_versions,
  name text NOT NULL,
  score double precision,
  rank int,
  faults int NOT NULL DEFAULT 0,
  fault text NOT NULL DEFAULT '',
  mu_before double precision,
  mu_after double precision,
  PRIMARY KEY (match_id, seat)
);
CREATE INDEX match_seats_agent ON match_seats (agent_id, match_id DESC);

-- What RL Arena's executor was asked for: its caller's own name of the match, so that the same request again is the same match.
CREATE TABLE executor_matches (
  match_id uuid PRIMARY KEY REFERENCES matches ON DELETE CASCADE,
  -- Who asked, as in the audit log.
  caller text NOT NULL,
  external_id text NOT NULL,
  request_hash bytea NOT NULL,
  record_replay boolean NOT NULL,
  -- [{"agent_id": "a", "version": "3", "refused": ""}, …], by seat.
  agents jsonb NOT NULL
);
CREATE INDEX executor_matches_external ON executor_matches (caller, external_id, match_id DESC);

-- The append-only log that ratings are a function of: one row for each rated match, numbered without gaps.
CREATE TABLE match_log (
  ladder_id uuid NOT NULL REFERENCES ladders,
  number bigint NOT NULL,
  match_id uuid NOT NULL UNIQUE REFERENCES matches,
  -- `ladder` matches make the live ratings, `finals` the final table.
  kind text NOT NULL CHECK (kind IN ('ladder', 'finals')),
  -- [{"agent": id, "version": id, "rank": 1, "score": 0.5, "fault": ""}, …], by seat.
  seats jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (ladder_id, number)
);
CREATE FUNCTION match_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the match log is append-only';
END $$;
CREATE TRIGGER match_log_append_only BEFORE UPDATE OR DELETE ON match_log
  FOR EACH ROW EXECUTE FUNCTION match_log_append_only();
-- Kept with the log: how often who beat whom, whoever comes first by id.
CREATE TABLE head_to_head (
  ladder_id uuid NOT NULL REFERENCES ladders,
  agent_a uuid NOT NULL REFERENCES agents,
  agent_b uuid NOT NULL REFERENCES agents,
  a_wins int NOT NULL DEFAULT 0,
  draws int NOT NULL DEFAULT 0,
  b_wins int NOT NULL DEFAULT 0,
  last_at timestamptz,
  PRIMARY KEY (ladder_id, agent_a, agent_b),
  CHECK (agent_a < agent_b)
);

CREATE TABLE schedules (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  ladder_id uuid NOT NULL REFERENCES ladders,
  action text NOT NULL CHECK (action IN ('freeze', 'unfreeze', 'round')),
  cron text NOT NULL,
  time_zone text NOT NULL DEFAULT 'UTC',
  last_run_at timestamptz,
  last_error text NOT NULL DEFAULT '',
  created_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedules_space ON schedules (space_id, id);
