import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';

type Protocol = PublishedPort['protocol'];

/** `<taskId>:<targetPort>`, or `<taskId>:<targetPort>;udp`: the name of an endpoint, also the authority of a tunnel to it. */
export const endpointKey = (
  { taskId, targetPort }: Pick<Endpoint, 'taskId' | 'targetPort'>,
  protocol: Protocol = 'tcp',
): string => (protocol === 'udp' ? `${taskId}:${targetPort};udp` : `${taskId}:${targetPort}`);

/** Undefined when `text` is not the name of an endpoint. */
export function parseEndpointKey(
  text: string,
): { readonly taskId: string; readonly targetPort: number; readonly protocol: Protocol } | undefined {
  const match = /^([\w.-]{1,64}):([1-9][0-9]{0,4})(;udp)?$/.exec(text);
  const [, taskId, port, udp] = match ?? [];
  const targetPort = Number(port);
  if (taskId === undefined || targetPort > 65_535) return undefined;
  return { taskId, targetPort, protocol: udp === undefined ? 'tcp' : 'udp' };
}
