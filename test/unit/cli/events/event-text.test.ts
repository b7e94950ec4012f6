import { describe, expect, test } from 'vitest';
import { auditText } from '../../../../cli/events/audit-text.js';
import { checkEventFormat, eventText } from '../../../../cli/events/event-text.js';
import type { AuditDocument } from '../../../../proto/engine/audit-document.js';

const LINE =
  '{"Type":"service","Action":"update","Actor":{"ID":"abc","Attributes":{"replicas.old":"2","name":"web","replicas.new":"3"}},' +
  '"scope":"swarm","time":1795240783,"timeNano":1795240783984692678}';

describe('an event', () => {
  test('is printed as docker prints it, to the last nanosecond', () => {
    expect(eventText(LINE, undefined)).toMatch(
      /^2026-11-2\dT\d\d:\d\d:43\.984692678(Z|[+-]\d\d:\d\d) service update abc \(name=web, replicas\.new=3, replicas\.old=2\)$/,
    );
  });

  test('without attributes has no parentheses', () => {
    const line =
      '{"Type":"daemon","Action":"reload","Actor":{"ID":"d","Attributes":null},"time":1,"timeNano":1000000001}';
    expect(eventText(line, undefined)).toMatch(/\.000000001\S* daemon reload d$/);
  });

  test.each([
    ['{{json .}}', LINE],
    ['json', LINE],
    ['{{.Type}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.TimeNano}}', 'service abc web 1795240783984692678'],
    ['{{.Scope}}|{{.Status}}', 'swarm|'],
  ])('by the format %s', (format, text) => {
    expect(eventText(LINE, format)).toBe(text);
  });
});

test('a format of events is checked before any of them came', () => {
  for (const format of ['json', '{{json .}}', '{{.Type}} {{.Actor.Attributes.name}} {{.TimeNano}}', 'event']) {
    expect(() => {
      checkEventFormat(format);
    }).not.toThrow();
  }
  expect(() => {
    checkEventFormat('{{.Nope}}');
  }).toThrow('--format: there is no field "Nope"; the fields are Status, ID, From, Type, Action, Actor, Scope');
});

describe('the audit', () => {
  const record: AuditDocument = {
    time: '2026-01-01T00:00:00.000Z',
    who: 'certificate alice (operator)',
    request: 'POST /services/:id/update',
    action: 'update',
    object: 'service',
    id: 'abc',
    name: 'web',
    oldVersion: 12,
    newVersion: 15,
    fields: ['a', 'b', 'c', 'd', 'e'],
  };

  test('is a table of who changed what', () => {
    const [, line] = auditText([record], undefined).split('\n');
    expect(line?.split(/ {2,}/)).toEqual([
      '2026-01-01T00:00:00.000Z',
      'certificate alice (operator)',
      'update',
      'service web',
      '12 -> 15',
      'POST /services/:id/update',
      'a, b, c and 2 more',
    ]);
  });

  test('goes by a format, a record a line', () => {
    expect(auditText([record, record], '{{.who}}: {{.name}}')).toBe(
      'certificate alice (operator): web\ncertificate alice (operator): web\n',
    );
    expect(JSON.parse(auditText([record], 'json'))).toEqual(record);
    expect(() => auditText([], '{{.Nope}}')).toThrow('--format: there is no field "Nope"; the fields are time, who,');
  });
});
