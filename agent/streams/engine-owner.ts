import { request } from 'node:http';
import { BaleError, errorMessage } from '../../core/errors.js';
import { NODE_ID_LABEL } from '../executor/container-labels.js';
import type { EngineTarget } from './engine-request.js';

/** An Engine that takes longer to describe a container does not answer, ms. */
const PATIENCE = 10_000;

/** The Engine said no: its own status and text go to the manager. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The full id by which a container or exec may be asked for: of a container that carries this node's id.
 * Throws EngineRefusal with 403 for any other, with the Engine's words for one that it does not know;
 * BALE_ENGINE_UNAVAILABLE.
 */
export async function ownedId(target: EngineTarget, nodeId: string, engineSocket: string): Promise<string> {
  if (target.kind === 'container') return ownedContainer(target.id, nodeId, engineSocket);
  const exec = await inspect(engineSocket, `/exec/${target.id}/json`);
  await ownedContainer(textOf(exec.ContainerID), nodeId, engineSocket);
  return target.id;
}

async function ownedContainer(id: string, nodeId: string, engineSocket: string): Promise<string> {
  const { Id, Config } = await inspect(engineSocket, `/containers/${id}/json`);
  const labels = isObject(Config) && isObject(Config.Labels) ? Config.Labels : {};
  if (labels[NODE_ID_LABEL] === nodeId) return textOf(Id);
  throw new EngineRefusal(403, `container ${id} is not one of a task of node ${nodeId}`);
}

async function inspect(engineSocket: string, path: string): Promise<Record<string, unknown>> {
  const { status, body } = await get(engineSocket, path);
  const document: unknown = JSON.parse(body);
  if (!isObject(document)) throw unavailable(`GET ${path} was answered without a document`);
  if (status === 200) return document;
  throw new EngineRefusal(status, textOf(document.message));
}

function get(engineSocket: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: engineSocket, path, agent: false, headers: { host: 'bale' } });
    call.setTimeout(PATIENCE, () => call.destroy(unavailable(`no answer within ${PATIENCE / 1000} s`)));
    call.on('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => (body += text));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
      answer.on('error', reject);
    });
    call.on('error', (error) => {
      reject(error instanceof BaleError ? error : unavailable(errorMessage(error), error));
    });
    call.end();
  });
}

export const unavailable = (text: string, cause?: unknown): BaleError =>
  new BaleError(`the Docker Engine does not answer: ${text}`, {
    kind: 'unavailable',
    code: 'BALE_ENGINE_UNAVAILABLE',
    cause,
  });

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
