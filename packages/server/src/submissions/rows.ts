/** Submissions as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Submission_State, type SubmissionSchema } from "@lanista/api/gen/lanista/v1/submissions_pb";
import type { Selectable } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import type { SubmissionsTable } from "../db/types.ts";

export type SubmissionRow = Selectable<SubmissionsTable> & {
  readonly agent_name: string;
  readonly version_number: number;
};

const STATES = {
  validating: Submission_State.VALIDATING,
  accepted: Submission_State.ACCEPTED,
  rejected: Submission_State.REJECTED,
  cancelled: Submission_State.CANCELLED,
  failed: Submission_State.FAILED,
} as const;

/** Submissions with their agents' names and versions' numbers. */
export function selectSubmissions(db: Db | Tx) {
  return db
    .selectFrom("submissions as s")
    .innerJoin("agents as a", "a.id", "s.agent_id")
    .innerJoin("agent_versions as v", "v.id", "s.version_id")
    .selectAll("s")
    .select(["a.name as agent_name", "v.number as version_number"]);
}

export function submissionMessage(row: SubmissionRow): MessageInitShape<typeof SubmissionSchema> {
  return {
    id: row.id,
    ladderId: row.ladder_id,
    agentId: row.agent_id,
    agentName: row.agent_name,
    versionId: row.version_id,
    versionNumber: row.version_number,
    state: STATES[row.state],
    jobId: row.job_id,
    errors: row.errors,
    warnings: row.warnings,
    createdAt: timestampFromDate(row.created_at),
    ownerId: row.owner_id,
  };
}
