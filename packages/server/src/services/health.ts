/** gRPC's standard health service. The server as a whole (`""`) and each service of it has one state. */
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "@lanista/api/gen/grpc/health/v1/health_pb";
import type { App } from "../app.ts";
import type { Readiness } from "../http/readiness.ts";

const LOOK_MS = 5_000;

/** `names`: the services that are served. */
export function healthService(app: App, readiness: Readiness, names: ReadonlySet<string>): ServiceImpl<typeof Health> {
  const state = async (): Promise<Status> =>
    (await readiness.missing()).length === 0 ? Status.SERVING : Status.NOT_SERVING;
  const known = (service: string): boolean => service === "" || names.has(service);
  return {
    async check({ service }) {
      if (!known(service)) throw new ConnectError(`there is no service ${service} here`, Code.NotFound);
      return { status: await state() };
    },
    async *watch({ service }, context) {
      let told: Status | undefined;
      for await (const _ of app.events.changes([], context.signal, LOOK_MS)) {
        const status = known(service) ? await state() : Status.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
      }
    },
  };
}
