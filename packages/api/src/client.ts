/** The typed client: one object with a client of each service. */
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AgentService } from "@lanista/api/gen/lanista/v1/agents_pb";
import { CourseService } from "@lanista/api/gen/lanista/v1/courses_pb";
import { EnvironmentService } from "@lanista/api/gen/lanista/v1/environments_pb";
import { GradeService } from "@lanista/api/gen/lanista/v1/grades_pb";
import { JobService } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { LadderService } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { MatchService } from "@lanista/api/gen/lanista/v1/matches_pb";
import { ReplayService } from "@lanista/api/gen/lanista/v1/replays_pb";
import { ScheduleService } from "@lanista/api/gen/lanista/v1/schedules_pb";
import { SpaceService } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { SubmissionService } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { TaskService } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { TokenService } from "@lanista/api/gen/lanista/v1/tokens_pb";
import { WorkerService } from "@lanista/api/gen/lanista/v1/workers_pb";

/** Every service of lanista.v1, by its short name. */
export const SERVICES = {
  agents: AgentService,
  courses: CourseService,
  environments: EnvironmentService,
  grades: GradeService,
  jobs: JobService,
  ladders: LadderService,
  matches: MatchService,
  replays: ReplayService,
  schedules: ScheduleService,
  spaces: SpaceService,
  submissions: SubmissionService,
  tasks: TaskService,
  tokens: TokenService,
  workers: WorkerService,
} as const satisfies Record<string, DescService>;

export type LanistaClient = { readonly [Name in keyof typeof SERVICES]: Client<(typeof SERVICES)[Name]> };

export interface ClientOptions {
  /** Such as `http://localhost:8080`. */
  readonly url: string;
  readonly token?: string;
  readonly interceptors?: readonly Interceptor[];
}

/** Of a transport of one's own, such as an in-memory one. */
export function clientOf(transport: Transport): LanistaClient {
  const entries = Object.entries(SERVICES).map(([name, service]) => [name, createClient(service, transport)]);
  return Object.fromEntries(entries) as LanistaClient;
}

/** Over HTTP/1.1 with the Connect protocol. */
export function connect(options: ClientOptions): LanistaClient {
  const { url, token, interceptors = [] } = options;
  const authorize: Interceptor = (next) => (request) => {
    if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return clientOf(
    createConnectTransport({ baseUrl: url, httpVersion: "1.1", interceptors: [authorize, ...interceptors] }),
  );
}
