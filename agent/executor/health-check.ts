/** The health check of a container, as the Engine will run it. */
export interface HealthCheck {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** ms between two probes of the Engine. */
  readonly interval: number;
  /** ms a probe may take. */
  readonly timeout: number;
  /** ms from the container's start in which failures do not count; 0 = none. */
  readonly startPeriod: number;
}

/** What came of running a health check once. */
export type ProbeResult =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly output: string }
  /** It has not ended within its timeout; nothing can end it, so no other one is begun before it does. */
  | { readonly kind: 'hangs' };

/** The part of a container's configuration that its health check is made of, image defaults filled in. */
export interface CheckedConfig {
  readonly Healthcheck?:
    | {
        readonly Test?: readonly string[] | undefined;
        /** ns; 0 = the Engine's default. */
        readonly Interval?: number | undefined;
        readonly Timeout?: number | undefined;
        readonly StartPeriod?: number | undefined;
      }
    | undefined;
  /** What CMD-SHELL is run with; null = the Engine's default. */
  readonly Shell?: readonly string[] | null;
}

/** ms; the Engine's defaults. */
const INTERVAL = 30_000;
const TIMEOUT = 30_000;
const NS_PER_MS = 1e6;
const SHELL = ['/bin/sh', '-c'];

/** The health check of a container; undefined when it has none, or one that the Engine does not run. */
export function healthCheckOf({ Healthcheck, Shell }: CheckedConfig): HealthCheck | undefined {
  const [kind, ...rest] = Healthcheck?.Test ?? [];
  const shell = Shell === undefined || Shell === null || Shell.length === 0 ? SHELL : Shell;
  const command = kind === 'CMD' ? rest : kind === 'CMD-SHELL' ? [...shell, ...rest] : [];
  if (command.length === 0) return undefined;
  return {
    command,
    interval: milliseconds(Healthcheck?.Interval, INTERVAL),
    timeout: milliseconds(Healthcheck?.Timeout, TIMEOUT),
    startPeriod: milliseconds(Healthcheck?.StartPeriod, 0),
  };
}

const milliseconds = (ns: number | undefined, fallback: number): number =>
  ns === undefined || ns === 0 ? fallback : ns / NS_PER_MS;

/** Characters of a probe's output that are shown. */
const SHOWN = 200;

/** `last probe exit 1: connection refused` */
export function describeProbe(result: ProbeResult): string {
  if (result.kind === 'hangs') return 'the last probe has not ended in time';
  const output = result.output.replace(/\s+/g, ' ').trim();
  return `last probe exit ${result.exitCode}${output === '' ? '' : `: ${output.slice(0, SHOWN)}`}`;
}
