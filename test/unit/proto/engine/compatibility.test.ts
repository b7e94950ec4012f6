import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configSpecShape, secretSpecShape } from '../../../../proto/engine/payload-spec-shape.js';
import { serviceSpecShape } from '../../../../proto/engine/service-spec-shape.js';
import { swarmInitShape, swarmJoinShape } from '../../../../proto/engine/swarm-request.js';
import { swarmSpecShape } from '../../../../proto/engine/swarm-spec-shape.js';
import { fieldRows } from '../../../support/field-marks.js';

const page = readFileSync(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8');

/** The rows of the table under a heading, without its head. */
function tableUnder(heading: string): readonly string[] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.replaceAll(/ +/g, ' ').trim());
}

describe('docs/compatibility.md', () => {
  it.each([
    ['ServiceSpec', serviceSpecShape],
    ['SecretSpec', secretSpecShape],
    ['ConfigSpec', configSpecShape],
    ['SwarmSpec', swarmSpecShape],
    ['POST /swarm/init', swarmInitShape],
    ['POST /swarm/join', swarmJoinShape],
  ] as const)('has a row for each field of %s, saying what is done with it', (heading, shape) => {
    expect(tableUnder(heading)).toEqual(fieldRows(shape.fields));
  });
});
