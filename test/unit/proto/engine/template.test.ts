import { describe, expect, test } from 'vitest';
import { expandTemplate, type TemplateContext } from '../../../../proto/engine/template-expansion.js';
import { parseTemplate } from '../../../../proto/engine/template.js';

const CONTEXT: TemplateContext = {
  Service: { ID: 'sid', Name: 'web', Labels: { tier: 'front', 'a.b': 'dotted' } },
  Node: { ID: 'nid', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } },
  Task: { ID: 'tid', Name: 'web.2.tid', Slot: '2' },
};

function expanded(text: string): string {
  const template = parseTemplate(text);
  if (template.kind !== 'parsed') throw new Error(JSON.stringify(template));
  return expandTemplate(template.parts, CONTEXT, {
    env: (name) => (name === 'A' ? 'one' : undefined),
    secret: (name) => (name === 'key' ? 's3cret' : undefined),
    config: (name) => (name === 'conf' ? 'c' : undefined),
  });
}

describe('a template', () => {
  test.each([
    ['', ''],
    ['no action { } }}', 'no action { } }}'],
    ['{{.Service.Name}}.{{ .Task.Slot }}', 'web.2'],
    ['{{.Service.ID}} {{.Task.ID}} {{.Task.Name}}', 'sid tid web.2.tid'],
    ['{{.Node.ID}} {{.Node.Hostname}} {{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}', 'nid h1 linux/x86_64'],
    ['{{.Service.Labels.tier}} {{index .Service.Labels "a.b"}}|{{index .Service.Labels "no"}}|', 'front dotted||'],
    ['{{env "A"}}{{env "B"}}{{secret "key"}}{{config `conf`}}', 'ones3cretc'],
    ['a  {{- " b " -}}  c', 'a b c'],
    ['{{-3}}', undefined],
    ['x{{/* "a }} comment */}}y', 'xy'],
    ['{{ "}}" }}{{ "a\\n\\"b" }}', '}}a\n"b'],
    ['{{join "," (env "A") .Node.ID "z"}}', 'one,nid,z'],
    ['{{"key" | secret}} {{ env "A" | join "-" "x" }}', 's3cret x-one'],
    ['{{(env "A")}}', 'one'],
  ])('%s', (text, wanted) => {
    if (wanted === undefined) expect(() => expanded(text)).toThrow();
    else expect(expanded(text)).toBe(wanted);
  });

  test.each([
    ['{{.Nope}}', 'action 1 names the field ".Nope"'],
    ['{{.Service}}', 'names the field ".Service"'],
    ['{{.Service.Name', 'action 1 has no end'],
    ['a {{.Task.ID}} {{ "x }}', 'action 2 has no end'],
    ['{{}}', 'action 1 has no value'],
    ['{{secret}}', 'secret takes one name, not 0 arguments'],
    ['{{.Task.ID "x"}}', 'gives arguments to what is no function'],
    ['{{env "A" | "x"}}', 'only a function may follow "|"'],
    ['{{(env "A"}}', 'a parenthesis too few'],
    ['{{env "A")}}', 'a parenthesis too many'],
    ['{{ # }}', 'cannot be read'],
  ])('%s is malformed', (text, reason) => {
    const template = parseTemplate(text);
    expect(template.kind).toBe('malformed');
    expect(JSON.stringify(template)).toContain(JSON.stringify(reason).slice(1, -1));
  });

  test.each([
    '{{if .Task.ID}}x{{end}}',
    '{{range .Service.Labels}}',
    '{{printf "%s" "a"}}',
    '{{$x}}',
    '{{env 1}}',
    '{{.Service.Labels}}',
  ])('%s is Go, and not supported', (text) => {
    expect(parseTemplate(text).kind).toBe('unsupported');
  });

  test('what is looked up and not there is an error that names it', () => {
    expect(() => expanded('{{secret "nope"}}')).toThrow('secret target nope not found');
    expect(() => expanded('{{.Service.Labels.nope}}')).toThrow('the service has no label "nope"');
  });

  test('a hostile template costs time in proportion to its length', () => {
    const began = performance.now();
    for (const text of ['{{ "a', '{{-', '{{"a"', '{{.Task.ID}}', '{{/*']) {
      parseTemplate(text.repeat(50_000));
      parseTemplate(`{{${text.slice(2).repeat(50_000)}`);
      parseTemplate(`${text}${' '.repeat(200_000)}`);
    }
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
