import { describe, expect, test } from 'vitest';
import { expandTemplate, type TemplateContext } from '../../../../proto/engine/template-expansion.js';
import { parseTemplate } from '../../../../proto/engine/template.js';

const CONTEXT: TemplateContext = {
  Service: { ID: 'sid', Name: 'web', Labels: { tier: 'front', 'a.b': 'dotted' } },
  Node: { ID: 'nid', Hostname: 'h1', Platform: { Architecture: 'x86_64', OS: 'linux' } },
  Task: { ID: 'tid', Name: 'web.2.tid', Slot: '2' },
};

function expanded(text: string): string {
  const template = parseTemplate(text, 'payload');
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
    ['{{if env "B"}}b{{else}}no b{{end}}{{if env "A"}}, a{{end}}', 'no b, a'],
    ['{{if eq .Task.Slot "1"}}first{{else if eq .Task.Slot "2" "3"}}next{{else}}other{{end}}!', 'next!'],
    ['{{if not (eq .Task.Slot "2")}}x{{else}}{{if true2}}{{end}}{{end}}', undefined],
    ['{{if and (ne .Task.Slot "1") .Node.ID}}{{.Node.ID}}{{end}}{{or (env "B") "none"}}', 'nidnone'],
    ['{{printf "%s-%q 100%% %v" .Task.Slot "a" (env "A")}}', '2-"a" 100% one'],
    ['{{eq "a" "a"}} {{not "a"}}', 'true false'],
    ['{{- if .Task.ID -}} x {{- end -}} ', 'x'],
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
    ['{{nope "a"}}', 'function "nope" not defined in action 1'],
    ['{{if .Task.ID}}x', 'the "if" of action 1 has no "end"'],
    ['x{{end}}', 'an "end" without its "if"'],
    ['{{else}}', 'an "else" without its "if"'],
    ['{{if .Task.ID}}{{else}}{{else}}{{end}}', 'an "else" without its "if"'],
    ['{{if .Task.ID}}{{else .Task.ID}}{{end}}', 'only "if" may follow "else"'],
    ['{{if}}{{end}}', 'action 1 has no value'],
    ['{{eq "a"}}', 'eq takes values to compare, not 1 arguments'],
    ['{{printf "%s"}}', 'the format of printf is for 1 texts, not 0'],
    ['{{if "a"}}'.repeat(101), 'action 101 stands too deep in others'],
    [`{{${'('.repeat(102)}}}`, 'action 1 has too many parentheses'],
  ])('%s is malformed', (text, reason) => {
    const template = parseTemplate(text, 'payload');
    expect(template.kind).toBe('malformed');
    expect(JSON.stringify(template)).toContain(JSON.stringify(reason).slice(1, -1));
  });

  test.each([
    '{{with .Task.ID}}x{{end}}',
    '{{range .Service.Labels}}',
    '{{if .Service.Labels}}x{{end}}',
    '{{printf "%05d" "a"}}',
    '{{printf (env "A")}}',
    '{{len .Task.ID}}',
    '{{join "," .Service.Labels}}',
    '{{$x}}',
    '{{env 1}}',
    '{{.Service.Labels}}',
  ])('%s is Go, and not supported', (text) => {
    expect(parseTemplate(text, 'payload').kind).toBe('unsupported');
  });

  test('of a container spec knows no function of payloads', () => {
    for (const name of ['env', 'secret', 'config']) {
      expect(parseTemplate(`{{${name} "A"}}`, 'container')).toMatchObject({ kind: 'malformed' });
    }
  });

  test('what is looked up and not there is an error that names it', () => {
    expect(() => expanded('{{secret "nope"}}')).toThrow('secret target nope not found');
    expect(() => expanded('{{.Service.Labels.nope}}')).toThrow('map has no entry for key "nope"');
    expect(() => expanded('{{eq "a" (not "a")}}')).toThrow('incompatible types for comparison');
  });

  test('a hostile template costs time in proportion to its length', () => {
    const began = performance.now();
    for (const text of ['{{ "a', '{{-', '{{"a"', '{{.Task.ID}}', '{{/*', '{{(', '{{if "a"}}', '{{else if "a"}}']) {
      parseTemplate(text.repeat(50_000), 'payload');
      parseTemplate(`{{${text.slice(2).repeat(50_000)}`, 'payload');
      parseTemplate(`${text}${' '.repeat(200_000)}`, 'payload');
    }
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
