import ConnectionTCP from '@xmpp/connection-tcp';
import { Parser } from '@xmpp/xml';
import { describe, expect, it } from 'vitest';

const METHODS = [
  'headerElement',
  'header',
  'footer',
  'isSecure',
  'restart',
  '_onElement',
  '_onData',
  '_attachSocket',
  '_detachSocket',
  '_attachParser',
  '_detachParser',
  '_status',
];

describe('the parts of xmpp.js', () => {
  it.each(METHODS)('have the method %s, which the adapter overrides or calls', (name) => {
    expect(Reflect.get(ConnectionTCP.prototype, name)).toBeTypeOf('function');
  });

  it.each(['onStartElement', 'onEndElement', 'onText', 'emit', 'write'])('have a parser with the method %s', (name) => {
    expect(Reflect.get(Parser.prototype, name)).toBeTypeOf('function');
  });
});
