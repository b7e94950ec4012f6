import { must } from '../../test/support/run.js';
import { socketDocument } from '../../test/support/socket-request.js';
import type { ControlPlane } from '../cluster/swarms.js';
import { serviceName } from './fill.js';
import type { ProcessorTime } from './processor-time.js';
import { Samples } from './samples.js';
import { timedRequest } from './timed-request.js';

interface Service {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels: Record<string, string> };
}

const filters = (wanted: object): string => encodeURIComponent(JSON.stringify(wanted));

/** Each request `times` times, one after the other, after some that warm up. */
export async function requestLatencies(
  plane: ControlPlane,
  services: number,
  times: number,
  processorTime: ProcessorTime,
): Promise<ReadonlyMap<string, Samples>> {
  const { socket } = plane;
  const service = (round: number): string => serviceName((round * 37) % services);
  const get =
    (path: (round: number) => string) =>
    async (round: number): Promise<number> =>
      (await timedRequest(socket, path(round))).ms;
  const kinds: readonly (readonly [string, number, (round: number) => Promise<number>])[] = [
    ['GET /services?status=true', times, get(() => '/services?status=true')],
    ['GET /services', times, get(() => '/services')],
    [
      'GET /tasks of a service',
      times,
      get((round) => `/tasks?filters=${filters({ service: { [service(round)]: true } })}`),
    ],
    ['GET /nodes', times, get(() => '/nodes')],
    ['GET /services/{id}', times, get((round) => `/services/${service(round)}`)],
    ['POST /services/{id}/update', times, (round) => updateLabel(socket, service(round), round)],
    ['GET /tasks, all of them', Math.ceil(times / 4), get(() => '/tasks')],
  ];
  const results = new Map<string, Samples>();
  for (const [name, count, measure] of kinds) {
    for (let round = 0; round < 5; round += 1) await measure(round);
    const samples = new Samples();
    const before = await processorTime();
    for (let round = 0; round < count; round += 1) samples.add(await measure(round + 5));
    samples.processorTime = (await processorTime()) - before;
    results.set(name, samples);
  }
  return results;
}

/** A label of the service: no task is replaced for it. Its version and spec are read beforehand, unmeasured. */
async function updateLabel(socket: string, name: string, round: number): Promise<number> {
  const { ID, Version, Spec } = await socketDocument<Service>(socket, `/services/${name}`);
  const path = `/services/${ID}/update?version=${Version.Index}&queryRegistry=false`;
  const body = { ...Spec, Labels: { ...Spec.Labels, round: `${Date.now()}-${round}` } };
  return (await timedRequest(socket, path, { method: 'POST', body })).ms;
}

/** Whole commands of a client, from the start of its process to its end. */
export async function commandLatencies(
  command: (...args: string[]) => readonly [program: string, args: readonly string[]],
  services: number,
  times: number,
): Promise<ReadonlyMap<string, Samples>> {
  const service = (round: number): string => serviceName((round * 37) % services);
  const kinds: readonly (readonly [string, (round: number) => readonly string[]])[] = [
    ['service ls', () => ['service', 'ls']],
    ['service ps', (round) => ['service', 'ps', service(round)]],
    ['node ls', () => ['node', 'ls']],
    ['service inspect', (round) => ['service', 'inspect', service(round)]],
    [
      'service update',
      (round) => ['service', 'update', '--detach', '--label-add', `round=c${Date.now()}-${round}`, service(round)],
    ],
  ];
  const results = new Map<string, Samples>();
  for (const [name, args] of kinds) {
    const samples = new Samples();
    for (let round = 0; round < times; round += 1) {
      const [program, words] = command(...args(round));
      const start = performance.now();
      await must(program, words);
      samples.add(performance.now() - start);
    }
    results.set(name, samples);
  }
  return results;
}
