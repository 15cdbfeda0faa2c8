/** Frame types and ends (AMQP 0-9-1, 4.2.3). */
export const FRAME = { method: 1, header: 2, body: 3, end: 0xce } as const;

/** Bytes of a frame before its payload, and around it. */
export const FRAME_HEAD = 7;
export const FRAME_AROUND = 8;

/** Class and method in one number, as a method frame begins. */
export const METHOD = {
  publish: 0x003c_0028,
  deliver: 0x003c_003c,
  ack: 0x003c_0050,
  nack: 0x003c_0078,
} as const;

/** The class of messages. */
export const BASIC = 60;

/** Which properties a content header carries: one bit each, in the order in which they follow (4.2.6.1). */
export const PROPERTY = {
  contentType: 0x8000,
  contentEncoding: 0x4000,
  headers: 0x2000,
  deliveryMode: 0x1000,
  priority: 0x0800,
  correlationId: 0x0400,
  replyTo: 0x0200,
  expiration: 0x0100,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
  userId: 0x0010,
  appId: 0x0008,
  clusterId: 0x0004,
} as const;
