import type { PortConfig, PortProtocol, PublishMode } from '../../proto/engine/service-spec.js';
import { usageError } from './usage-error.js';

const FLAG = '-p, --publish';
const PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp'];

/** docker's `--publish`: `8080:80/tcp`, `8080-8082:80-82`, `80`, or `published=8080,target=80,protocol=tcp,mode=host`. */
export function parsePublish(text: string): PortConfig[] {
  return text.includes('=') ? [longForm(text)] : shortForm(text);
}

function longForm(text: string): PortConfig {
  const port: PortConfig = { Protocol: 'tcp', PublishMode: 'ingress' };
  for (const field of text.split(',')) {
    const [key = '', value] = field.split('=', 2);
    if (value === undefined) throw usageError(FLAG, text, `"${field}" must be a key=value pair`);
    switch (key.toLowerCase()) {
      case 'target':
        port.TargetPort = portNumber(text, value);
        break;
      case 'published':
        port.PublishedPort = portNumber(text, value);
        break;
      case 'protocol':
        port.Protocol = protocol(text, value);
        break;
      case 'mode':
        port.PublishMode = publishMode(text, value);
        break;
      default:
        throw usageError(FLAG, text, `unknown field "${key}"; the fields are target, published, protocol and mode`);
    }
  }
  if (port.TargetPort === undefined) throw usageError(FLAG, text, 'the field target is missing');
  return port;
}

function shortForm(text: string): PortConfig[] {
  const [ports = '', suffix = 'tcp'] = text.split('/', 2);
  const parts = ports.split(':');
  if (parts.length > 2) {
    throw usageError(FLAG, text, 'an IP address of the host is not supported here; set --publish-addr on the daemon');
  }
  const targets = range(text, parts.at(-1) ?? '');
  const published = parts.length === 2 ? range(text, parts[0] ?? '') : undefined;
  if (published !== undefined && published.length !== targets.length) {
    throw usageError(FLAG, text, 'both ranges must be of the same length');
  }
  return targets.map((TargetPort, index) => {
    const PublishedPort = published?.[index];
    return {
      Protocol: protocol(text, suffix),
      TargetPort,
      ...(PublishedPort === undefined ? {} : { PublishedPort }),
      PublishMode: 'ingress',
    };
  });
}

function range(text: string, part: string): readonly number[] {
  const [first = '', last = first] = part.split('-', 2);
  const start = portNumber(text, first);
  const end = portNumber(text, last);
  if (end < start) throw usageError(FLAG, text, `the range ${part} runs backwards`);
  return Array.from({ length: end - start + 1 }, (_, index) => start + index);
}

function portNumber(text: string, value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > 65535)
    throw usageError(FLAG, text, `"${value}" is not a port from 1 to 65535`);
  return port;
}

function protocol(text: string, value: string): PortProtocol {
  const found = PROTOCOLS.find((name) => name === value.toLowerCase());
  if (found === undefined) throw usageError(FLAG, text, `the protocol "${value}" is not one of tcp, udp, sctp`);
  return found;
}

function publishMode(text: string, value: string): PublishMode {
  if (value === 'ingress' || value === 'host') return value;
  throw usageError(FLAG, text, `the mode "${value}" is not one of ingress, host`);
}
