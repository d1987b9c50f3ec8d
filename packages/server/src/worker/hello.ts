import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WorkerHelloSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import type { Abilities } from "./abilities.ts";
import type { GpuShelf } from "./gpu-shelf.ts";
import type { MachineWatch } from "./machine.ts";
import type { WorkerPlan } from "./options.ts";
import { RUNNERS } from "./runners/all.ts";
import { wireResources } from "./wire-resources.ts";

/** What a worker says of itself. */
export function helloOf(
  workerId: string,
  { name, version, queues, concurrency }: WorkerPlan,
  machine: MachineWatch,
  gpus: GpuShelf,
  abilities: Abilities,
): MessageInitShape<typeof WorkerHelloSchema> {
  return {
    workerId,
    name,
    version,
    queues: [...queues],
    concurrency,
    total: wireResources({ ...machine.total, ...gpus.total }),
    tiers: abilities.tiers.map((tier) => ({ ...tier, missing: [...tier.missing] })),
    kinds: [...RUNNERS.keys()],
  };
}
