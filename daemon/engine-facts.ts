import type { EngineClient } from './engine-client.js';

/** How the local Engine presents itself; our answers look the same. */
export interface EngineFacts {
  readonly apiVersion: string;
  readonly minApiVersion: string;
  readonly server: string;
  readonly osType: string;
  readonly experimental: string;
  /** Absent on Engines that do not send it. */
  readonly builderVersion?: string;
}

/** Told until the Engine has answered once: the oldest Engine that bale supports. */
const UNKNOWN: EngineFacts = {
  apiVersion: '1.41',
  minApiVersion: '1.12',
  server: 'Docker/20.10 (linux)',
  osType: 'linux',
  experimental: 'false',
};

/** A ping must not hang because the Engine does. */
const PATIENCE_MS = 1_000;

/** The last facts the Engine told. They stay when it goes down. */
export class EngineFactsSource {
  readonly #engine: EngineClient;
  #known: EngineFacts | undefined;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** The last known facts, asked for first when there are none. */
  async current(): Promise<EngineFacts> {
    return this.#known ?? (await this.refresh());
  }

  /** Asks the Engine; an Engine that does not answer in time leaves what was known. */
  async refresh(): Promise<EngineFacts> {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const { status, headers } = await this.#engine.get('/_ping', signal);
      const apiVersion = headers['api-version'];
      if (status !== 200 || typeof apiVersion !== 'string') return this.#known ?? UNKNOWN;
      const { 'docker-experimental': experimental, ostype, 'builder-version': builder } = headers;
      const text = (value: string | string[] | undefined, fallback: string): string =>
        typeof value === 'string' ? value : fallback;
      const server = text(headers.server, UNKNOWN.server);
      const before = this.#known;
      const same = before?.apiVersion === apiVersion && before.server === server;
      const facts: EngineFacts = {
        apiVersion,
        minApiVersion: same ? before.minApiVersion : await this.#minApiVersion(signal),
        server,
        osType: text(ostype, UNKNOWN.osType),
        experimental: text(experimental, UNKNOWN.experimental),
        ...(typeof builder === 'string' ? { builderVersion: builder } : {}),
      };
      this.#known = facts;
      return facts;
    } catch {
      // The ping answers for this daemon; that the Engine is away shows in the node's status and in
      // every request that needs it.
      return this.#known ?? UNKNOWN;
    }
  }

  async #minApiVersion(signal: AbortSignal): Promise<string> {
    const { MinAPIVersion } = await this.#engine.document('/version', signal);
    return typeof MinAPIVersion === 'string' ? MinAPIVersion : UNKNOWN.minApiVersion;
  }
}

/** The headers that every answer of an Engine carries. */
export const factHeaders = (facts: EngineFacts): Readonly<Record<string, string>> => ({
  'Api-Version': facts.apiVersion,
  'Docker-Experimental': facts.experimental,
  Ostype: facts.osType,
  Server: facts.server,
});
