import type { NodeDocument } from '../../../proto/engine/node-document.js';
import { eventually } from '../eventually.js';
import type { Found } from './reads.js';
import { service, type Outcome, type Rule } from './rule.js';

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends a request to the API that is tested. A body is JSON text. */
export type Ask = (method: string, path: string, body?: string) => Promise<RawAnswer>;

/** What the rules' requests speak of, on a manager of either kind. */
export class Scene {
  readonly #ask: Ask;
  /** The id of the service that has a task. */
  #busy = '';
  /** The beginning that exactly two ids of services share. */
  #twins = '';

  private constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Without anything that requests could speak of. */
  static bare(ask: Ask): Scene {
    return new Scene(ask);
  }

  static async make(ask: Ask): Promise<Scene> {
    const scene = new Scene(ask);
    const Data = Buffer.from('data').toString('base64');
    await scene.#makePayload('secrets', { Name: 'key', Labels: { kind: 'test' }, Data });
    await scene.#makePayload('configs', { Name: 'conf', Labels: { kind: 'test' }, Data });
    const file = { Name: 'file', UID: '0', GID: '0', Mode: 0o444 };
    const ContainerSpec = {
      Secrets: [{ SecretID: '{secrets/key}', SecretName: 'key', File: file }],
      Configs: [{ ConfigID: '{configs/conf}', ConfigName: 'conf', File: file }],
    };
    const port = (PublishedPort: number, PublishMode: string): object => ({
      EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort, PublishMode }] },
    });
    await scene.#made(
      '/services/create',
      service({ Name: 'web', TaskTemplate: { ContainerSpec }, ...port(8081, 'ingress') }),
    );
    await scene.#made('/services/create', service({ Name: 'hosty', ...port(8082, 'host') }));
    await scene.#made('/services/create', service({ Name: 'fresh' }));
    await scene.#made('/services/create', service({ Name: 'past' }));
    await scene.#must(
      'POST',
      '/services/{services/past}/update?version={services/past@}',
      service({ Name: 'past', Labels: { tier: 'back' } }),
    );
    await scene.#made('/services/create', {
      ...service({
        Name: 'busy',
        Labels: { tier: 'front', zone: 'a' },
        TaskTemplate: { ContainerSpec: { Labels: { inside: '' } }, RestartPolicy: { Condition: 'none' } },
      }),
      Mode: { Replicated: { Replicas: 1 } },
    });
    // While the node becomes ready its version moves.
    await eventually('the node', async () =>
      (await scene.#list('/nodes')).every(({ Status }) => Status?.State === 'ready'),
    );
    const Labels = { rack: 'r1' };
    const node = { Role: 'manager', Availability: 'active', Labels };
    await scene.#must('POST', '/nodes/{nodes/self}/update?version={nodes/self@}', node);
    scene.#busy = await scene.resolve('{services/busy}');
    await scene.resolve('{tasks/busy}');
    await scene.#makeTwins();
    return scene;
  }

  /** Breaks a rule; `Outcome` with an empty message when the request was accepted. */
  async attempt({ request, body }: Pick<Rule, 'request' | 'body'>): Promise<Outcome & { readonly message: string }> {
    const [, method = '', path = ''] = /^(\S+) (.*)$/s.exec(request) ?? [];
    const { status, text } = await this.#ask(
      method,
      encodeURI(await this.resolve(path)),
      body === undefined ? undefined : await this.resolve(JSON.stringify(body)),
    );
    if (status < 300) {
      await this.#remove(text, path);
      return { status, message: '' };
    }
    return { status, message: messageOf(status, text) };
  }

  /** The service that a body makes, as it is shown; it is removed again. */
  async shown(body: unknown, query = ''): Promise<unknown> {
    const { status, text } = await this.#ask('POST', '/services/create', JSON.stringify(body));
    if (status !== 201) throw new Error(`${status} ${text}`);
    const { ID } = JSON.parse(text) as { ID: string }; // the API's answer to a create
    const shown = await this.#get(`/services/${ID}${query}`);
    await this.#must('DELETE', `/services/${ID}`);
    return shown;
  }

  /** What a read finds, in the terms that `expected` has. */
  async read(request: string, expected: Found | Outcome): Promise<Found | Outcome> {
    const [, method = '', path = ''] = /^(\S+) (.*)$/s.exec(request) ?? [];
    const { status, text } = await this.#ask(method, encodeURI(await this.resolve(path)));
    if ('status' in expected || status !== 200) return { status, message: messageOf(status, text) };
    const document: unknown = JSON.parse(text);
    if ('one' in expected) return { one: (document as Listed).Spec.Name ?? '' }; // every object of the API has a Spec
    const rows = document as readonly Listed[];
    if ('count' in expected) return { count: rows.length };
    const names = rows.map(({ Spec, ServiceID }) => (ServiceID === this.#busy ? 'busy' : (Spec.Name ?? '')));
    return { names: [...new Set(names)].sort() };
  }

  /** `text` with ids and versions in the place of `{nouns/name}` and `{nouns/name@}`. */
  async resolve(text: string): Promise<string> {
    let resolved = text;
    for (const [whole, noun = '', name = '', part] of text.matchAll(/\{([a-z]+)\/([a-z]*)([@~]?)\}/g)) {
      const value = await this.#value(noun, name, part === '@');
      resolved = resolved.replaceAll(whole, part === '~' ? value.slice(0, 12) : value);
    }
    return resolved;
  }

  async #value(noun: string, name: string, wantsVersion: boolean): Promise<string> {
    if (noun === 'twins') return this.#twins;
    if (noun === 'nodes') {
      const [node] = (await this.#get('/nodes')) as readonly NodeDocument[]; // so the API lists nodes
      if (name === 'hostname') return node?.Description.Hostname ?? '';
      return (wantsVersion ? String(node?.Version.Index) : node?.ID) ?? '';
    }
    if (noun === 'tasks') return this.#taskOf(name);
    const found = await this.#get(name === '' ? `/${noun}` : `/${noun}/${name}`);
    const { ID, Version } = found as Named; // every object of the API has these
    return wantsVersion ? String(Version.Index) : ID;
  }

  #taskOf(name: string): Promise<string> {
    const filters = encodeURIComponent(JSON.stringify({ service: [name] }));
    return eventually(`a task of ${name}`, async () => (await this.#list(`/tasks?filters=${filters}`))[0]?.ID);
  }

  /** One whose id does not begin as its name does: by its beginning an id is found, and a name is not. */
  async #makePayload(
    nouns: string,
    body: Readonly<Record<string, unknown>> & { readonly Name: string },
  ): Promise<void> {
    const { ID } = JSON.parse(await this.#must('POST', `/${nouns}/create`, body)) as Named; // so the API answers
    if (!ID.startsWith(body.Name.slice(0, 2))) return;
    await this.#must('DELETE', `/${nouns}/${ID}`);
    await this.#makePayload(nouns, body);
  }

  /** Services until exactly two of them begin with the same letter, which takes about eight. */
  async #makeTwins(): Promise<void> {
    for (let number = 0; number < 40 && this.#twins === ''; number += 1) {
      await this.#made('/services/create', service({ Name: `twin${number}` }));
      const letters = (await this.#list('/services')).map(({ ID }) => ID.slice(0, 1));
      this.#twins = letters.find((one) => letters.filter((other) => other === one).length === 2) ?? '';
    }
  }

  async #remove(created: string, path: string): Promise<void> {
    const noun = /^\/(\w+)\/create/.exec(path)?.[1];
    if (noun === undefined) return;
    const { ID } = JSON.parse(created) as { ID: string }; // the API's answer to a create
    await this.#must('DELETE', `/${noun}/${ID}`);
  }

  async #made(path: string, body: unknown): Promise<void> {
    await this.#must('POST', path, body);
  }

  async #must(method: string, path: string, body?: unknown): Promise<string> {
    const sent = body === undefined ? undefined : await this.resolve(JSON.stringify(body));
    const { status, text } = await this.#ask(method, await this.resolve(path), sent);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  }

  async #get(path: string): Promise<unknown> {
    return JSON.parse(await this.#must('GET', path));
  }

  async #list(path: string): Promise<readonly Named[]> {
    return (await this.#get(path)) as readonly Named[]; // every list of the API has such entries
  }
}

interface Listed {
  readonly Spec: { readonly Name?: string };
  readonly ServiceID?: string;
}

/** Of a refusal; versions before 1.24 are told errors as plain text. */
function messageOf(status: number, text: string): string {
  if (status < 300 || text === '') return '';
  if (!text.startsWith('{')) return text.trimEnd();
  const document: unknown = JSON.parse(text);
  if (typeof document !== 'object' || document === null || !('message' in document)) throw new Error(text);
  return String(document.message);
}

interface Named {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  /** Of nodes and tasks. */
  readonly Status?: { readonly State: string };
}
