import type { Group } from '../case.ts';
import { amqpCodec } from './amqp-codec.ts';
import { comparison } from './comparison.ts';
import { eventForms } from './event-forms.ts';
import { mqttCodec } from './mqtt-codec.ts';
import { mqttWire } from './mqtt-wire.ts';
import { xmppCodec } from './xmpp-codec.ts';

/** Between bytes and events. */
export const codecs: Group = {
  name: 'codecs',
  title: 'Codecs',
  note:
    'A JSON body of 256 bytes; an id, a type, two headers, a trace and one gateway in `via`, unless the row says bare. A PUBLISH ' +
    'has QoS 1. AMQP frames are written and read by the client library and are not in these figures.',
  operation: 'message',
  cases: [...mqttWire, ...mqttCodec, ...amqpCodec, ...xmppCodec, ...eventForms, ...comparison],
};
