import type { Endpoint } from '../../proto/endpoint-table.js';

/** `<taskId>:<targetPort>`: the name of an endpoint, also the authority of a tunnel to it. */
export const endpointKey = ({ taskId, targetPort }: Pick<Endpoint, 'taskId' | 'targetPort'>): string =>
  `${taskId}:${targetPort}`;

/** Undefined when `text` is not the name of an endpoint. */
export function parseEndpointKey(text: string): { readonly taskId: string; readonly targetPort: number } | undefined {
  const match = /^([\w.-]{1,64}):([1-9][0-9]{0,4})$/.exec(text);
  const [, taskId, port] = match ?? [];
  const targetPort = Number(port);
  return taskId === undefined || targetPort > 65_535 ? undefined : { taskId, targetPort };
}
