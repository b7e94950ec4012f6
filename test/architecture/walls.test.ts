import { describe, expect, test } from 'vitest';
import { ROOMS, sourceFiles, sourceTexts, type SourceFile } from './source-tree.js';

const house = sourceFiles(ROOMS);
const roomOf = (path: string): string => path.split('/')[0] ?? '';

/** Arrows of the design: a room may import itself and the rooms named here. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  proto: ['core'],
  manager: ['proto', 'core'],
  agent: ['proto', 'core'],
  cli: ['proto', 'core'],
  daemon: ['manager', 'agent', 'proto', 'core'],
  bin: ['daemon', 'agent', 'cli'],
};

/** Where each third-party package may be imported: at most one or two files (or the room that exists for it). */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  level: /^manager\/store\/level-journal\.ts$/,
  'node-forge': /^(core\/x509\.ts|manager\/ca\/[a-z-]+\.ts)$/,
  dockerode: /^(agent\/executor\/[a-z-]+\.ts|daemon\/engine[a-z/-]*\.ts)$/,
  'http-proxy': /^agent\/mesh\/[a-z-]+\.ts$/,
  croner: /^proto\/engine\/cron\.ts$/,
  commander: /^cli\//,
  '@grpc/grpc-js': /^proto\//,
  '@grpc/proto-loader': /^proto\//,
  fastify: /^daemon\//,
  zod: /^proto\/engine\//,
  pino: /^core\/logger\.ts$/,
};

/** Deciders: pure functions of plain data. They import no I/O, no timers, no store and no clock. */
const DECIDERS = [
  'manager/containers/find-container.ts',
  'daemon/container-target.ts',
  'daemon/exec-id.ts',
  'cli/container/copy-plan.ts',
  'cli/container/stats-figures.ts',
  'manager/drain/drain-gate.ts',
  'manager/drain/task-wish.ts',
  'manager/orchestrator/stop-task.ts',
  'manager/schedule/decide-schedule.ts',
  'manager/schedule/judge-run.ts',
  'manager/schedule/next-due.ts',
  'manager/schedule/open-runs.ts',
  'manager/schedule/schedule-state.ts',
  'manager/depends/judge-dependencies.ts',
  'manager/depends/dependency-check.ts',
  'manager/updater/change-spec.ts',
  'manager/updater/effective-spec.ts',
  'manager/updater/pinned.ts',
  'manager/updater/room.ts',
  'manager/updater/rollout.ts',
  'manager/updater/slot-state.ts',
  'manager/updater/start-takeover.ts',
  'manager/updater/takeover.ts',
  'manager/updater/update-order.ts',
  'manager/updater/waits.ts',
  'manager/updater/rollout-config.ts',
  'agent/executor/container-config.ts',
  'agent/executor/pull-failure.ts',
  'agent/executor/pull-progress.ts',
  'manager/secrets/registry-auth.ts',
  'proto/registry/docker-config.ts',
  'agent/worker/task-step.ts',
  'manager/endpoints/endpoint-table.ts',
  'manager/endpoints/port-allocator.ts',
  'manager/dispatcher/heartbeat.ts',
  'manager/dispatcher/node-record.ts',
  'manager/dispatcher/session-rate.ts',
  'manager/node-health/dead-tasks.ts',
  'manager/node-health/judge-node.ts',
  'manager/orchestrator/decide-service.ts',
  'manager/orchestrator/global.ts',
  'manager/orchestrator/global-job.ts',
  'manager/orchestrator/job-slot.ts',
  'manager/orchestrator/node-standing.ts',
  'manager/orchestrator/replicated-job.ts',
  'manager/orchestrator/replicated.ts',
  'manager/orchestrator/restart.ts',
  'manager/orchestrator/scale-down.ts',
  'manager/orchestrator/slot.ts',
  'manager/orchestrator/task-draft.ts',
  'manager/orchestrator/task-history.ts',
  'manager/scheduler/backlog.ts',
  'manager/scheduler/constraint-match.ts',
  'manager/scheduler/explain.ts',
  'manager/scheduler/filters.ts',
  'manager/scheduler/generic-resources.ts',
  'manager/scheduler/misfit.ts',
  'manager/scheduler/node-value.ts',
  'manager/scheduler/group-node.ts',
  'manager/scheduler/group-search.ts',
  'manager/scheduler/group-tree.ts',
  'manager/scheduler/key-heap.ts',
  'manager/scheduler/node-columns.ts',
  'manager/scheduler/node-pool.ts',
  'manager/scheduler/open-node.ts',
  'manager/scheduler/partings.ts',
  'manager/scheduler/place.ts',
  'manager/scheduler/place-pinned.ts',
  'manager/scheduler/placement.ts',
  'manager/scheduler/rank.ts',
  'manager/scheduler/spread-tree.ts',
  'manager/scheduler/waiting-group.ts',
  'manager/api/node-removal.ts',
  'manager/api/port-errors.ts',
  'manager/api/service-change.ts',
  'manager/dispatcher/assignment-changes.ts',
  'manager/dispatcher/status-rule.ts',
  'agent/publish-address.ts',
  'agent/mesh/affinity.ts',
  'agent/mesh/picker.ts',
  'agent/mesh/stalled-nodes.ts',
  'agent/mesh/ejections.ts',
  'agent/mesh/in-flight.ts',
  'agent/mesh/listener-plan.ts',
  'agent/mesh/port-errors.ts',
  'agent/mesh/endpoint-key.ts',
  'agent/mesh/udp-activity.ts',
  'agent/mesh/udp-routing.ts',
  'agent/mesh/udp-frame.ts',
  'agent/mesh/udp-waiting.ts',
  'agent/mesh/http-headers.ts',
  'agent/mesh-link/adoption.ts',
  'agent/mesh-link/combined-report.ts',
  'agent/mesh-link/fleet.ts',
  'daemon/mesh-processes.ts',
  'daemon/role-table.ts',
  'manager/ca/client-rules.ts',
  'manager/ca/client-request.ts',
  'proto/engine/ip-range.ts',
  'proto/engine/placement-constraint.ts',
  'proto/engine/service-defaults.ts',
  'proto/engine/file-references.ts',
  'proto/engine/template.ts',
  'proto/engine/template-expansion.ts',
  'proto/payload.ts',
  'manager/secrets/versions.ts',
  'manager/dispatcher/payload-ledger.ts',
  'agent/executor/task-file.ts',
  'cli/completion/complete.ts',
  'cli/completion/value-source.ts',
];

const packageOf = (specifier: string): string =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '');

describe('walls', () => {
  test.each(house.map((file) => [file.path, file] as const))('%s imports only rooms it may', (path, file) => {
    const allowed = [roomOf(path), ...(ARROWS[roomOf(path)] ?? [])];
    const wrong = file.imports.filter(({ target }) => target !== undefined && !allowed.includes(roomOf(target)));
    expect(wrong).toEqual([]);
  });

  test('each third-party package stands in the files that exist for it', () => {
    const wrong = house.flatMap((file) =>
      file.imports
        .filter(({ specifier, target }) => target === undefined && !specifier.startsWith('node:'))
        .filter(({ specifier }) => !(PACKAGES[packageOf(specifier)]?.test(file.path) ?? false))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test('no import cycles between files', () => {
    const graph = new Map(
      house.map((file) => [
        file.path,
        file.imports.flatMap(({ target, typeOnly }) => (target === undefined || typeOnly ? [] : [target])),
      ]),
    );
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe('deciders', () => {
  test.each(DECIDERS)('%s is pure', (path) => {
    const file = house.find((candidate) => candidate.path === path);
    expect(file, `${path} is listed as a decider but does not exist`).toBeDefined();
    const effects = (file?.imports ?? []).filter(({ specifier, typeOnly }) => !typeOnly && isEffect(specifier));
    expect(effects).toEqual([]);
    expect(file?.text).not.toMatch(/Date\.now|Math\.random|setTimeout|setInterval|process\.|\bawait\b|new Date\(\)/);
  });
});

describe('size', () => {
  const all: readonly SourceFile[] = [...house, ...sourceFiles(['test', 'bench', 'scripts'])];

  test('no file has more than 400 lines', () => {
    expect(all.filter((file) => file.lines > 400).map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
  });

  test('the median file has about 110 lines at most', () => {
    const sizes = house.map((file) => file.lines).sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(120);
  });

  test('core stays a dozen small files', () => {
    expect(house.filter((file) => roomOf(file.path) === 'core').length).toBeLessThanOrEqual(12);
  });

  test('no double cast: it hides a doubt that a check would settle', () => {
    const written = sourceTexts([...ROOMS, 'test', 'bench']).filter(({ path }) => path.endsWith('.ts'));
    expect(
      written.filter(({ text }) => /\bas (unknown|any|never|object) as\b/.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  test('there is no drawer named utils', () => {
    expect(all.filter((file) => /(^|[/-])(utils?|helpers?|misc|common)([./-]|$)/.test(file.path))).toEqual([]);
  });
});

const isEffect = (specifier: string): boolean =>
  specifier.startsWith('node:') ||
  packageOf(specifier) in PACKAGES ||
  /(store\/store|core\/clock|core\/logger)/.test(specifier);

/** A cycle as a list of files, or undefined. Depth-first with three colours. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | undefined => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
