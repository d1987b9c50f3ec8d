-- What is brought over from elsewhere. Its keys say what of it is here already, so that bringing it twice brings it once.
ALTER TABLE tasks ADD import_key text;
CREATE UNIQUE INDEX tasks_import ON tasks (space_id, import_key) WHERE import_key IS NOT NULL;

ALTER TABLE task_submissions
  ALTER owner_id DROP NOT NULL,
  -- Null: nothing here has graded it.
  ALTER job_id DROP NOT NULL,
  -- Of somebody who has not come in yet: his address. It becomes his when that is confirmed, or by his invitation's code.
  ADD held_for text,
  ADD import_key text,
  -- What the source said of it; another one: something has changed there.
  ADD import_fingerprint text,
  -- false: where it came from, another one counted.
  ADD counts boolean NOT NULL DEFAULT true,
  ADD CHECK ((owner_id IS NULL) = (held_for IS NOT NULL)),
  ADD CHECK ((import_key IS NULL) = (import_fingerprint IS NULL)),
  ADD CHECK (import_key IS NOT NULL OR (owner_id IS NOT NULL AND job_id IS NOT NULL AND counts));
CREATE UNIQUE INDEX task_submissions_import ON task_submissions (task_id, import_key) WHERE import_key IS NOT NULL;
CREATE UNIQUE INDEX task_submissions_held_number ON task_submissions (task_id, held_for, number) WHERE held_for IS NOT NULL;
CREATE INDEX task_submissions_held ON task_submissions (space_id, held_for) WHERE held_for IS NOT NULL;

-- A grade that was given elsewhere: neither a version nor a job of ours gave it.
ALTER TABLE task_grades
  ALTER version_id DROP NOT NULL,
  ALTER job_id DROP NOT NULL,
  ADD CHECK ((version_id IS NULL) = (job_id IS NULL));
