/** The tables as Kysely sees them: what migrations/ makes. Column names are the database's. */
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from "kysely";

type Json<T> = JSONColumnType<T & object, string, string>;
/** bigint comes as a number: ours stay below 2^53. */
type Stamp = ColumnType<Date, Date | string, Date | string>;
type MadeStamp = ColumnType<Date, Date | string | undefined, Date | string>;

export interface OutcomeRow {
  readonly kind: "completed" | "agent_fault" | "infra_fault" | "cancelled";
  readonly seats?: readonly number[];
  readonly fault?: string;
  readonly detail?: string;
}

export interface ResourcesRow {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly gpus?: number;
  readonly vramBytes?: number;
}

export interface UserTable {
  id: string;
  name: string;
  email: string;
  emailVerified: Generated<boolean>;
  image: string | null;
  createdAt: MadeStamp;
  updatedAt: MadeStamp;
  administrator: Generated<boolean>;
  organiser: Generated<boolean>;
  locked: Generated<boolean>;
}
export interface SessionTable {
  id: string;
  expiresAt: Stamp;
  token: string;
  createdAt: MadeStamp;
  updatedAt: MadeStamp;
  ipAddress: string | null;
  userAgent: string | null;
  userId: string;
}
export interface SettingsTable {
  key: string;
  value: ColumnType<unknown, string, string>;
}
export interface SpacesTable {
  id: string;
  slug: string;
  title: string;
  created_at: MadeStamp;
  max_running: Generated<number>;
  max_running_per_participant: Generated<number>;
  daily_submissions: Generated<number>;
  quota_bytes: Generated<number>;
  kind: Generated<"competition" | "course">;
  year: Generated<number>;
  semester: Generated<string>;
  join_patterns: Generated<string[]>;
}
/** From the least to the most. */
export type Role = "guest" | "participant" | "assistant" | "organiser" | "administrator";
export interface MembersTable {
  space_id: string;
  user_id: string;
  role: Role;
  joined_at: MadeStamp;
  group_name: Generated<string>;
}
export interface InvitationsTable {
  id: string;
  space_id: string;
  role: Role;
  code_hash: Buffer;
  note: Generated<string>;
  uses_left: number;
  expires_at: Stamp;
  revoked_at: Stamp | null;
  created_by: string;
  created_at: MadeStamp;
  email: string | null;
  group_name: Generated<string>;
}
export type TokenScope = "participant" | "organiser" | "administrator" | "worker" | "executor";
export interface TokensTable {
  id: string;
  name: string;
  prefix: string;
  secret_hash: Buffer;
  scope: TokenScope;
  user_id: string | null;
  created_by: string | null;
  space_id: string | null;
  queues: Generated<string[]>;
  created_at: MadeStamp;
  expires_at: Stamp;
  last_used_at: Stamp | null;
  revoked_at: Stamp | null;
}
export interface AuditTable {
  id: string;
  at: MadeStamp;
  actor: string;
  action: string;
  subject: Generated<string>;
  space_id: string | null;
  detail: ColumnType<unknown, string, string>;
}
export interface IdempotencyTable {
  caller: string;
  key: string;
  method: string;
  request_hash: Buffer;
  response: Buffer;
  created_at: MadeStamp;
}
export interface BundlesTable {
  digest: string;
  size_bytes: number;
  created_at: MadeStamp;
}
export interface UploadsTable {
  id: string;
  space_id: string;
  user_id: string;
  digest: string;
  size_bytes: number;
  next_offset: Generated<number>;
  complete: Generated<boolean>;
  expires_at: Stamp;
  created_at: MadeStamp;
}
export interface EnvironmentsTable {
  id: string;
  space_id: string;
  digest: string;
  size_bytes: number;
  state: Generated<"checking" | "ready" | "refused" | "cancelled" | "failed">;
  job_id: string;
  findings: ColumnType<unknown, string | undefined, string>;
  summary: ColumnType<unknown, string | null | undefined, string | null>;
  created_by: string;
  created_at: MadeStamp;
}
export interface AgentsTable {
  id: string;
  space_id: string;
  owner_id: string;
  name: string;
  created_at: MadeStamp;
}
export interface AgentVersionsTable {
  id: string;
  agent_id: string;
  number: number;
  digest: string;
  size_bytes: number;
  validation: Generated<"waiting" | "valid" | "invalid">;
  errors: Generated<string[]>;
  warnings: Generated<string[]>;
  created_at: MadeStamp;
}
export interface LaddersTable {
  id: string;
  space_id: string;
  slug: string;
  title: string;
  state: Generated<"open" | "frozen" | "finals" | "finished">;
  public: Generated<boolean>;
  rules: ColumnType<unknown, string, string>;
  log_length: Generated<number>;
  agents: Generated<number>;
  plan: ColumnType<unknown, string | null | undefined, string | null>;
  plan_next: Generated<number>;
  finals_from: number | null;
  created_at: MadeStamp;
}
export interface LadderAgentsTable {
  ladder_id: string;
  agent_id: string;
  version_id: string;
  active: Generated<boolean>;
  mu: number;
  sigma: number;
  rating: GeneratedAlways<number>;
  matches: Generated<number>;
  wins: Generated<number>;
  draws: Generated<number>;
  losses: Generated<number>;
  faults: Generated<number>;
  last_match_at: Stamp | null;
  rated_version_id: string | null;
  urgency: number;
  day: Stamp | null;
  day_matches: Generated<number>;
  infra_streak: Generated<number>;
  held_until: Stamp | null;
  final_elo: number | null;
  final_low: number | null;
  final_high: number | null;
  joined_at: MadeStamp;
}
export interface QueuesTable {
  name: string;
  space_id: string | null;
  max_running: Generated<number>;
  paused: Generated<boolean>;
  keep_free: Json<ResourcesRow>;
}
export type JobState = "waiting" | "running" | "ended" | "dead";
export interface JobsTable {
  id: string;
  kind: string;
  queue: string;
  space_id: string | null;
  owner_id: string | null;
  fair_key: string;
  fair_tag: Generated<number>;
  class: string;
  priority: Generated<number>;
  state: Generated<JobState>;
  payload: ColumnType<unknown, string, string>;
  cpus: Generated<number>;
  memory_bytes: Generated<number>;
  gpus: Generated<number>;
  vram_bytes: Generated<number>;
  tier: Generated<string>;
  not_before: MadeStamp;
  held: Generated<boolean>;
  wait_until: Stamp;
  timeout_seconds: number;
  attempt: Generated<number>;
  max_attempts: Generated<number>;
  fence: Generated<number>;
  worker_id: string | null;
  lease_until: Stamp | null;
  attempt_until: Stamp | null;
  outcome: ColumnType<OutcomeRow | null, string | null, string | null>;
  result: ColumnType<unknown, string | null, string | null>;
  created_at: MadeStamp;
  started_at: Stamp | null;
  ended_at: Stamp | null;
}
export interface QueueClocksTable {
  queue: string;
  priority: number;
  tag: number;
}
export interface AttemptsTable {
  job_id: string;
  number: number;
  fence: number;
  worker_id: string | null;
  worker_name: Generated<string>;
  started_at: MadeStamp;
  ended_at: Stamp | null;
  outcome: ColumnType<OutcomeRow | null, string | null, string | null>;
  report_hash: Buffer | null;
  output_bytes: ColumnType<Record<string, number>, string | undefined, string>;
}
export interface JobOutputTable {
  job_id: string;
  attempt: number;
  seq: number;
  seat: number;
  text: string;
}
export interface WorkersTable {
  id: string;
  token_id: string;
  name: string;
  version: string;
  queues: string[];
  kinds: string[];
  concurrency: number;
  total: Json<ResourcesRow>;
  free: Json<ResourcesRow>;
  tiers: ColumnType<unknown, string, string>;
  draining: Generated<boolean>;
  paused: Generated<string>;
  health: ColumnType<unknown, string, string>;
  started_at: MadeStamp;
  seen_at: MadeStamp;
}
export interface SubmissionsTable {
  id: string;
  space_id: string;
  ladder_id: string;
  agent_id: string;
  version_id: string;
  owner_id: string;
  job_id: string;
  state: Generated<"validating" | "accepted" | "rejected" | "cancelled" | "failed">;
  errors: Generated<string[]>;
  warnings: Generated<string[]>;
  created_at: MadeStamp;
}
export interface MatchesTable {
  id: string;
  job_id: string;
  space_id: string | null;
  ladder_id: string | null;
  owner_id: string | null;
  reason: "ladder" | "placement" | "finals" | "requested" | "executor";
  env: string;
  env_files: string | null;
  options: ColumnType<Record<string, number | boolean | string>, string, string>;
  /** A decimal number. */
  seed: string;
  rated: Generated<boolean>;
  state: Generated<JobState>;
  outcome: ColumnType<OutcomeRow | null, string | null, string | null>;
  episodes: Generated<number>;
  steps: Generated<number>;
  replay_hash: Generated<string>;
  replay_blob: string | null;
  created_at: MadeStamp;
  ended_at: Stamp | null;
}
export interface MatchSeatsTable {
  match_id: string;
  seat: number;
  agent_id: string | null;
  version_id: string | null;
  name: string;
  score: number | null;
  rank: number | null;
  faults: Generated<number>;
  fault: Generated<string>;
  mu_before: number | null;
  mu_after: number | null;
}
/** An agent as RL Arena's backend named it. */
export interface ExecutorAgent {
  readonly agent_id: string;
  readonly version: string;
  /** Why its code was not taken: then it cannot start, and forfeits. Empty where it was. */
  readonly refused: string;
}
export interface ExecutorMatchesTable {
  match_id: string;
  caller: string;
  external_id: string;
  request_hash: Buffer;
  record_replay: boolean;
  agents: ColumnType<ExecutorAgent[], string, never>;
}
/** A seat of a logged match. */
export interface LoggedSeat {
  readonly agent: string;
  readonly version: string;
  readonly rank: number;
  readonly score: number;
  readonly fault: string;
}
export interface MatchLogTable {
  ladder_id: string;
  number: number;
  match_id: string;
  kind: "ladder" | "finals";
  seats: ColumnType<LoggedSeat[], string, never>;
  at: MadeStamp;
}
export interface HeadToHeadTable {
  ladder_id: string;
  agent_a: string;
  agent_b: string;
  a_wins: Generated<number>;
  draws: Generated<number>;
  b_wins: Generated<number>;
  last_at: Stamp | null;
}
export interface SchedulesTable {
  id: string;
  space_id: string;
  ladder_id: string;
  action: "freeze" | "unfreeze" | "round";
  cron: string;
  time_zone: Generated<string>;
  last_run_at: Stamp | null;
  last_error: Generated<string>;
  created_by: string;
  created_at: MadeStamp;
}
export interface AnnouncementsTable {
  id: string;
  space_id: string;
  title: string;
  body: string;
  pinned: Generated<boolean>;
  author_id: string;
  created_at: MadeStamp;
}
export interface TasksTable {
  id: string;
  space_id: string;
  slug: string;
  title: string;
  description: Generated<string>;
  opened: Generated<boolean>;
  opens_at: Stamp | null;
  deadline: Stamp | null;
  closes_at: Stamp | null;
  settings: ColumnType<unknown, string, string>;
  template_digest: string | null;
  created_at: MadeStamp;
  import_key: string | null;
}
export interface TaskVersionsTable {
  id: string;
  task_id: string;
  number: number;
  format: "native" | "aivle";
  digest: string;
  size_bytes: number;
  state: Generated<"checking" | "ready" | "refused" | "cancelled" | "failed">;
  in_use: Generated<boolean>;
  job_id: string;
  findings: ColumnType<unknown, string | undefined, string>;
  summary: ColumnType<unknown, string | null | undefined, string | null>;
  created_by: string;
  created_at: MadeStamp;
}
export interface TaskExtensionsTable {
  task_id: string;
  user_id: string;
  until: Stamp;
  note: Generated<string>;
}
export interface TaskSubmissionsTable {
  id: string;
  space_id: string;
  task_id: string;
  owner_id: string | null;
  number: number;
  digest: string;
  size_bytes: number;
  state: Generated<"waiting" | "running" | "graded" | "cancelled" | "failed">;
  job_id: string | null;
  arrived_at: Stamp;
  late_seconds: number;
  grades: Generated<number>;
  points: number | null;
  out_of: number | null;
  held_for: string | null;
  import_key: string | null;
  import_fingerprint: string | null;
  counts: Generated<boolean>;
}
export interface TaskGradesTable {
  id: string;
  submission_id: string;
  number: number;
  version_id: string | null;
  job_id: string | null;
  outcome: "completed" | "agent_fault";
  points: number;
  out_of: number;
  document: ColumnType<unknown, string, never>;
  created_at: MadeStamp;
}
export interface TaskMarksTable {
  id: string;
  task_id: string;
  user_id: string;
  points: number | null;
  note: string;
  given_by: string;
  created_at: MadeStamp;
}
export interface TaskComparisonsTable {
  id: string;
  task_id: string;
  job_id: string;
  state: Generated<"waiting" | "running" | "done" | "cancelled" | "failed">;
  result: ColumnType<unknown, string | null | undefined, string | null>;
  created_by: string;
  created_at: MadeStamp;
}

export interface Tables {
  user: UserTable;
  session: SessionTable;
  settings: SettingsTable;
  spaces: SpacesTable;
  members: MembersTable;
  invitations: InvitationsTable;
  tokens: TokensTable;
  audit: AuditTable;
  idempotency: IdempotencyTable;
  bundles: BundlesTable;
  uploads: UploadsTable;
  environments: EnvironmentsTable;
  agents: AgentsTable;
  agent_versions: AgentVersionsTable;
  ladders: LaddersTable;
  ladder_agents: LadderAgentsTable;
  queues: QueuesTable;
  jobs: JobsTable;
  queue_clocks: QueueClocksTable;
  attempts: AttemptsTable;
  job_output: JobOutputTable;
  workers: WorkersTable;
  submissions: SubmissionsTable;
  matches: MatchesTable;
  match_seats: MatchSeatsTable;
  executor_matches: ExecutorMatchesTable;
  match_log: MatchLogTable;
  head_to_head: HeadToHeadTable;
  schedules: SchedulesTable;
  announcements: AnnouncementsTable;
  tasks: TasksTable;
  task_versions: TaskVersionsTable;
  task_extensions: TaskExtensionsTable;
  task_submissions: TaskSubmissionsTable;
  task_grades: TaskGradesTable;
  task_marks: TaskMarksTable;
  task_comparisons: TaskComparisonsTable;
}
