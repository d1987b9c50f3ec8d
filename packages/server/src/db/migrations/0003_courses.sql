-- Spaces of kind course: more roles, a roster, announcements, tasks, what is handed in for them and what it got.
ALTER TABLE spaces
  ADD kind text NOT NULL DEFAULT 'competition' CHECK (kind IN ('competition', 'course')),
  ADD year int NOT NULL DEFAULT 0,
  ADD semester text NOT NULL DEFAULT '',
  ADD join_patterns text[] NOT NULL DEFAULT '{}';
ALTER TABLE members
  ADD group_name text NOT NULL DEFAULT '',
  DROP CONSTRAINT members_role_check,
  ADD CHECK (role IN ('guest', 'participant', 'assistant', 'organiser', 'administrator'));
ALTER TABLE invitations
  ADD email text,
  ADD group_name text NOT NULL DEFAULT '',
  DROP CONSTRAINT invitations_role_check,
  ADD CHECK (role IN ('guest', 'participant', 'assistant', 'organiser', 'administrator'));
-- Whoever is on a roster and has no account yet: one invitation for an address and course.
CREATE UNIQUE INDEX invitations_email ON invitations (email, space_id)
  WHERE email IS NOT NULL AND uses_left > 0 AND revoked_at IS NULL;

CREATE TABLE announcements (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  title text NOT NULL,
  body text NOT NULL,
  pinned boolean NOT NULL DEFAULT false,
  author_id text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX announcements_space ON announcements (space_id, pinned DESC, id DESC);

CREATE TABLE tasks (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  slug text NOT NULL,
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  opened boolean NOT NULL DEFAULT false,
  opens_at timestamptz,
  deadline timestamptz,
  closes_at timestamptz,
  -- The rest of its settings, complete.
  settings jsonb NOT NULL,
  template_digest text REFERENCES bundles,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (space_id, slug)
);
CREATE INDEX tasks_template ON tasks (template_digest) WHERE template_digest IS NOT NULL;
CREATE TABLE task_versions (
  id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES tasks,
  number int NOT NULL,
  format text NOT NULL CHECK (format IN ('native', 'aivle')),
  digest text NOT NULL REFERENCES bundles,
  size_bytes bigint NOT NULL,
  state text NOT NULL DEFAULT 'checking' CHECK (state IN ('checking', 'ready', 'refused', 'cancelled', 'failed')),
  -- The one that grades; of a task at most one.
  in_use boolean NOT NULL DEFAULT false,
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  findings jsonb NOT NULL DEFAULT '[]',
  -- What the worker read in its manifest: title, environment, points, cases, what a grading needs. Null until then.
  summary jsonb,
  created_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (task_id, number),
  CHECK (NOT in_use OR state = 'ready')
);
CREATE UNIQUE INDEX task_versions_in_use ON task_versions (task_id) WHERE in_use;
CREATE INDEX task_versions_digest ON task_versions (digest);
CREATE TABLE task_extensions (
  task_id uuid NOT NULL REFERENCES tasks,
  user_id text NOT NULL REFERENCES "user",
  until timestamptz NOT NULL,
  note text NOT NULL DEFAULT '',
  PRIMARY KEY (task_id, user_id)
);

CREATE TABLE task_submissions (
  id uuid PRIMARY KEY,
  space_id uuid NOT NULL REFERENCES spaces,
  task_id uuid NOT NULL REFERENCES tasks,
  owner_id text NOT NULL REFERENCES "user",
  number int NOT NULL,
  digest text NOT NULL REFERENCES bundles,
  size_bytes bigint NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'graded', 'cancelled', 'failed')),
  -- The job that grades it, or graded it last.
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  -- When it was handed in, fixed then; how late that is follows from the deadline of its owner.
  arrived_at timestamptz NOT NULL,
  late_seconds bigint NOT NULL,
  -- How many grades it has had, and the newest one's points and what was full marks then.
  grades int NOT NULL DEFAULT 0,
  points double precision,
  out_of double precision,
  UNIQUE (task_id, owner_id, number)
);
CREATE INDEX task_submissions_space ON task_submissions (space_id, id DESC);
CREATE INDEX task_submissions_owner ON task_submissions (owner_id, space_id, id DESC);
CREATE INDEX task_submissions_task ON task_submissions (task_id, id DESC);
CREATE INDEX task_submissions_digest ON task_submissions (digest);

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TABLE task_grades (
  id uuid PRIMARY KEY,
  submission_id uuid NOT NULL REFERENCES task_submissions,
  number int NOT NULL,
  version_id uuid NOT NULL REFERENCES task_versions,
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  outcome text NOT NULL CHECK (outcome IN ('completed', 'agent_fault')),
  points double precision NOT NULL,
  out_of double precision NOT NULL,
  -- The whole grade, with the digests of everything it came from.
  document jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (submission_id, number)
);
CREATE TRIGGER task_grades_append_only BEFORE UPDATE OR DELETE ON task_grades
  FOR EACH ROW EXECUTE FUNCTION append_only();
-- Points given by hand: the newest counts; null takes back.
CREATE TABLE task_marks (
  id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES tasks,
  user_id text NOT NULL REFERENCES "user",
  points double precision,
  note text NOT NULL,
  given_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_marks_task ON task_marks (task_id, user_id, id DESC);
CREATE TRIGGER task_marks_append_only BEFORE UPDATE OR DELETE ON task_marks
  FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TABLE task_comparisons (
  id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES tasks,
  job_id uuid NOT NULL UNIQUE REFERENCES jobs,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
  result jsonb,
  created_by text NOT NULL REFERENCES "user",
  created_at timestamptz NOT NULL DEFAULT now()
);
