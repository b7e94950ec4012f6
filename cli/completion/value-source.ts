import type { FlagShape } from './command-shape.js';

export type Named = 'services' | 'tasks' | 'nodes' | 'secrets' | 'configs';

/** Where the values of a flag or an operand come from. */
export type ValueSource =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Words that something still follows: `name=`. */
  | { readonly kind: 'beginnings'; readonly words: readonly string[] }
  /** `suffix` still has something to follow: `web=5`. */
  | { readonly kind: 'names'; readonly of: Named; readonly suffix: '' | '=' }
  | { readonly kind: 'files' };

const words = (...list: readonly string[]): ValueSource => ({ kind: 'words', words: list });
const names = (of: Named): ValueSource => ({ kind: 'names', of, suffix: '' });
const FILES: ValueSource = { kind: 'files' };
const ORDERS = words('start-first', 'stop-first');

const OF_FLAGS: Readonly<Record<string, ValueSource>> = {
  '--availability': words('active', 'pause', 'drain'),
  '--role': words('worker', 'manager'),
  '--autolock': words('true', 'false'),
  '--mode': words('replicated', 'global', 'replicated-job', 'global-job'),
  '--restart-condition': words('none', 'on-failure', 'any'),
  '--update-order': ORDERS,
  '--rollback-order': ORDERS,
  '--update-failure-action': words('pause', 'continue', 'rollback'),
  '--rollback-failure-action': words('pause', 'continue'),
  '--stop-signal': words('SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGKILL', 'SIGUSR1', 'SIGUSR2'),
  '--log-driver': words('json-file', 'local', 'journald', 'syslog', 'gelf', 'fluentd', 'none'),
  '--isolation': words('default'),
  '--template-driver': words('golang'),
  '--format': words('json', 'table'),
  '--mount': { kind: 'beginnings', words: ['type=volume,', 'type=bind,', 'type=tmpfs,'] },
  '--mount-add': { kind: 'beginnings', words: ['type=volume,', 'type=bind,', 'type=tmpfs,'] },
  '--placement-pref': { kind: 'beginnings', words: ['spread=node.labels.'] },
  '--placement-pref-add': { kind: 'beginnings', words: ['spread=node.labels.'] },
  '--secret': names('secrets'),
  '--secret-add': names('secrets'),
  '--secret-rm': names('secrets'),
  '--config': names('configs'),
  '--config-add': names('configs'),
  '--config-rm': names('configs'),
  '--env-file': FILES,
  '--tlscacert': FILES,
  '--tlscert': FILES,
  '--tlskey': FILES,
  '--out': FILES,
};

/** Flags whose values are others in one command than elsewhere. */
const OF_COMMANDS: Readonly<Record<string, ValueSource>> = {
  'client-cert create --role': words('viewer', 'operator', 'admin'),
};

/** Names of filters, by command. */
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  'node ls': ['id=', 'label=', 'membership=', 'name=', 'node.label=', 'role='],
  'node ps': ['desired-state=', 'id=', 'label=', 'name='],
  'service ls': ['id=', 'label=', 'mode=', 'name='],
  'service ps': ['desired-state=', 'id=', 'name=', 'node='],
  'secret ls': ['id=', 'label=', 'name='],
  'config ls': ['id=', 'label=', 'name='],
};

const OF_OPERANDS: Readonly<Record<string, ValueSource>> = {
  service: names('services'),
  'service|task': names('services'),
  'service=replicas': { kind: 'names', of: 'services', suffix: '=' },
  task: names('tasks'),
  node: names('nodes'),
  secret: names('secrets'),
  config: names('configs'),
  file: FILES,
  from: FILES,
  to: FILES,
  role: words('worker', 'manager'),
  shell: words('bash', 'zsh', 'fish'),
};

/** `path`: the command without the program's name, e.g. `service ls`. */
export function sourceOfFlag(path: string, { long }: FlagShape): ValueSource | undefined {
  if (long === '--filter') {
    const filters = FILTERS[path];
    return filters === undefined ? undefined : { kind: 'beginnings', words: filters };
  }
  return OF_COMMANDS[`${path} ${long}`] ?? OF_FLAGS[long];
}

export const sourceOfOperand = (name: string): ValueSource | undefined => OF_OPERANDS[name];

export const FLAGS_WITH_SOURCE: readonly string[] = Object.keys(OF_FLAGS);
export const FILTERED_COMMANDS: readonly string[] = Object.keys(FILTERS);
export const OPERANDS_WITH_SOURCE: readonly string[] = Object.keys(OF_OPERANDS);
