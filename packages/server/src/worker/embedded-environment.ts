/**
 * What the embedded worker gets of the server's environment. A worker holds one token and no other secret, so this is a list of
 * what it needs: a variable that nobody thought of is left out, not handed on.
 */
const NEEDED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TERM|NO_COLOR|FORCE_COLOR|TMPDIR|XDG_(RUNTIME_DIR|CACHE_HOME)|LD_LIBRARY_PATH|NODE_(OPTIONS|EXTRA_CA_CERTS|V8_COVERAGE)|SSL_CERT_(FILE|DIR)|DOCKER_(HOST|CERT_PATH|TLS_VERIFY|API_VERSION)|CUDA_.*|NVIDIA_.*|OTEL_.*|LANISTA_(RUN_DIR|CACHE_DIR|CDI_DIRS|NVML))$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** `OTEL_…` is among it: where spans go, and how one may send them there. */
export function embeddedEnvironment(own: Environment, token: string, collector: string): Environment {
  return {
    ...Object.fromEntries(Object.entries(own).filter(([name]) => NEEDED.test(name))),
    LANISTA_TOKEN: token,
    ...(collector !== "" && { LANISTA_OTEL_ENDPOINT: collector }),
  };
}
