import { describe, expect, it } from 'vitest';
import { type Element, xml } from '../src/codec/stanza/element.ts';
import { NS } from '../src/codec/stanza/namespaces.ts';
import {
  absenceOf,
  joinError,
  linkError,
  lostOnTheWay,
  STANZA_ERRORS,
  saslError,
  stanzaError,
  streamError,
} from '../src/errors.ts';

const refusal = (condition: string, type: string): Element =>
  xml(
    'message',
    { type: 'error' },
    xml('error', { type }, xml(condition, { xmlns: NS.stanzaErrors }), xml('text', {}, 'why')),
  );

describe('refused messages', () => {
  it.each([
    ['item-not-found', 'cancel', 'Rejected'],
    ['forbidden', 'auth', 'Rejected'],
    ['service-unavailable', 'cancel', 'Rejected'],
    ['not-acceptable', 'cancel', 'Rejected'],
    ['recipient-unavailable', 'cancel', 'Transient'],
    ['resource-constraint', 'wait', 'Throttled'],
    ['service-unavailable', 'wait', 'Throttled'],
    ['policy-violation', 'cancel', 'Throttled'],
    ['policy-violation', 'wait', 'Throttled'],
    ['not-allowed', 'wait', 'Throttled'],
    ['forbidden', 'wait', 'Throttled'],
    ['item-not-found', 'wait', 'Throttled'],
    ['policy-violation', 'modify', 'TooLarge'],
    ['made-up', 'cancel', 'Rejected'],
    ['made-up', 'wait', 'Throttled'],
  ])('%s of type %s is %s', (condition, type, name) => {
    const error = stanzaError(refusal(condition, type), false);
    expect(error.name).toBe(name);
    expect(error.message).toContain(`${condition}: why`);
  });

  it.each(['not-acceptable', 'item-not-found', 'gone', 'remote-server-not-found', 'remote-server-timeout'])(
    '%s of a room says that we are not in it, and the message is not lost',
    (condition) => {
      expect(absenceOf(refusal(condition, 'cancel'))).toBeDefined();
      expect(stanzaError(refusal(condition, 'cancel'), true)).toMatchObject({
        name: 'NotConnected',
        concerns: 'place',
      });
    },
  );

  it.each([
    ['forbidden', 'place'],
    ['item-not-found', 'place'],
    ['bad-request', 'message'],
    ['made-up', 'message'],
  ])('%s is about the %s', (condition, concern) => {
    expect(stanzaError(refusal(condition, 'cancel'), false).concerns).toBe(concern);
  });

  it.each([
    ['not-acceptable', 'payload-too-big', 'TooLarge'],
    ['conflict', 'precondition-not-met', 'Rejected'],
    ['bad-request', 'invalid-payload', 'Rejected'],
  ])('%s with %s of a publish-subscribe service is %s, in whichever order they stand', (condition, more, name) => {
    const parts = [xml(condition, { xmlns: NS.stanzaErrors }), xml(more, { xmlns: NS.pubsubErrors })];
    for (const children of [parts, parts.toReversed()]) {
      const error = stanzaError(xml('iq', { type: 'error' }, xml('error', { type: 'modify' }, ...children)), false);
      expect([error.name, error.message]).toEqual([name, `the server answered ${condition} (${more})`]);
    }
  });

  it('knows every condition of RFC 6120', () => {
    expect(Object.keys(STANZA_ERRORS)).toHaveLength(22);
  });

  it('takes an error without a reason for a refusal', () => {
    expect(stanzaError(xml('message', { type: 'error' }), false).name).toBe('Rejected');
  });
});

describe('other errors', () => {
  it.each([
    ['conflict', 'Conflict'],
    ['host-unknown', 'ConfigInvalid'],
    ['system-shutdown', 'NotConnected'],
  ])('a stream error %s is %s', (condition, name) => {
    expect(streamError(xml('stream:error', {}, xml(condition, { xmlns: NS.streamErrors }))).name).toBe(name);
  });

  it.each([
    ['policy-violation', true],
    ['not-well-formed', true],
    ['system-shutdown', false],
    ['reset', false],
    ['policy-violation', false, 'Too many unacked stanzas'],
  ])('a stream error %s blames what we have sent: %s %s', (condition, blames, text = '') => {
    const why = xml('text', { xmlns: NS.streamErrors }, text);
    const error = streamError(xml('stream:error', {}, xml(condition, { xmlns: NS.streamErrors }), why));
    expect(lostOnTheWay(error)).toMatchObject({ name: 'Unknown', concerns: 'link', isPeersVerdict: blames });
  });

  it.each([
    ['not-authorized', 'AuthFailed'],
    ['account-disabled', 'AuthFailed'],
    ['temporary-auth-failure', 'NotConnected'],
  ])('a login failure %s is %s', (condition, name) => {
    expect(saslError(xml('failure', { xmlns: NS.sasl }, xml(condition))).name).toBe(name);
  });

  it.each([
    ['forbidden', 'ConfigInvalid', 'banned'],
    ['registration-required', 'ConfigInvalid', 'members only'],
    ['service-unavailable', 'NotConnected', 'is full'],
    ['remote-server-timeout', 'NotConnected', 'remote-server-timeout'],
  ])('a refused join by %s is %s', (condition, name, text) => {
    const error = joinError('ops@conference', refusal(condition, 'auth'));
    expect([error.name, error.concerns]).toEqual([name, 'place']);
    expect(error.message).toContain(text);
  });

  it.each([
    ['resource-constraint', 'cancel'],
    ['policy-violation', 'cancel'],
    ['service-unavailable', 'wait'],
    ['not-allowed', 'wait'],
    ['registration-required', 'wait'],
  ])('a join refused by %s of type %s is tried again after a pause', (condition, type) => {
    const error = joinError('ops@conference', refusal(condition, type));
    expect(error).toMatchObject({ name: 'Throttled', concerns: 'place', retryAfter: expect.any(Number) });
  });

  it('keeps the cause of a failed link and says what to set for a certificate', () => {
    const cause = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const error = linkError(cause);
    expect(error).toMatchObject({ name: 'NotConnected', cause });
    expect(error.message).toContain('tls.ca');
  });
});
