/** Every service of the contract, registered. */
import type { ConnectRouter } from "@connectrpc/connect";
import { Executor } from "@lanista/api/gen/executor/executor_pb";
import { Health } from "@lanista/api/gen/grpc/health/v1/health_pb";
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
import { executorService } from "../executor/service.ts";
import { agentService } from "./agents.ts";
import { courseService } from "./courses.ts";
import { environmentService } from "./environments.ts";
import { gradeService } from "./grades.ts";
import { healthService } from "./health.ts";
import { jobService } from "./jobs.ts";
import { ladderService } from "./ladders.ts";
import { matchService } from "./matches.ts";
import type { ServiceParts } from "./parts.ts";
import { replayService } from "./replays.ts";
import { scheduleService } from "./schedules.ts";
import { spaceService } from "./spaces.ts";
import { submissionService } from "./submissions.ts";
import { taskService } from "./tasks.ts";
import { tokenService } from "./tokens.ts";
import { workerService } from "./workers.ts";

/** A worker's report holds a replay of 64 MiB beside its result. */
const REPORT_BYTES = 72 * 2 ** 20;

export function registerServices(router: ConnectRouter, parts: ServiceParts): void {
  const { app } = parts;
  router.service(AgentService, agentService(app));
  router.service(CourseService, courseService(app, parts));
  router.service(GradeService, gradeService(app));
  router.service(JobService, jobService(app));
  router.service(LadderService, ladderService(app));
  router.service(EnvironmentService, environmentService(app));
  router.service(MatchService, matchService(app));
  router.service(ReplayService, replayService(app));
  router.service(ScheduleService, scheduleService(app));
  router.service(SpaceService, spaceService(app, parts));
  router.service(SubmissionService, submissionService(app));
  router.service(TaskService, taskService(app));
  router.service(TokenService, tokenService(app, parts));
  const workers = workerService(app);
  router.service(WorkerService, workers);
  // The later wins: this one method takes more than the others.
  router.rpc(WorkerService.method.report, workers.report.bind(workers), { readMaxBytes: REPORT_BYTES });
}

/** On gRPC's port only. */
export function registerGrpcServices(router: ConnectRouter, { app, readiness }: ServiceParts): void {
  if (app.config.executor.enabled) {
    const { service, readMaxBytes } = executorService(app, readiness);
    router.service(Executor, service, { readMaxBytes });
  }
  // Last: it speaks for those before it.
  router.service(
    Health,
    healthService(app, readiness, new Set(router.handlers.map(({ service }) => service.typeName))),
  );
}
