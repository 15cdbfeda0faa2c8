/** XML namespaces, by the specification that defines them. */
export const NS = {
  client: 'jabber:client',
  /** XEP-0114. */
  component: 'jabber:component:accept',
  stream: 'http://etherx.jabber.org/streams',
  streamErrors: 'urn:ietf:params:xml:ns:xmpp-streams',
  stanzaErrors: 'urn:ietf:params:xml:ns:xmpp-stanzas',
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  sasl2: 'urn:xmpp:sasl:2',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  /** XEP-0198. */
  streamManagement: 'urn:xmpp:sm:3',
  /** XEP-0030. */
  discoInfo: 'http://jabber.org/protocol/disco#info',
  discoItems: 'http://jabber.org/protocol/disco#items',
  /** XEP-0045. */
  muc: 'http://jabber.org/protocol/muc',
  mucUser: 'http://jabber.org/protocol/muc#user',
  mucOwner: 'http://jabber.org/protocol/muc#owner',
  dataForms: 'jabber:x:data',
  /** XEP-0050. */
  commands: 'http://jabber.org/protocol/commands',
  /** XEP-0122. */
  validation: 'http://jabber.org/protocol/xdata-validate',
  /** XEP-0066. */
  outOfBand: 'jabber:x:oob',
  /** XEP-0103. */
  urlData: 'http://jabber.org/protocol/url-data',
  /** XEP-0059. */
  resultSets: 'http://jabber.org/protocol/rsm',
  /** XEP-0054. */
  vcard: 'vcard-temp',
  /** XEP-0060. */
  pubsub: 'http://jabber.org/protocol/pubsub',
  pubsubErrors: 'http://jabber.org/protocol/pubsub#errors',
  pubsubEvent: 'http://jabber.org/protocol/pubsub#event',
  /** XEP-0084. */
  avatarData: 'urn:xmpp:avatar:data',
  avatarMetadata: 'urn:xmpp:avatar:metadata',
  /** XEP-0115. */
  caps: 'http://jabber.org/protocol/caps',
  /** XEP-0144. */
  rosterExchange: 'http://jabber.org/protocol/rosterx',
  /** XEP-0153. */
  vcardUpdate: 'vcard-temp:x:update',
  /** XEP-0172. */
  nick: 'http://jabber.org/protocol/nick',
  /** XEP-0184. */
  receipts: 'urn:xmpp:receipts',
  /** XEP-0199. */
  ping: 'urn:xmpp:ping',
  /** XEP-0203. */
  delay: 'urn:xmpp:delay',
  /** XEP-0280. */
  carbons: 'urn:xmpp:carbons:2',
  /** XEP-0297. */
  forward: 'urn:xmpp:forward:0',
  /** XEP-0313. */
  archive: 'urn:xmpp:mam:2',
  /** XEP-0308. */
  correction: 'urn:xmpp:message-correct:0',
  /** XEP-0334. */
  hints: 'urn:xmpp:hints',
  /** XEP-0335. */
  json: 'urn:xmpp:json:0',
  /** XEP-0359. */
  stanzaId: 'urn:xmpp:sid:0',
  /** XEP-0363. */
  upload: 'urn:xmpp:http:upload:0',
  /** XEP-0380. */
  encryption: 'urn:xmpp:eme:0',
  omemo: 'urn:xmpp:omemo:2',
  omemoLegacy: 'eu.siacs.conversations.axolotl',
  openPgp: 'urn:xmpp:openpgp:0',
  openPgpLegacy: 'jabber:x:encrypted',
  /** XEP-0421. */
  occupantId: 'urn:xmpp:occupant-id:0',
  /** XEP-0422. */
  fasten: 'urn:xmpp:fasten:0',
  /** XEP-0424. */
  retraction: 'urn:xmpp:message-retract:1',
  retractionLegacy: 'urn:xmpp:message-retract:0',
  /** XEP-0425. */
  moderation: 'urn:xmpp:message-moderate:0',
  /** XEP-0428. */
  fallback: 'urn:xmpp:fallback:0',
  fallbackLegacy: 'urn:xmpp:feature-fallback:0',
  /** XEP-0444. */
  reactions: 'urn:xmpp:reactions:0',
  /** XEP-0446. */
  fileMetadata: 'urn:xmpp:file:metadata:0',
  /** XEP-0447. */
  fileSharing: 'urn:xmpp:sfs:0',
  /** XEP-0461. */
  reply: 'urn:xmpp:reply:0',
  /** XEP-0478. */
  limits: 'urn:xmpp:stream-limits:0',
  /** Our namespace: event fields that XMPP does not have. */
  event: 'urn:magpie:event:1',
} as const;
