import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandContainer } from '../../proto/engine/container-expansion.js';
import { expandTemplate, NO_LOOKUP, type TemplateContext } from '../../proto/engine/template-expansion.js';
import { parseTemplate } from '../../proto/engine/template.js';

const CONTEXT: TemplateContext = {
  Service: { ID: 's', Name: 'web', Labels: { tier: 'front' } },
  Node: { ID: 'n', Hostname: 'h', Platform: { Architecture: 'a', OS: 'o' } },
  Task: { ID: 't', Name: 'web.1.t', Slot: '1' },
};

/** Pieces of templates, whole and broken, in any order. */
const PIECES = (
  '{{ }} {{- -}} /* */ ( ) | " ` . $ 1 % \n if else end with range eq ne not and or index join printf secret ' +
  '.Task.Slot .Service.Labels .Service.Labels.tier .Service.Labels.no .Node.Hostname .Nope "1" "%s" "tier" text'
).split(' ');
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join(' '));

test('any text is a template, malformed or unsupported; what is a template expands or says what is missing', () => {
  fc.assert(
    fc.property(fc.oneof(soup, fc.string({ maxLength: 60 })), fc.constantFrom('payload', 'container'), (text, kind) => {
      const template = parseTemplate(text, kind);
      if (template.kind !== 'parsed') return;
      try {
        expect(typeof expandTemplate(template.parts, CONTEXT, NO_LOOKUP)).toBe('string');
      } catch (error) {
        expect(String(error)).toMatch(/no entry for key|incompatible types|not found/);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('an if has one of its branches, and its condition is that of Go', () => {
  const value = fc.constantFrom('"a"', '""', '.Task.Slot', '(index .Service.Labels "no")', '(eq "a" "a")', '(not "a")');
  const isTrue = (text: string): boolean => ['"a"', '.Task.Slot', '(eq "a" "a")'].includes(text);
  fc.assert(
    fc.property(value, value, (first, second) => {
      const text = `{{if ${first}}}1{{else if ${second}}}2{{else}}3{{end}}{{and ${first} ${second} | not}}`;
      const template = parseTemplate(text, 'container');
      if (template.kind !== 'parsed') throw new Error(template.reason);
      const branch = isTrue(first) ? '1' : isTrue(second) ? '2' : '3';
      const both = isTrue(first) && isTrue(second);
      expect(expandTemplate(template.parts, CONTEXT, NO_LOOKUP)).toBe(`${branch}${String(!both)}`);
    }),
  );
});

test('a container without templates is returned itself, and expansion is asked for nothing in it', () => {
  const plain = fc.string({ maxLength: 20 }).filter((text) => !text.includes('{{'));
  const options = fc.record({ Labels: fc.dictionary(plain, plain), DriverConfig: fc.record({ Name: plain }) });
  const mount = fc.record({ Source: plain, Target: plain, VolumeOptions: options });
  const container = fc.record({ Image: plain, Env: fc.array(plain), Hostname: plain, Mounts: fc.array(mount) });
  fc.assert(
    fc.property(container, (spec) => {
      const expanded = expandContainer(spec, () => {
        throw new Error('there is nothing to expand');
      });
      expect(expanded).toBe(spec);
    }),
  );
});
