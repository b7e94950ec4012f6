/** The hosts of a session: `h1` is the manager, the others are workers. */
export type HostName = 'h1' | 'h2' | 'h3';

/** A command that docker's CLI is given on one host, or something to wait for. */
export type Step = string | Row | Wait;

/**
 * One command line, without `docker`. Of its words these are replaced: `{image}`, `{address}` (the manager's
 * cluster address), `{own}` (that of the host), `{p}` (the first digit of published ports, which differs on the two
 * sides), `{worker}` and `{manager}` (join tokens), `{dir}` (a folder with files), `{task:NAME}` (a task's id).
 */
export interface Row {
  readonly run: string;
  /** `h1` if absent. */
  readonly on?: HostName;
  readonly input?: string;
  /** The command goes on for ever: it is ended once it printed all of these. */
  readonly until?: readonly string[];
  /** bale refuses it with these words; it is run before bale only. */
  readonly refused?: string;
  /** bale does not print what Swarm prints, on purpose. */
  readonly differs?: Difference;
}

export interface Difference {
  /** As it stands in docs/compatibility.md. */
  readonly why: string;
  /** What bale prints, after normalisation. */
  readonly bale: RegExp;
}

export type Wait =
  | { readonly wait: 'tasks'; readonly of: string; readonly state: string; readonly count: number }
  | { readonly wait: 'node'; readonly of: string; readonly state: string }
  /** The newest rollout of a service. */
  | { readonly wait: 'rollout'; readonly of: string; readonly state: string };

export const isWait = (step: Step): step is Wait => typeof step === 'object' && 'wait' in step;

export const rowOf = (step: string | Row): Row => (typeof step === 'string' ? { run: step } : step);

/** A command line's words, as a shell parts them. */
export const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single: string | undefined, double: string | undefined) => {
      return single ?? double ?? '';
    }),
  );
