import { decode } from './decode.js';
import { always, document, field } from './document-shape.js';
import type { NodeSpec } from './node-document.js';
import { text, textMap, word } from './shape.js';

/** What this version does with each field of a NodeSpec. */
export const nodeSpecShape = document<NodeSpec>({
  Name: field(text),
  Labels: always(textMap, {}),
  Role: always(word('worker', 'manager'), 'worker'),
  Availability: always(word('active', 'pause', 'drain'), 'active'),
});

/** The body of `/nodes/{id}/update`. Throws BALE_REQUEST_INVALID (400). */
export const decodeNodeSpec = (body: unknown): NodeSpec => decode('NodeSpec', nodeSpecShape, body);
