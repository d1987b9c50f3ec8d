/**
 * What the embedded worker gets of the server's environment. A worker holds one token and no other secret, so this is a list of
 * what it needs: a variable that nobody thought of is left out, not handed on.
 */
import type { PackageValues } from "../config/package-settings.ts";
import { PACKAGES_VARIABLE } from "../config/package-values.ts";

const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TERM|NO_COLOR|FORCE_COLOR|TMPDIR|XDG_(RUNTIME_DIR|CACHE_HOME)|LD_LIBRARY_PATH|NODE_(OPTIONS|EXTRA_CA_CERTS|V8_COVERAGE)|SSL_CERT_(FILE|DIR)|DOCKER_(HOST|CERT_PATH|TLS_VERIFY|API_VERSION)|CUDA_.*|NVIDIA_.*|OTEL_.*|LANISTA_(RUN_DIR|CACHE_DIR|CDI_DIRS|NVML))$/;

/** By which uv's and pip's users say where packages come from, as index-settings.ts reads them, and how the index is reached. */
const PACKAGES =
  /^(UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|FIND_LINKS|OFFLINE|NO_INDEX|CONSTRAINT|BUILD_CONSTRAINT|HTTP_TIMEOUT)|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONSTRAINT|BUILD_CONSTRAINT|CERT|CONFIG_FILE|DEFAULT_TIMEOUT|TIMEOUT)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|XDG_CONFIG_HOME|HTTPS?_PROXY|https?_proxy|NO_PROXY|no_proxy)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** `OTEL_…` is among it: where spans go, and how one may send them there. */
export function embeddedEnvironment(
  own: Environment,
  token: string,
  collector: string,
  packages: PackageValues,
): Environment {
  return {
    ...Object.fromEntries(Object.entries(own).filter(([name]) => NEEDED.test(name) || PACKAGES.test(name))),
    LANISTA_TOKEN: token,
    [PACKAGES_VARIABLE]: JSON.stringify(packages),
    ...(collector !== "" && { LANISTA_OTEL_ENDPOINT: collector }),
  };
}
