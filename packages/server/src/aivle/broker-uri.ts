/** A broker's URI as Celery's transports read it: `amqp://user:password@host:port/vhost`, several with `;` between, or `sqs://`. */

export interface AmqpAddress {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
}

export interface SqsAddress {
  /** Undefined: as AWS's tools find them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Undefined: AWS's own. */
  readonly endpoint: string | undefined;
}

export type BrokerAddress =
  | { readonly kind: "amqp"; readonly hosts: readonly AmqpAddress[] }
  | { readonly kind: "sqs"; readonly sqs: SqsAddress };

const AMQP: Readonly<Record<string, "amqp" | "amqps">> = {
  "amqp:": "amqp",
  "pyamqp:": "amqp",
  "librabbitmq:": "amqp",
  "amqps:": "amqps",
};

/** Throws an Error whose message shows no password. */
export function readBrokerUri(uri: string): BrokerAddress {
  const parts = uri.split(";").map((part) => part.trim());
  const [first = ""] = parts;
  if (first.startsWith("sqs:")) {
    if (parts.length > 1) throw new Error("BROKER_URI: names several brokers, which SQS has no use for");
    return { kind: "sqs", sqs: readSqs(first) };
  }
  return { kind: "amqp", hosts: parts.map(readAmqp) };
}

function readAmqp(uri: string): AmqpAddress {
  const url = URL.parse(uri);
  const protocol = AMQP[url?.protocol ?? ""];
  if (url === null || protocol === undefined)
    throw new Error(
      "BROKER_URI: must begin with amqp://, amqps:// or sqs:// (other brokers of Celery's are not served)",
    );
  // `amqp://host//` is the vhost "/", and so is none at all.
  const vhost = decodeURIComponent(url.pathname.slice(1));
  return {
    protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, "") || "localhost",
    port: url.port === "" ? (protocol === "amqp" ? 5672 : 5671) : Number(url.port),
    username: url.username === "" ? "guest" : decodeURIComponent(url.username),
    password: url.username === "" && url.password === "" ? "guest" : decodeURIComponent(url.password),
    vhost: vhost === "" ? "/" : vhost,
  };
}

/** By hand: `sqs://KEY:SECRET@` has a name and no host, which is no URL to the standard. */
function readSqs(uri: string): SqsAddress {
  const match = /^sqs:\/\/(?:([^:@/]*):([^:@/]*)@)?([^:@/]*(?::\d+)?)\/*$/.exec(uri);
  if (match === null)
    throw new Error("BROKER_URI: is no sqs://KEY:SECRET@ (a secret key's / and + must be written as %2F and %2B)");
  const [, key = "", secret = "", host = ""] = match;
  return {
    credentials:
      key === "" ? undefined : { accessKeyId: decodeURIComponent(key), secretAccessKey: decodeURIComponent(secret) },
    endpoint: host === "" ? undefined : `http://${host}`,
  };
}
