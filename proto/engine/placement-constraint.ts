import { ATTRIBUTE_NAMES, type NodeAttribute, parseNodeAttribute } from './node-attribute.js';
import { specError } from './spec-error.js';

/** One line of `Placement.Constraints`: an attribute of the node is, or is not, one of some values. */
export interface PlacementConstraint {
  /** As the user wrote it. */
  readonly text: string;
  readonly attribute: NodeAttribute;
  /** `!=` and `not in`. */
  readonly negated: boolean;
  /** Any of them. `*` stands for any text and `?` for one letter; for node.ip also CIDR blocks. */
  readonly values: readonly string[];
}

/** SwarmKit's own patterns. */
const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

const SET = /^(?<key>\S+)\s+(?<not>not\s+)?in\s*\((?<values>.*)\)$/i;

/**
 * Reads a constraint: `key == value` and `key != value` as SwarmKit reads them, in its words when
 * they are wrong, and bale's own `key in (a, b)` and `key not in (a, b)`. A key that no node has is
 * refused: it would match nothing for ever. Throws BALE_SPEC_INVALID (400).
 */
export function parseConstraint(text: string): PlacementConstraint {
  for (const operator of ['==', '!=']) {
    const at = text.indexOf(operator);
    if (at < 0) continue;
    return constraint(text, text.slice(0, at), [text.slice(at + operator.length)], operator === '!=');
  }
  const { key, not, values } = SET.exec(text.trim())?.groups ?? {};
  if (key === undefined || values === undefined) throw specError('constraint expected one operator from ==, !=');
  return constraint(text, key, values.split(','), not !== undefined);
}

function constraint(
  text: string,
  keyText: string,
  valueTexts: readonly string[],
  negated: boolean,
): PlacementConstraint {
  const key = keyText.trim();
  if (!KEY.test(key)) throw specError(`key '${key}' is invalid`);
  const values = valueTexts.map((value) => value.trim());
  const wrong = values.find((value) => !VALUE.test(value));
  if (wrong !== undefined) throw specError(`value '${wrong}' is invalid`);
  const attribute = parseNodeAttribute(key);
  if (attribute === undefined) throw specError(`key '${key}' is invalid: the keys are ${ATTRIBUTE_NAMES}`);
  return { text: text.trim(), attribute, negated, values };
}
