import { decode, FieldRefused } from './decode.js';
import { always, document, field, pointer, refused } from './document-shape.js';
import type { PayloadRequest, PayloadSpec, TemplatingDriver } from './payload-document.js';
import { limited, text, textMap } from './shape.js';
import { specError } from './spec-error.js';
import { parseTemplate } from './template.js';

export type PayloadKind = 'secret' | 'config';

const LONGEST_NAME = 64;

/** The data must be smaller, bytes: SwarmKit's limits. */
const LIMITS: Readonly<Record<PayloadKind, number>> = { secret: 500 * 1024, config: 1000 * 1024 };

const templating = document<TemplatingDriver>({
  Name: always(
    limited(text, (name) => name === 'golang', 'the one templating driver is "golang"'),
    '',
  ),
  Options: refused('the templating driver has no options'),
});

const fields = {
  Name: always(text, ''),
  Labels: always(textMap, {}),
  Data: field(text),
  Templating: pointer(templating),
};

/** What this version does with each field of a SecretSpec. */
export const secretSpecShape = document<PayloadRequest>({
  ...fields,
  Driver: refused('secrets come from clients only, not from plugins'),
});

/** What this version does with each field of a ConfigSpec. */
export const configSpecShape = document<Omit<PayloadRequest, 'Driver'>>(fields);

const SHAPES = { secret: secretSpecShape, config: configSpecShape };
const DOCUMENTS: Readonly<Record<PayloadKind, string>> = { secret: 'SecretSpec', config: 'ConfigSpec' };

/** What a client asked for; `data` is absent where it sent none. */
export interface DecodedPayload {
  readonly spec: PayloadSpec;
  readonly data: Buffer | undefined;
}

/** The body of a create. Throws BALE_REQUEST_INVALID or BALE_SPEC_INVALID (400), FieldRefused (501). */
export function decodePayload(kind: PayloadKind, body: unknown): DecodedPayload & { readonly data: Buffer } {
  const { spec, data = Buffer.alloc(0) } = decodePayloadUpdate(kind, body);
  checkName(spec.Name);
  checkData(kind, spec, data);
  return { spec, data };
}

/** The body of an update, of which the API takes the labels only. Throws as `decodePayload`. */
export function decodePayloadUpdate(kind: PayloadKind, body: unknown): DecodedPayload {
  const { Data, Driver: _, ...spec }: PayloadRequest = decode(DOCUMENTS[kind], SHAPES[kind], body);
  return { spec, data: Data === undefined ? undefined : decodeBase64(kind, Data) };
}

/** SwarmKit's rules for the data, in its words; a template is read, to refuse it now and not on a node. */
export function checkData(kind: PayloadKind, spec: PayloadSpec, data: Buffer): void {
  const limit = LIMITS[kind];
  if (data.length < 1 || data.length >= limit) {
    throw specError(`${kind} data must be larger than 0 and less than ${limit} bytes`);
  }
  if (spec.Templating === undefined) return;
  const template = parseTemplate(data.toString('utf8'), 'payload');
  switch (template.kind) {
    case 'parsed':
      return;
    case 'malformed':
      throw specError(`${kind} data is not a template: ${template.reason}`);
    case 'unsupported':
      throw new FieldRefused(`${DOCUMENTS[kind]}.Data: ${template.what}`, template.reason);
  }
}

function checkName(name: string): void {
  if (name === '') throw specError('name must be provided');
  if (name.length > LONGEST_NAME || !/^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/.test(name)) {
    throw specError(
      'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]',
    );
  }
}

/** As Go reads a list of bytes. The text is never repeated in an error. */
function decodeBase64(kind: PayloadKind, given: string): Buffer {
  const packed = given.replaceAll(/[\r\n]/g, '');
  const data = Buffer.from(packed, 'base64');
  if (data.toString('base64') === packed) return data;
  throw specError(`${kind} data is not valid base64`);
}
